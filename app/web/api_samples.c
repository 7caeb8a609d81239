/* GET /v1/devices/{key}/samples: what a device measured, as it came or in buckets. */
#include "base/limits.h"
#include "domain/device.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/list_stream.h"
#include "web/old_buckets.h"
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
    struct old_buckets old;
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

/* What the database has of a page, as rollups across devices have it. */
static enum err read_stored(struct web *web, const struct query *query, struct rollup_list *out)
{
    struct sample_rollup_list rollups;
    enum err err = sample_rollup_list(web->tx, &query->filter, query->bucket, query->zone_name,
                                      &rollups);

    if (err == ERR_INVALID && query->zone_name != NULL) {
        /* The database knows the zones; what else it was given was checked here. */
        err = buckets_bad_zone(web);
    }
    if (err != OK) {
        return err;
    }
    out->n = rollups.n;
    out->items = arena_array(web->op->arena, (size_t)rollups.n, sizeof *out->items);
    for (int i = 0; i < rollups.n && out->items != NULL; i++) {
        out->items[i].device = query->filter.device;
        out->items[i].unit = rollups.items[i].unit;
        out->items[i].bucket = rollups.items[i];
    }
    return out->items != NULL || rollups.n == 0 ? OK : fail_memory(web->op);
}

static struct rollup_filter filter_of(const struct query *query)
{
    const struct sample_filter *filter = &query->filter;

    return (struct rollup_filter){
        .bucket = query->bucket,       .device = str_of(filter->device),
        .metric = filter->metric,      .zone_name = query->zone_name,
        .from_us = filter->from_us,    .to_us = filter->to_us,
        .is_after = filter->is_after,  .after_us = filter->after_us,
        .after_series = filter->after_series,
    };
}

static enum err write_bucket_page(struct list_writer *list, void *state, const struct cursor *after,
                                  int limit, struct cursor *last, bool *is_more)
{
    struct query *asked = state;
    struct query query = *asked;
    struct rollup_list stored;
    struct bucket_page page;
    enum err err = set_position(list->web, &query.filter, after, limit);

    if (err == OK) {
        err = read_stored(list->web, &query, &stored);
    }
    if (err == OK) {
        struct rollup_filter filter = filter_of(&query);
        filter.limit = limit;
        err = old_buckets_page(list->web, &asked->old, &filter, &stored, &page);
    }
    if (err != OK) {
        return err;
    }
    *is_more = page.is_more;
    for (int i = 0; i < page.n; i++) {
        const struct sample_rollup *rollup = &page.items[i].bucket;
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
    return page.n > 0 || page.is_more
               ? buckets_end(list->web, page.end_us, page.end_series, last)
               : OK;
}

static enum err read_query(struct web *web, struct query *query)
{
    *query = (struct query){ .filter.metric = web_query_text(web, "metric") };
    enum err err = buckets_query(web, SAMPLE_RAW, &query->bucket);
    if (err == OK) {
        err = buckets_query_zone(web, &query->zone_name);
    }
    if (err != OK || query->bucket == SAMPLE_RAW) {
        return err == OK ? web_query_span(web, &query->filter.from_us, &query->filter.to_us) : err;
    }
    const struct buckets_place place = {
        .device = http_capture(web->request, "key"), .zone_name = query->zone_name,
    };
    return buckets_query_span(web, &place, &query->filter.from_us, &query->filter.to_us);
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
    err = sample_choose_zone(web->tx, &query->filter, query->bucket, &query->zone_name);
    return err == OK ? sample_has_labels(web->tx, &query->filter, &query->has_labels) : err;
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
    query->old = (struct old_buckets){ .arena = web->op->arena };
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
