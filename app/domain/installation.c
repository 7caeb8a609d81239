/* Reads what operators watch, a statement each. Called by the operators' page and, for usage, by
 * their API. */
#include "domain/installation.h"

#include "base/clock.h"
#include "db/db.h"
#include "gen/queries.h"

#include <math.h>

/* Room for what the rows tell; at least one, so that NULL is a failure. */
static void *room(struct db_tx *tx, const struct db_rows *rows, size_t size)
{
    return arena_array(db_op(tx)->arena, (size_t)db_count(rows) + 1, size);
}

enum err usage_list(struct db_tx *tx, struct str after, int limit, struct usage_list *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, after);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_usage_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = room(tx, rows, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct usage){
            .slug = db_text(rows, i, USAGE_LIST_SLUG),
            .name = db_text(rows, i, USAGE_LIST_NAME),
            .status = db_text(rows, i, USAGE_LIST_STATUS),
            .devices = db_int64(rows, i, USAGE_LIST_DEVICES),
            .series = db_int64(rows, i, USAGE_LIST_SERIES),
            .samples_day = db_int64(rows, i, USAGE_LIST_SAMPLES_24H),
            .samples = db_int64(rows, i, USAGE_LIST_SAMPLES),
            .events_day = db_int64(rows, i, USAGE_LIST_EVENTS_24H),
            .events = db_int64(rows, i, USAGE_LIST_EVENTS),
            .bytes = db_int64(rows, i, USAGE_LIST_BYTES),
            .last_ingest_us = db_time_or(rows, i, USAGE_LIST_LAST_INGEST, INSTALLATION_NEVER),
        };
    }
    return OK;
}

static enum err load_storage(struct db_tx *tx, struct installation *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_storage_list, NULL, &rows);

    if (err != OK) {
        return err;
    }
    out->n_storage = db_count(rows);
    out->storage = room(tx, rows, sizeof *out->storage);
    if (!out->storage) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n_storage; i++) {
        out->storage[i] = (struct storage){
            .relation = db_text(rows, i, STORAGE_LIST_RELATION),
            .bytes = db_int64(rows, i, STORAGE_LIST_TOTAL_BYTES),
            .rows = db_int64(rows, i, STORAGE_LIST_ROW_ESTIMATE),
            .pieces = db_int64(rows, i, STORAGE_LIST_CHUNKS),
            .packed = db_int64(rows, i, STORAGE_LIST_COMPRESSED_CHUNKS),
            .ratio = db_double(rows, i, STORAGE_LIST_RATIO),
        };
    }
    return OK;
}

static enum err load_jobs(struct db_tx *tx, struct installation *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_job_health_list, NULL, &rows);

    if (err != OK) {
        return err;
    }
    out->n_jobs = db_count(rows);
    out->jobs = room(tx, rows, sizeof *out->jobs);
    if (!out->jobs) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n_jobs; i++) {
        const char *detail = db_text(rows, i, JOB_HEALTH_LIST_LAST_DETAIL);
        out->jobs[i] = (struct job_health){
            .name = db_text(rows, i, JOB_HEALTH_LIST_NAME),
            .detail = detail ? detail : "",
            .started_us = db_time_or(rows, i, JOB_HEALTH_LIST_LAST_STARTED, INSTALLATION_NEVER),
            .seconds = db_double(rows, i, JOB_HEALTH_LIST_LAST_SECONDS),
            .failures = db_int64(rows, i, JOB_HEALTH_LIST_FAILURES_24H),
            .is_good = db_bool(rows, i, JOB_HEALTH_LIST_LAST_IS_OK),
            .is_running = db_bool(rows, i, JOB_HEALTH_LIST_IS_RUNNING),
            .is_overdue = db_bool(rows, i, JOB_HEALTH_LIST_IS_OVERDUE),
        };
    }
    return OK;
}

static enum err load_statements(struct db_tx *tx, struct installation *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, INSTALLATION_STATEMENTS);
    enum err err = db_run(tx, &q_slow_query_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n_statements = db_count(rows);
    out->statements = room(tx, rows, sizeof *out->statements);
    if (!out->statements) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n_statements; i++) {
        out->statements[i] = (struct statement){
            .text = db_text(rows, i, SLOW_QUERY_LIST_QUERY),
            .calls = db_int64(rows, i, SLOW_QUERY_LIST_CALLS),
            .mean_ms = db_double(rows, i, SLOW_QUERY_LIST_MEAN_MS),
            .total_ms = db_double(rows, i, SLOW_QUERY_LIST_TOTAL_MS),
        };
        out->has_statistics |=
            strcmp(db_text(rows, i, SLOW_QUERY_LIST_SOURCE), "pg_stat_statements") == 0;
    }
    return OK;
}

static enum err load_rates(struct db_tx *tx, int64_t now_us, struct installation *out)
{
    struct db_args args;
    struct db_rows *rows;

    out->first_hour_us = now_us - now_us % US_PER_HOUR - (INSTALLATION_HOURS - 1) * US_PER_HOUR;
    for (int i = 0; i < INSTALLATION_HOURS; i++) {
        out->rates[i] = NAN;
    }
    db_args_init(&args, db_op(tx)->arena);
    db_arg_time(&args, out->first_hour_us);
    enum err err = db_run(tx, &q_ingest_rate_list, &args, &rows);
    for (int i = 0; err == OK && i < db_count(rows); i++) {
        int64_t at_us = db_time(rows, i, INGEST_RATE_LIST_TIME);
        int64_t hour = (at_us - out->first_hour_us) / US_PER_HOUR;
        if (hour >= 0 && hour < INSTALLATION_HOURS) {
            out->rates[hour] = db_double(rows, i, INGEST_RATE_LIST_SAMPLES_PER_S);
        }
    }
    return err;
}

static enum err load_database(struct db_tx *tx, struct installation *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_database_size, NULL, &rows);

    if (err == OK) {
        out->bytes = db_int64(rows, 0, DATABASE_SIZE_BYTES);
        out->engine = db_text(rows, 0, DATABASE_SIZE_ENGINE);
    }
    return err;
}

enum err installation_load(struct db_tx *tx, int64_t now_us, struct installation *out)
{
    *out = (struct installation){ .bytes = 0 };
    enum err err = load_database(tx, out);
    if (err == OK) {
        err = load_storage(tx, out);
    }
    if (err == OK) {
        err = load_jobs(tx, out);
    }
    if (err == OK) {
        err = load_statements(tx, out);
    }
    return err == OK ? load_rates(tx, now_us, out) : err;
}
