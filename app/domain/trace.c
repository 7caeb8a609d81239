/* Reads thinned samples. Called by the page of a device. */
#include "domain/trace.h"

#include "db/db.h"
#include "gen/queries.h"

enum err trace_load(struct db_tx *tx, const char *key, int64_t from_us, int64_t to_us, int slot_s,
                    struct trace *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, key);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    db_arg_int(&args, slot_s);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_trace_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct trace_point *points = arena_array(op->arena, (size_t)n, sizeof *points);
    if (points == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        points[i] = (struct trace_point){
            .series_id = db_int(rows, i, TRACE_LIST_SERIES_ID),
            .slot_us = db_time(rows, i, TRACE_LIST_SLOT),
            .count = db_int64(rows, i, TRACE_LIST_COUNT),
            .mean = db_double(rows, i, TRACE_LIST_MEAN),
            .least = db_double(rows, i, TRACE_LIST_LEAST),
            .most = db_double(rows, i, TRACE_LIST_MOST),
            .sum = db_double(rows, i, TRACE_LIST_SUM),
        };
    }
    *out = (struct trace){ .points = points, .n = n };
    return OK;
}
