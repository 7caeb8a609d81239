/* Reads buckets across devices through the listing functions. Called by GET /v1/rollups. */
#include "domain/rollup.h"

#include "base/clock.h"
#include "db/db.h"
#include "domain/zone.h"
#include "gen/queries.h"

enum err rollup_choose_zone(struct db_tx *tx, struct rollup_filter *filter)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;
    bool is_whole = true;

    if (filter->bucket != SAMPLE_1H || filter->zone_name != NULL) {
        return OK;
    }
    db_args_init(&args, op->arena);
    db_arg_str(&args, filter->device);
    db_arg_str(&args, filter->site);
    enum err err = db_run(tx, &q_rollup_zone, &args, &rows);
    if (err != OK || db_count(rows) == 0) {
        return err;
    }
    const char *name = db_text(rows, 0, ROLLUP_ZONE_TIMEZONE);
    err = zone_has_whole_hours(tx, name, &is_whole);
    if (err == OK && !is_whole) {
        filter->zone_name = name;
    }
    return err;
}

static void add_filter(struct db_args *args, const struct rollup_filter *filter)
{
    db_arg_text(args, sample_bucket_name(filter->bucket));
    db_arg_str(args, filter->device);
    db_arg_str(args, filter->metric);
    db_arg_str(args, filter->site);
    db_arg_time(args, filter->from_us);
    /* a clock may be ahead by a day at most: nobody counts out the years after it */
    int64_t end_us = clock_now_us() + 2 * US_PER_DAY;
    db_arg_time(args, filter->to_us < end_us ? filter->to_us : end_us);
    if (filter->is_after) {
        db_arg_time(args, filter->after_us);
        db_arg_int(args, filter->after_series);
    } else {
        db_arg_null(args);
        db_arg_null(args);
    }
    db_arg_int(args, filter->limit);
    if (filter->zone_name != NULL) {
        db_arg_text(args, filter->zone_name);
    }
}

/* Both queries have the same columns; the constants of one serve both. */
static struct rollup read_rollup(const struct db_rows *rows, int row)
{
    return (struct rollup){
        .device = db_text(rows, row, ROLLUP_LIST_DEVICE),
        .unit = db_text(rows, row, ROLLUP_LIST_UNIT),
        .bucket = {
            .time_us = db_time(rows, row, ROLLUP_LIST_TIME),
            .series_id = db_int(rows, row, ROLLUP_LIST_SERIES_ID),
            .metric = db_text(rows, row, ROLLUP_LIST_METRIC),
            .labels = db_text(rows, row, ROLLUP_LIST_LABELS),
            .count = db_int64(rows, row, ROLLUP_LIST_COUNT),
            .min = db_double(rows, row, ROLLUP_LIST_MIN),
            .max = db_double(rows, row, ROLLUP_LIST_MAX),
            .avg = db_double(rows, row, ROLLUP_LIST_AVG),
            .sum = db_double(rows, row, ROLLUP_LIST_SUM),
            .first = db_double(rows, row, ROLLUP_LIST_FIRST),
            .last = db_double(rows, row, ROLLUP_LIST_LAST),
        },
    };
}

enum err rollup_list(struct db_tx *tx, const struct rollup_filter *filter, struct rollup_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    add_filter(&args, filter);
    enum err err =
        db_run(tx, filter->zone_name ? &q_rollup_list_zoned : &q_rollup_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rollup *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = read_rollup(rows, i);
    }
    *out = (struct rollup_list){ .items = items, .n = n };
    return OK;
}
