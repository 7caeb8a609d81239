/* GET /v1/energy: what a tenant, a site or a device used, in local buckets. */
#include "domain/energy_list.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/list_stream.h"

static const char *const COLUMNS[] = {
    "time", "energy_kwh", "consumption_kwh", "generation_kwh", "grid_import_kwh",
    "grid_export_kwh",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

#define STREAM_ROWS 1000

static void write_bucket(struct list_writer *list, const struct energy_bucket *bucket)
{
    list_item(list);
    list_time(list, bucket->time_us);
    list_json(list, bucket->used_kwh); /* decimals are numbers of JSON, digit by digit */
    list_json(list, bucket->consumption_kwh);
    list_json(list, bucket->generation_kwh);
    list_json(list, bucket->grid_import_kwh);
    list_json(list, bucket->grid_export_kwh);
    list_end_item(list);
}

static enum err write_page(struct list_writer *list, void *query, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct web *web = list->web;
    struct energy_filter filter = *(struct energy_filter *)query;
    struct energy_bucket_list buckets;

    filter.limit = limit + 1;
    if (after) {
        filter.from_us = after->time_us + 1;
    }
    enum err err = energy_bucket_list(web->tx, &filter, &buckets);
    if (err == ERR_INVALID && filter.zone_name) {
        err = buckets_bad_zone(web);
    }
    if (err != OK) {
        return err;
    }
    *is_more = buckets.n > limit;
    int n = *is_more ? limit : buckets.n;
    for (int i = 0; i < n; i++) {
        write_bucket(list, &buckets.items[i]);
    }
    if (n > 0) {
        *last = (struct cursor){ .time_us = buckets.items[n - 1].time_us, .key = STR("") };
    }
    return OK;
}

enum err api_energy_list(struct web *web)
{
    struct energy_filter *filter = arena_alloc(web->op->arena, sizeof *filter);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);

    if (!filter || !source) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){ COLUMNS, N_COLUMNS, CURSOR_ENERGY, STREAM_ROWS, filter,
                                    write_page };
    *filter = (struct energy_filter){ .device = web_query_text(web, "device"),
                                      .site = web_query_text(web, "site") };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);
    if (err == OK) {
        err = buckets_query(web, SAMPLE_1H, &filter->bucket);
    }
    if (err == OK) {
        err = buckets_query_zone(web, &filter->zone_name);
    }
    return err == OK ? list_answer(web, source) : err;
}
