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

enum err health_metrics(struct web *web)
{
    web->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_print(web->metrics, &web->response->body);
    return OK;
}
