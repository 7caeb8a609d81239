/* GET /v1/rollups: buckets of samples across devices. */
#include "domain/rollup.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/list_stream.h"

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

static enum err write_page(struct list_writer *list, void *query, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct web *web = list->web;
    struct rollup_filter filter = *(struct rollup_filter *)query;
    struct rollup_list rollups;
    enum err err = OK;

    filter.limit = limit + 1;
    filter.is_after = after != NULL;
    if (after != NULL) {
        filter.after_us = after->time_us;
        err = buckets_position(web, after, &filter.after_series);
    }
    if (err == OK) {
        err = rollup_list(web->tx, &filter, &rollups);
        if (err == ERR_INVALID && filter.zone_name != NULL) {
            err = buckets_bad_zone(web);
        }
    }
    if (err != OK) {
        return err;
    }
    *is_more = rollups.n > limit;
    int n = *is_more ? limit : rollups.n;
    for (int i = 0; i < n; i++) {
        write_rollup(list, &rollups.items[i]);
    }
    const struct sample_rollup *end = n > 0 ? &rollups.items[n - 1].bucket : NULL;
    return end ? buckets_end(web, end->time_us, end->series_id, last) : OK;
}

static enum err read_filter(struct web *web, struct rollup_filter *filter)
{
    *filter = (struct rollup_filter){
        .device = web_query_text(web, "device"),
        .site = web_query_text(web, "site"),
        .metric = web_query_text(web, "metric"),
    };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);
    if (err == OK) {
        err = buckets_query(web, SAMPLE_1H, &filter->bucket);
    }
    if (err == OK) {
        err = buckets_query_zone(web, &filter->zone_name);
    }
    return err == OK ? rollup_choose_zone(web->tx, filter) : err;
}

enum err api_rollups_list(struct web *web)
{
    struct rollup_filter *filter = arena_alloc(web->op->arena, sizeof *filter);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);
    if (filter == NULL || source == NULL) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){ rollup_columns, N_ROLLUP_COLUMNS, CURSOR_ACROSS, STREAM_ROWS,
                                    filter, write_page, &buckets_schema, "rollups.parquet" };
    enum err err = read_filter(web, filter);
    return err == OK ? list_answer(web, source) : err;
}
