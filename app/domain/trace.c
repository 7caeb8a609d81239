/* Reads the points of a series. Called by the pages that draw. */
#include "domain/trace.h"

#include "base/clock.h"
#include "db/ask.h"
#include "gen/queries.h"

#include <math.h>
#include <stdlib.h>

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

/* ---- buckets ---- */

/* Of which series, and when. */
struct stretch {
    const char *bucket;
    const int32_t *series_ids;
    int n;
    int64_t from_us, to_us;
};

static void ask_part(struct db_ask *ask, struct op *op, const struct db_query *query,
                     const struct stretch *part)
{
    db_ask_init(ask, op, query);
    db_arg_text(&ask->args, part->bucket);
    db_arg_int_array(&ask->args, part->series_ids, (size_t)part->n);
    db_arg_time(&ask->args, part->from_us);
    db_arg_time(&ask->args, part->to_us);
}

/* Quarter hours or hours (of `width_us`) that are closed, which are kept from one page to the next.
 * Fills one of `asks`, or none; how many. */
static int ask_closed(struct db_tx *tx, const struct closed *closed, const struct stretch *whole,
                      int64_t width_us, struct db_ask *ask)
{
    int64_t edge_us = closed->until_us - closed->until_us % width_us;
    struct stretch early = *whole;

    early.to_us = whole->to_us < edge_us ? whole->to_us : edge_us;
    if (early.from_us >= early.to_us) {
        return 0;
    }
    ask_part(ask, db_op(tx), &q_trace_closed, &early);
    ask->stamp = closed->stamp;
    return 1;
}

/* Likewise those that are not closed. */
static int ask_open(struct db_tx *tx, const struct closed *closed, const struct stretch *whole,
                    int64_t width_us, struct db_ask *ask)
{
    int64_t edge_us = closed->until_us - closed->until_us % width_us;
    struct stretch late = *whole;

    late.from_us = whole->from_us > edge_us ? whole->from_us : edge_us;
    if (late.from_us >= late.to_us) {
        return 0;
    }
    ask_part(ask, db_op(tx), &q_trace_open, &late);
    return 1;
}

/* Where it stands in both statements, and in that of longer buckets. */
static struct trace_point read_bucket(const struct db_rows *rows, int i)
{
    int64_t time_us = db_time(rows, i, TRACE_CLOSED_BUCKET);
    return (struct trace_point){
        .time_us = time_us,
        .count = db_int64(rows, i, TRACE_CLOSED_COUNT),
        .sum = db_double(rows, i, TRACE_CLOSED_SUM),
        .least = db_double(rows, i, TRACE_CLOSED_LEAST),
        .most = db_double(rows, i, TRACE_CLOSED_MOST),
        .least_us = time_us,
        .most_us = time_us,
        .first = db_double(rows, i, TRACE_CLOSED_FIRST),
        .last = db_double(rows, i, TRACE_CLOSED_LAST),
        .last_us = db_time(rows, i, TRACE_CLOSED_LAST_TIME),
    };
}

_Static_assert((int)TRACE_CLOSED_BUCKET == (int)TRACE_OPEN_BUCKET &&
                   (int)TRACE_CLOSED_LAST_TIME == (int)TRACE_OPEN_LAST_TIME &&
                   (int)TRACE_CLOSED_BUCKET == (int)TRACE_BUCKETS_BUCKET &&
                   (int)TRACE_CLOSED_LAST_TIME == (int)TRACE_BUCKETS_LAST_TIME,
               "the statements of buckets have the same columns");

static int count_answers(const struct db_ask *asks, int n)
{
    int count = 0;

    for (int i = 0; i < n; i++) {
        count += db_count(asks[i].rows);
    }
    return count;
}

/* Appends those of the series that begin in [from_us, to_us), of hours that were asked for. */
static void add_open(struct trace *trace, const struct trace_open *open,
                     const struct trace_filter *filter)
{
    for (int row = 0; open->rows && row < db_count(open->rows); row++) {
        int64_t at_us = db_time(open->rows, row, TRACE_OPEN_BUCKET);
        if (db_int(open->rows, row, TRACE_OPEN_SERIES_ID) == filter->series_id &&
            at_us >= filter->from_us && at_us < filter->to_us) {
            trace->points[trace->n++] = read_bucket(open->rows, row);
        }
    }
}

/* Asks for the buckets: `asks` has two places, how many. What `open` tells is not asked for. */
static int ask_buckets(struct db_tx *tx, const struct closed *closed, const struct trace_open *open,
                       const struct stretch *whole, enum sample_bucket bucket, struct db_ask *asks)
{
    if (bucket == SAMPLE_15M || bucket == SAMPLE_1H) {
        int64_t width_us = bucket == SAMPLE_1H ? US_PER_HOUR : US_PER_HOUR / 4;
        int n = ask_closed(tx, closed, whole, width_us, asks);
        return open ? n : n + ask_open(tx, closed, whole, width_us, asks + n);
    }
    ask_part(&asks[0], db_op(tx), &q_trace_buckets, whole);
    return 1;
}

enum err trace_buckets(struct db_tx *tx, const struct closed *closed,
                       const struct trace_open *hours, const struct trace_filter *filter,
                       enum sample_bucket bucket, struct trace *out)
{
    const struct trace_open *open = bucket == SAMPLE_1H ? hours : NULL;
    const struct stretch whole = {
        sample_bucket_name(bucket), &filter->series_id, 1, filter->from_us, filter->to_us,
    };
    struct db_ask asks[2];
    int n = ask_buckets(tx, closed, open, &whole, bucket, asks);
    enum err err = db_ask_all(tx, asks, n);

    if (err == OK) {
        int n_open = open && open->rows ? db_count(open->rows) : 0;
        err = make_room(db_op(tx), count_answers(asks, n) + n_open, out);
    }
    if (err != OK || out->points == NULL) {
        return err;
    }
    out->n = 0;
    for (int i = 0; i < n; i++) {
        for (int row = 0; row < db_count(asks[i].rows); row++) {
            out->points[out->n++] = read_bucket(asks[i].rows, row);
        }
    }
    if (open) {
        add_open(out, open, filter);
    }
    add_rises(out);
    return OK;
}

/* ---- sparks ---- */

static int compare_sparks(const void *a, const void *b)
{
    const struct spark_point *left = a, *right = b;

    if (left->series_id != right->series_id) {
        return left->series_id < right->series_id ? -1 : 1;
    }
    return (left->hour_us > right->hour_us) - (left->hour_us < right->hour_us);
}

enum err trace_sparks(struct db_tx *tx, const struct closed *closed,
                      const struct spark_filter *filter, struct sparks *out,
                      struct trace_open *open)
{
    const struct stretch whole = {
        "1h", filter->series_ids, filter->n, filter->from_us, filter->to_us,
    };
    struct stretch rest = whole;
    struct op *op = db_op(tx);
    struct db_ask asks[2];
    if (open) { /* all of it, for whoever reads on */
        rest.from_us = CLOCK_MIN_US;
        rest.to_us = CLOCK_MAX_US;
    }
    int n_closed = ask_closed(tx, closed, &whole, US_PER_HOUR, asks);
    int n_asks = n_closed + ask_open(tx, closed, &rest, US_PER_HOUR, asks + n_closed);
    enum err err = db_ask_all(tx, asks, n_asks);
    if (err != OK) {
        return err;
    }
    if (open) {
        open->rows = n_asks > n_closed ? asks[n_closed].rows : NULL;
    }
    *out = (struct sparks){ .n = count_answers(asks, n_asks) };
    out->points = arena_array(op->arena, (size_t)out->n, sizeof *out->points);
    if (out->points == NULL) {
        return out->n > 0 ? fail_memory(op) : OK;
    }
    struct spark_point *point = out->points;
    for (int i = 0; i < n_asks; i++) {
        for (int row = 0; row < db_count(asks[i].rows); row++) {
            struct trace_point hour = read_bucket(asks[i].rows, row);
            *point++ = (struct spark_point){
                .series_id = db_int(asks[i].rows, row, TRACE_CLOSED_SERIES_ID),
                .hour_us = hour.time_us,
                .sum = hour.sum,
                .mean = hour.sum / (double)hour.count,
                .last = hour.last,
            };
        }
    }
    qsort(out->points, (size_t)out->n, sizeof *out->points, compare_sparks);
    return OK;
}
