/* GET /v1/devices/{key}/samples: what a device measured, as it came or in buckets. */
#include "domain/device.h"
#include "domain/sample.h"
#include "domain/zone.h"
#include "web/api.h"
#include "web/list.h"

/* With labels last: they are a column only where a series has some. */
static const char *const raw_columns[] = { "time", "metric", "value", "labels" };
static const char *const rollup_columns[] = {
    "time", "metric", "count", "min", "max", "avg", "sum", "first", "last", "labels",
};

/* A request for samples, read and checked. */
struct query {
    struct sample_filter filter;
    enum sample_bucket bucket;
    const char *zone_name; /* NULL: the site's */
};

static enum err bad_zone(struct web *web)
{
    return fail(web->op, ERR_INVALID, "tz: is not the name of a time zone (IANA, as Europe/Paris)");
}

static enum err read_bucket(struct web *web, struct query *query)
{
    struct str bucket = web_query_text(web, "bucket");
    query->bucket = SAMPLE_RAW;
    if (bucket.ptr != NULL && !sample_bucket_parse(bucket, &query->bucket)) {
        return fail(web->op, ERR_INVALID, "bucket: must be raw, 15m, 1h, 1d, 1w or 1mo");
    }
    struct str zone = web_query_text(web, "tz");
    if (zone.ptr == NULL) {
        return OK;
    }
    if (!zone_is_name(zone)) {
        return bad_zone(web);
    }
    query->zone_name = arena_copy(web->op->arena, zone);
    return query->zone_name ? OK : fail_memory(web->op);
}

static enum err read_position(struct web *web, struct query *query)
{
    struct sample_filter *filter = &query->filter;
    struct cursor cursor;
    int kind = query->bucket == SAMPLE_RAW ? CURSOR_SAMPLES : CURSOR_ROLLUPS;
    enum err err = web_query_cursor(web, kind, &filter->is_after, &cursor);
    if (err != OK || !filter->is_after) {
        return err;
    }
    long long series = 0;
    if (!str_to_int64(cursor.key, &series) || series < 0 || series > INT32_MAX) {
        return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    filter->after_us = cursor.time_us;
    filter->after_series = (int32_t)series;
    return OK;
}

static enum err read_query(struct web *web, struct query *query)
{
    struct sample_filter *filter = &query->filter;
    *query = (struct query){ .filter.metric = web_query_text(web, "metric") };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);
    if (err == OK) {
        err = web_query_limit(web, &filter->limit);
    }
    if (err == OK) {
        err = read_bucket(web, query);
    }
    if (err == OK) {
        err = read_position(web, query);
    }
    return err;
}

/* Where a page ended, or NULL when all was listed. `cursor` is the caller's storage. */
static const struct cursor *end_position(struct web *web, bool is_more, int64_t time_us,
                                         int32_t series_id, struct cursor *cursor)
{
    if (!is_more) {
        return NULL;
    }
    char *key = arena_printf(web->op->arena, "%d", (int)series_id);
    *cursor = (struct cursor){ .time_us = time_us, .key = str_of(key) };
    return cursor;
}

static enum err begin_list(struct web *web, const struct query *query, struct list_writer *list)
{
    bool has_labels = false;
    enum err err = sample_has_labels(web->tx, &query->filter, &has_labels);
    if (err != OK) {
        return err;
    }
    if (query->bucket == SAMPLE_RAW) {
        return list_begin(list, web, raw_columns, has_labels ? 4 : 3);
    }
    return list_begin(list, web, rollup_columns, has_labels ? 10 : 9);
}

static enum err answer_raw(struct web *web, struct query *query, struct list_writer *list)
{
    int limit = query->filter.limit++;
    struct sample_list samples;
    enum err err = sample_list(web->tx, &query->filter, &samples);
    if (err != OK) {
        return err;
    }
    int n = samples.n > limit ? limit : samples.n;
    for (int i = 0; i < n; i++) {
        const struct sample *sample = &samples.items[i];
        list_item(list);
        list_time(list, sample->time_us);
        list_text(list, sample->metric);
        list_double(list, sample->value);
        if (list->n_columns == 4) {
            list_labels(list, sample->labels);
        }
        list_end_item(list);
    }
    struct cursor cursor;
    const struct sample *last = n > 0 ? &samples.items[n - 1] : NULL;
    return list_end(list, CURSOR_SAMPLES,
                    last == NULL ? NULL : end_position(web, samples.n > limit, last->time_us,
                                                       last->series_id, &cursor));
}

static void write_rollup(struct list_writer *list, const struct sample_rollup *rollup)
{
    list_item(list);
    list_time(list, rollup->time_us);
    list_text(list, rollup->metric);
    list_int(list, rollup->count);
    list_double(list, rollup->min);
    list_double(list, rollup->max);
    list_double(list, rollup->avg);
    list_double(list, rollup->sum);
    list_double(list, rollup->first);
    list_double(list, rollup->last);
    if (list->n_columns == 10) {
        list_labels(list, rollup->labels);
    }
    list_end_item(list);
}

static enum err answer_buckets(struct web *web, struct query *query, struct list_writer *list)
{
    int limit = query->filter.limit++;
    struct sample_rollup_list rollups;
    enum err err = sample_rollup_list(web->tx, &query->filter, query->bucket, query->zone_name,
                                      &rollups);
    if (err == ERR_INVALID && query->zone_name != NULL) {
        /* The database knows the zones; what else it was given was checked here. */
        op_clear_fault(web->op);
        return bad_zone(web);
    }
    if (err != OK) {
        return err;
    }
    int n = rollups.n > limit ? limit : rollups.n;
    for (int i = 0; i < n; i++) {
        write_rollup(list, &rollups.items[i]);
    }
    struct cursor cursor;
    const struct sample_rollup *last = n > 0 ? &rollups.items[n - 1] : NULL;
    return list_end(list, CURSOR_ROLLUPS,
                    last == NULL ? NULL : end_position(web, rollups.n > limit, last->time_us,
                                                       last->series_id, &cursor));
}

enum err api_samples_list(struct web *web)
{
    struct query query;
    enum err err = read_query(web, &query);
    if (err != OK) {
        return err;
    }
    struct device device;
    err = device_find(web->tx, http_capture(web->request, "key"), &device);
    if (err != OK) {
        return err;
    }
    query.filter.device = device.key;
    query.filter.site_zone = device.timezone;
    struct list_writer list;
    err = begin_list(web, &query, &list);
    if (err != OK) {
        return err;
    }
    return query.bucket == SAMPLE_RAW ? answer_raw(web, &query, &list)
                                      : answer_buckets(web, &query, &list);
}
