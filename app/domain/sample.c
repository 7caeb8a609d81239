/* Reads samples through the tenant's listing functions: raw ones, kept rollups in the
 * site's zone, and rollups in another zone made from raw ones. Called by the samples
 * handler of the API. */
#include "domain/sample.h"

#include "base/clock.h"
#include "db/db.h"
#include "domain/zone.h"
#include "gen/queries.h"

static const char *const bucket_names[] = {
    [SAMPLE_RAW] = "raw", [SAMPLE_15M] = "15m", [SAMPLE_1H] = "1h",
    [SAMPLE_1D] = "1d",   [SAMPLE_1W] = "1w",   [SAMPLE_1MO] = "1mo",
};

bool sample_bucket_parse(struct str text, enum sample_bucket *out)
{
    for (size_t i = 0; i < sizeof bucket_names / sizeof *bucket_names; i++) {
        if (str_equal(text, str_of(bucket_names[i]))) {
            *out = (enum sample_bucket)i;
            return true;
        }
    }
    return false;
}

const char *sample_bucket_name(enum sample_bucket bucket)
{
    return bucket_names[bucket];
}

/* The parameters that all listings share, in their order. */
static void add_filter(struct db_args *args, const struct sample_filter *filter)
{
    db_arg_text(args, filter->device);
    db_arg_str(args, filter->metric);
    db_arg_time(args, filter->from_us);
    db_arg_time(args, filter->to_us);
    if (filter->is_after) {
        db_arg_time(args, filter->after_us);
        db_arg_int(args, filter->after_series);
    } else {
        db_arg_null(args);
        db_arg_null(args);
    }
    db_arg_int(args, filter->limit);
}

/* Both queries begin with the same columns; the constants of one serve both. */
enum err sample_list(struct db_tx *tx, const struct sample_filter *filter, struct sample_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    add_filter(&args, filter);
    struct db_rows *rows;
    enum err err =
        db_run(tx, filter->has_units ? &q_sample_list_units : &q_sample_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct sample *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct sample){
            .time_us = db_time(rows, i, SAMPLE_LIST_TIME),
            .series_id = db_int(rows, i, SAMPLE_LIST_SERIES_ID),
            .metric = db_text(rows, i, SAMPLE_LIST_METRIC),
            .labels = db_text(rows, i, SAMPLE_LIST_LABELS),
            .unit = filter->has_units ? db_text(rows, i, SAMPLE_LIST_UNITS_UNIT) : NULL,
            .value = db_double(rows, i, SAMPLE_LIST_VALUE),
        };
    }
    *out = (struct sample_list){ .items = items, .n = n };
    return OK;
}

/* Cuts an open span down to where the device has samples, so that nobody counts out the
 * quarter hours of a thousand years. `is_empty` when nothing is left. */
static enum err clamp_span(struct db_tx *tx, struct sample_filter *filter, bool *is_empty)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, filter->device);
    db_arg_str(&args, filter->metric);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_sample_span, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_empty = db_count(rows) == 0 || db_is_null(rows, 0, SAMPLE_SPAN_FIRST_TIME);
    if (*is_empty) {
        return OK;
    }
    /* The first sample's bucket may start up to a month before it. */
    int64_t first_us = db_time(rows, 0, SAMPLE_SPAN_FIRST_TIME) - 32 * US_PER_DAY;
    /* series_last may lag behind by seconds; a clock may be ahead by a day at most. */
    int64_t last_us = clock_now_us() + 2 * US_PER_DAY;
    if (filter->from_us < first_us) {
        filter->from_us = first_us;
    }
    if (filter->to_us > last_us) {
        filter->to_us = last_us;
    }
    *is_empty = filter->from_us >= filter->to_us;
    return OK;
}

enum err sample_choose_zone(struct db_tx *tx, const struct sample_filter *filter,
                            enum sample_bucket bucket, const char **zone_name)
{
    bool is_whole = true;
    if (*zone_name != NULL || bucket != SAMPLE_1H) {
        return OK;
    }
    enum err err = zone_has_whole_hours(tx, filter->site_zone, &is_whole);
    if (err == OK && !is_whole) {
        *zone_name = filter->site_zone;
    }
    return err;
}

/* Both bucket queries have the same columns; the constants of one serve both. */
static enum err read_rollups(struct op *op, const struct db_rows *rows,
                             struct sample_rollup_list *out)
{
    int n = db_count(rows);
    struct sample_rollup *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct sample_rollup){
            .time_us = db_time(rows, i, SAMPLE_BUCKET_LIST_TIME),
            .series_id = db_int(rows, i, SAMPLE_BUCKET_LIST_SERIES_ID),
            .metric = db_text(rows, i, SAMPLE_BUCKET_LIST_METRIC),
            .labels = db_text(rows, i, SAMPLE_BUCKET_LIST_LABELS),
            .unit = db_text(rows, i, SAMPLE_BUCKET_LIST_UNIT),
            .count = db_int64(rows, i, SAMPLE_BUCKET_LIST_COUNT),
            .min = db_double(rows, i, SAMPLE_BUCKET_LIST_MIN),
            .max = db_double(rows, i, SAMPLE_BUCKET_LIST_MAX),
            .avg = db_double(rows, i, SAMPLE_BUCKET_LIST_AVG),
            .sum = db_double(rows, i, SAMPLE_BUCKET_LIST_SUM),
            .first = db_double(rows, i, SAMPLE_BUCKET_LIST_FIRST),
            .last = db_double(rows, i, SAMPLE_BUCKET_LIST_LAST),
        };
    }
    *out = (struct sample_rollup_list){ .items = items, .n = n };
    return OK;
}

enum err sample_rollup_list(struct db_tx *tx, const struct sample_filter *filter,
                            enum sample_bucket bucket, const char *zone_name,
                            struct sample_rollup_list *out)
{
    struct op *op = db_op(tx);
    struct sample_filter clamped = *filter;
    bool is_empty = false;
    enum err err = clamp_span(tx, &clamped, &is_empty);
    if (err != OK || is_empty) {
        *out = (struct sample_rollup_list){ .n = 0 };
        return err;
    }
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, bucket_names[bucket]);
    add_filter(&args, &clamped);
    if (zone_name != NULL) {
        db_arg_text(&args, zone_name);
    }
    struct db_rows *rows;
    err = db_run(tx, zone_name ? &q_sample_bucket_list_zoned : &q_sample_bucket_list, &args, &rows);
    return err == OK ? read_rollups(op, rows, out) : err;
}

enum err sample_has_labels(struct db_tx *tx, const struct sample_filter *filter, bool *out)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, filter->device);
    db_arg_str(&args, filter->metric);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_sample_has_labels, &args, &rows);
    if (err == OK) {
        *out = db_bool(rows, 0, SAMPLE_HAS_LABELS_HAS_LABELS);
    }
    return err;
}
