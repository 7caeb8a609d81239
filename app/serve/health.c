/* What monitors ask. None of it needs credentials, none of it tells anything of a tenant. Rows of
 * the list of URLs. */
#include "serve/health.h"

#include "base/json.h"
#include "db/migrate.h"
#include "gen/queries.h"
#include "gen/version.h"
#include "serve/metrics.h"

static void answer_status(struct web *web, const char *status)
{
    struct json_writer json;

    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "status");
    json_text(&json, status);
    json_close_object(&json);
}

enum err health_live(struct web *web)
{
    answer_status(web, "ok");
    return OK;
}

enum err health_ready(struct web *web)
{
    struct db_rows *rows;

    if (db_schema_check(web->tx) != OK) {
        /* whatever is wrong with the schema, a balancer must read: not now */
        op_log_fault(web->op);
        op_clear_fault(web->op);
        return fail(web->op, ERR_UNAVAILABLE, "the database is not at this version's schema");
    }
    enum err err = db_run(web->tx, &q_maintenance_since, NULL, &rows);
    if (err == OK) {
        bool is_on = !db_is_null(rows, 0, MAINTENANCE_SINCE_SINCE);
        answer_status(web, is_on ? "maintenance" : "ready");
    }
    return err;
}

enum err health_version(struct web *web)
{
    struct json_writer json;

    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "name");
    json_text(&json, "tidemark");
    json_key(&json, "version");
    json_text(&json, TIDEMARK_VERSION);
    json_key(&json, "commit");
    json_text(&json, TIDEMARK_COMMIT);
    json_close_object(&json);
    return OK;
}

static void print_gauge(struct buf *out, const char *name, double value, const char *help)
{
    metrics_print_head(out, name, "gauge", help);
    buf_printf(out, "%s %.3f\n", name, value);
}

/* A moment in seconds, 0 for none, so that monitors find it too long ago. */
static double seconds_of(const struct db_rows *rows, int column)
{
    return (double)db_time_or(rows, 0, column, 0) / 1e6;
}

static void print_drill(const struct db_rows *rows, struct buf *out)
{
    print_gauge(out, "tidemark_restore_drill_success",
                db_bool(rows, 0, RESTORE_TRIAL_LAST_IS_OK),
                "1: the last trial restore of a backup went well.");
    print_gauge(out, "tidemark_restore_drill_last_run_timestamp_seconds",
                seconds_of(rows, RESTORE_TRIAL_LAST_FINISHED_AT), "When the last one ended.");
    print_gauge(out, "tidemark_restore_drill_duration_seconds",
                db_double(rows, 0, RESTORE_TRIAL_LAST_SECONDS), "How long it took.");
    print_gauge(out, "tidemark_restore_drill_last_success_timestamp_seconds",
                seconds_of(rows, RESTORE_TRIAL_LAST_GOOD_AT),
                "When the last good one ended; 0: none did.");
    print_gauge(out, "tidemark_restore_drill_backup_timestamp_seconds",
                seconds_of(rows, RESTORE_TRIAL_LAST_GOOD_BACKUP_AT),
                "The moment that its backup shows: later data would be lost.");
}

/* What the database tells; without it, or where it is slow, the rest is told all the same. */
static void print_stored(struct web *web)
{
    struct db_rows *rows = NULL;
    enum err err = web->own->begin(web, false);

    if (err == OK) {
        err = db_run(web->tx, &q_restore_trial_hurry, NULL, NULL);
        err = err ? err : db_run(web->tx, &q_restore_trial_last, NULL, &rows);
        err = web->own->end(web, err);
    }
    bool is_told = err == OK && rows &&
                   (web->config->restore_drill_interval_hours > 0 ||
                    !db_is_null(rows, 0, RESTORE_TRIAL_LAST_FINISHED_AT));
    print_gauge(&web->response->body, "tidemark_database_up", err == OK,
                "1: the database answered; 0: it did not, in the time that this may take.");
    if (is_told) {
        print_drill(rows, &web->response->body);
    }
    op_clear_fault(web->op);
}

enum err health_metrics(struct web *web)
{
    web->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(web->metrics, &web->response->body);
    print_stored(web);
    return OK;
}
