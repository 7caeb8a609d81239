/* Last times by the names of series. Called by the helpers of conventions (web/compat_*.c) in the
 * ingest process. */
#include "domain/last_time.h"

#include "db/db.h"
#include "gen/queries.h"

enum err last_time_find(struct db_tx *tx, struct last_time *items, int n)
{
    struct op *op = db_op(tx);
    struct str *devices = arena_array(op->arena, (size_t)n + 1, sizeof *devices);
    struct str *metrics = arena_array(op->arena, (size_t)n + 1, sizeof *metrics);
    struct str *labels = arena_array(op->arena, (size_t)n + 1, sizeof *labels);
    struct db_args args;
    struct db_rows *rows;

    if (!devices || !metrics || !labels) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        devices[i] = items[i].device;
        metrics[i] = items[i].metric;
        labels[i] = items[i].labels.len ? items[i].labels : STR("{}");
    }
    db_args_init(&args, op->arena);
    db_arg_str_array(&args, devices, (size_t)n);
    db_arg_str_array(&args, metrics, (size_t)n);
    db_arg_str_array(&args, labels, (size_t)n);
    enum err err = db_run(tx, &q_ingest_last_times, &args, &rows);
    for (int i = 0; !err && i < n; i++) {
        items[i].is_known = !db_is_null(rows, i, INGEST_LAST_TIMES_LAST_TIME);
        items[i].last_us =
            items[i].is_known ? db_time(rows, i, INGEST_LAST_TIMES_LAST_TIME) : 0;
    }
    return err;
}
