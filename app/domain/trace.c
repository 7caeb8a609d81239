/* Reads the points of a series. Called by the pages that draw. */
#include "domain/trace.h"

#include "db/db.h"
#include "gen/queries.h"

#include <math.h>

/* Adds what a counter rose by to each point; a fall is a restart and adds nothing. */
static void add_rises(struct trace *trace)
{
    for (int i = 0; i < trace->n; i++) {
        struct trace_point *point = &trace->points[i];
        double before = i == 0 ? point->first : trace->points[i - 1].last;
        point->rise = fmax(0, point->last - before);
    }
}

static enum err make_room(struct op *op, int n, struct trace *out)
{
    *out = (struct trace){ .n = n };
    out->points = arena_array(op->arena, (size_t)n, sizeof *out->points);
    return out->points == NULL && n > 0 ? fail_memory(op) : OK;
}

enum err trace_samples(struct db_tx *tx, const struct trace_filter *filter, struct trace *out,
                       bool *is_cut)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, filter->device);
    db_arg_text(&args, filter->metric);
    db_arg_int(&args, filter->series_id);
    db_arg_time(&args, filter->from_us);
    db_arg_time(&args, filter->to_us);
    db_arg_int(&args, TRACE_MAX_SAMPLES + 1);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_trace_samples, &args, &rows);
    if (err == OK) {
        err = make_room(op, db_count(rows), out);
    }
    if (err != OK) {
        return err;
    }
    *is_cut = out->n > TRACE_MAX_SAMPLES;
    for (int i = 0; i < out->n; i++) {
        int64_t time_us = db_time(rows, i, TRACE_SAMPLES_TIME);
        double value = db_double(rows, i, TRACE_SAMPLES_VALUE);
        out->points[i] = (struct trace_point){
            .time_us = time_us, .count = 1, .sum = value, .least = value, .most = value,
            .least_us = time_us, .most_us = time_us, .first = value, .last = value,
            .last_us = time_us,
        };
    }
    add_rises(out);
    return OK;
}

enum err trace_buckets(struct db_tx *tx, const struct trace_filter *filter,
                       enum sample_bucket bucket, struct trace *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, sample_bucket_name(bucket));
    db_arg_int(&args, filter->series_id);
    db_arg_time(&args, filter->from_us);
    db_arg_time(&args, filter->to_us);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_trace_buckets, &args, &rows);
    if (err == OK) {
        err = make_room(op, db_count(rows), out);
    }
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < out->n; i++) {
        int64_t time_us = db_time(rows, i, TRACE_BUCKETS_BUCKET);
        out->points[i] = (struct trace_point){
            .time_us = time_us,
            .count = db_int64(rows, i, TRACE_BUCKETS_COUNT),
            .sum = db_double(rows, i, TRACE_BUCKETS_SUM),
            .least = db_double(rows, i, TRACE_BUCKETS_LEAST),
            .most = db_double(rows, i, TRACE_BUCKETS_MOST),
            .least_us = time_us,
            .most_us = time_us,
            .first = db_double(rows, i, TRACE_BUCKETS_FIRST),
            .last = db_double(rows, i, TRACE_BUCKETS_LAST),
            .last_us = db_time(rows, i, TRACE_BUCKETS_LAST_TIME),
        };
    }
    add_rises(out);
    return OK;
}

enum err trace_sparks(struct db_tx *tx, const int32_t *series_ids, int n, int64_t from_us,
                      int64_t to_us, struct sparks *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_int_array(&args, series_ids, (size_t)n);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_trace_sparks, &args, &rows);
    if (err != OK) {
        return err;
    }
    int count = db_count(rows);
    *out = (struct sparks){
        .points = arena_array(op->arena, (size_t)count, sizeof *out->points), .n = count,
    };
    if (out->points == NULL && count > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < count; i++) {
        out->points[i] = (struct spark_point){
            .series_id = db_int(rows, i, TRACE_SPARKS_SERIES_ID),
            .hour_us = db_time(rows, i, TRACE_SPARKS_BUCKET),
            .sum = db_double(rows, i, TRACE_SPARKS_SUM),
            .mean = db_double(rows, i, TRACE_SPARKS_MEAN),
            .last = db_double(rows, i, TRACE_SPARKS_LAST),
        };
    }
    return OK;
}
