/* GET /v1/rollups: buckets of samples across devices. */
#include "domain/rollup.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/list_stream.h"
#include "web/old_buckets.h"

static const char *const rollup_columns[] = {
    "time", "device", "metric", "count", "min", "max", "avg", "sum", "first", "last", "unit",
    "labels",
};
#define N_ROLLUP_COLUMNS ((int)(sizeof rollup_columns / sizeof *rollup_columns))

#define STREAM_ROWS 4000

static void write_rollup(struct list_writer *list, const struct rollup *rollup)
{
    list_item(list);
    list_time(list, rollup->bucket.time_us);
    list_text(list, rollup->device);
    list_text(list, rollup->bucket.metric);
    buckets_write(list, &rollup->bucket);
    list_text(list, rollup->unit);
    list_labels(list, rollup->bucket.labels);
    list_end_item(list);
}

/* A request for rollups. */
struct query {
    struct rollup_filter filter;
    struct old_buckets old;
};

static enum err write_page(struct list_writer *list, void *state, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct web *web = list->web;
    struct query *query = state;
    struct rollup_filter filter = query->filter;
    struct rollup_list stored;
    struct bucket_page page;
    enum err err = OK;

    filter.limit = limit + 1;
    filter.is_after = after != NULL;
    if (after != NULL) {
        filter.after_us = after->time_us;
        err = buckets_position(web, after, &filter.after_series);
    }
    if (err == OK) {
        err = rollup_list(web->tx, &filter, &stored);
        if (err == ERR_INVALID && filter.zone_name != NULL) {
            err = buckets_bad_zone(web);
        }
    }
    if (err == OK) {
        filter.limit = limit;
        err = old_buckets_page(web, &query->old, &filter, &stored, &page);
    }
    if (err != OK) {
        return err;
    }
    *is_more = page.is_more;
    for (int i = 0; i < page.n; i++) {
        write_rollup(list, &page.items[i]);
    }
    return page.n > 0 || page.is_more ? buckets_end(web, page.end_us, page.end_series, last) : OK;
}

static enum err read_filter(struct web *web, struct rollup_filter *filter)
{
    *filter = (struct rollup_filter){
        .device = web_query_text(web, "device"),
        .site = web_query_text(web, "site"),
        .metric = web_query_text(web, "metric"),
    };
    enum err err = buckets_query(web, SAMPLE_1H, &filter->bucket);
    if (err == OK) {
        err = buckets_query_zone(web, &filter->zone_name);
    }
    if (err == OK) {
        const struct buckets_place place = { filter->site, filter->device, filter->zone_name };
        err = buckets_query_span(web, &place, &filter->from_us, &filter->to_us);
    }
    return err == OK ? rollup_choose_zone(web->tx, filter) : err;
}

enum err api_rollups_list(struct web *web)
{
    struct query *query = arena_alloc(web->op->arena, sizeof *query);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);
    if (query == NULL || source == NULL) {
        return fail_memory(web->op);
    }
    query->old.arena = web->op->arena;
    *source = (struct list_source){ rollup_columns, N_ROLLUP_COLUMNS, CURSOR_ACROSS, STREAM_ROWS,
                                    query, write_page, &buckets_schema, "rollups.parquet" };
    enum err err = read_filter(web, &query->filter);
    return err == OK ? list_answer(web, source) : err;
}
