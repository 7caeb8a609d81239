/* GET /v1/devices/{key}/samples: what a device measured, as it came or in buckets. */
#include "base/limits.h"
#include "domain/device.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/list_stream.h"
#include "web/raw_samples.h"

/* With labels last: they are a column only where a series has some. */
static const char *const raw_columns[] = { "time", "metric", "value", "labels" };
static const char *const rollup_columns[] = {
    "time", "metric", "count", "min", "max", "avg", "sum", "first", "last", "labels",
};
#define N_RAW_COLUMNS 4
#define N_ROLLUP_COLUMNS 10

/* Of raw samples in Parquet: those of the archive's files (docs/archive.md). */
static const struct parquet_column typed_columns[] = {
    { "time", PARQUET_TIME, false },    { "device", PARQUET_STRING, false },
    { "metric", PARQUET_STRING, false }, { "value", PARQUET_DOUBLE, false },
    { "unit", PARQUET_STRING, false },  { "site", PARQUET_STRING, true },
    { "labels", PARQUET_STRING, false },
};
static const struct parquet_schema raw_schema = {
    typed_columns, sizeof typed_columns / sizeof *typed_columns
};

#define STREAM_ROWS 5000

/* A request for samples, read and checked. */
struct query {
    struct sample_filter filter;
    enum sample_bucket bucket;
    const char *zone_name; /* NULL: the site's */
    const char *site;      /* key, or NULL */
    bool has_labels;
    struct raw_samples raw;
};

static enum err set_position(struct web *web, struct sample_filter *filter,
                             const struct cursor *after, int limit)
{
    filter->limit = limit + 1;
    filter->is_after = after != NULL;
    if (after == NULL) {
        return OK;
    }
    filter->after_us = after->time_us;
    return buckets_position(web, after, &filter->after_series);
}

/* An item of a Parquet file. */
static void write_typed_sample(struct list_writer *list, const struct query *query,
                               const struct sample *sample)
{
    list_item(list);
    list_time(list, sample->time_us);
    list_text(list, query->filter.device);
    list_text(list, sample->metric);
    list_double(list, sample->value);
    list_text(list, sample->unit ? sample->unit : "");
    list_text(list, query->site);
    list_labels(list, sample->labels);
    list_end_item(list);
}

static void write_typed_bucket(struct list_writer *list, const struct query *query,
                               const struct sample_rollup *rollup)
{
    list_item(list);
    list_time(list, rollup->time_us);
    list_text(list, query->filter.device);
    list_text(list, rollup->metric);
    buckets_write(list, rollup);
    list_text(list, rollup->unit);
    list_labels(list, rollup->labels);
    list_end_item(list);
}

static void write_labels(struct list_writer *list, const struct query *query, const char *labels)
{
    if (query->has_labels) {
        list_labels(list, labels);
    }
    list_end_item(list);
}

static enum err write_raw_page(struct list_writer *list, void *state, const struct cursor *after,
                               int limit, struct cursor *last, bool *is_more)
{
    struct query *asked = state;
    struct query query = *asked;
    struct raw_page page;
    enum err err = set_position(list->web, &query.filter, after, limit);

    if (err == OK) {
        query.filter.has_units = list->parquet != NULL;
        query.filter.limit = limit;
        asked->raw.is_long = limit > LIST_LIMIT_MAX;
        err = raw_samples_read(list->web, &asked->raw, &query.filter, &page);
    }
    if (err != OK) {
        return err;
    }
    *is_more = page.is_more;
    for (int i = 0; i < page.n; i++) {
        const struct sample *sample = &page.items[i];
        if (list->parquet) {
            write_typed_sample(list, &query, sample);
            continue;
        }
        list_item(list);
        list_time(list, sample->time_us);
        list_text(list, sample->metric);
        list_double(list, sample->value);
        write_labels(list, &query, sample->labels);
    }
    return page.n > 0 || page.is_more
               ? buckets_end(list->web, page.end_us, page.end_series, last)
               : OK;
}

static enum err write_bucket_page(struct list_writer *list, void *state, const struct cursor *after,
                                  int limit, struct cursor *last, bool *is_more)
{
    struct query query = *(struct query *)state;
    struct sample_rollup_list rollups;
    enum err err = set_position(list->web, &query.filter, after, limit);

    if (err == OK) {
        err = sample_rollup_list(list->web->tx, &query.filter, query.bucket, query.zone_name,
                                 &rollups);
        if (err == ERR_INVALID && query.zone_name != NULL) {
            /* The database knows the zones; what else it was given was checked here. */
            err = buckets_bad_zone(list->web);
        }
    }
    if (err != OK) {
        return err;
    }
    *is_more = rollups.n > limit;
    int n = *is_more ? limit : rollups.n;
    for (int i = 0; i < n; i++) {
        const struct sample_rollup *rollup = &rollups.items[i];
        if (list->parquet) {
            write_typed_bucket(list, &query, rollup);
            continue;
        }
        list_item(list);
        list_time(list, rollup->time_us);
        list_text(list, rollup->metric);
        buckets_write(list, rollup);
        write_labels(list, &query, rollup->labels);
    }
    const struct sample_rollup *end = n > 0 ? &rollups.items[n - 1] : NULL;
    return end ? buckets_end(list->web, end->time_us, end->series_id, last) : OK;
}

static enum err read_query(struct web *web, struct query *query)
{
    *query = (struct query){ .filter.metric = web_query_text(web, "metric") };
    enum err err = web_query_span(web, &query->filter.from_us, &query->filter.to_us);
    if (err == OK) {
        err = buckets_query(web, SAMPLE_RAW, &query->bucket);
    }
    return err == OK ? buckets_query_zone(web, &query->zone_name) : err;
}

/* Whose samples they are, and whether labels tell some of them apart. */
static enum err find_device(struct web *web, struct query *query)
{
    struct device device;
    enum err err = device_find(web->tx, http_capture(web->request, "key"), &device);
    if (err != OK) {
        return err;
    }
    query->filter.device = device.key;
    query->filter.site_zone = device.timezone;
    query->site = device.site;
    return sample_has_labels(web->tx, &query->filter, &query->has_labels);
}

enum err api_samples_list(struct web *web)
{
    struct query *query = arena_alloc(web->op->arena, sizeof *query);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);
    if (query == NULL || source == NULL) {
        return fail_memory(web->op);
    }
    enum err err = read_query(web, query);
    if (err == OK) {
        err = find_device(web, query);
    }
    if (err != OK) {
        return err;
    }
    query->raw = (struct raw_samples){ .arena = web->op->arena };
    bool is_raw = query->bucket == SAMPLE_RAW;
    *source = (struct list_source){
        .columns = is_raw ? raw_columns : rollup_columns,
        .n_columns = (is_raw ? N_RAW_COLUMNS : N_ROLLUP_COLUMNS) - !query->has_labels,
        .kind = is_raw ? CURSOR_SAMPLES : CURSOR_ROLLUPS,
        .page_rows = STREAM_ROWS,
        .query = query,
        .write_page = is_raw ? write_raw_page : write_bucket_page,
        .schema = is_raw ? &raw_schema : &buckets_schema,
        .file_name = arena_printf(web->op->arena, "samples-%s.parquet", query->filter.device),
    };
    return source->file_name ? list_answer(web, source) : fail_memory(web->op);
}
