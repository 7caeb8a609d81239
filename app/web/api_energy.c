/* GET /v1/energy: what a tenant, a site or a device used, and what it costs, in local buckets. */
#include "domain/cost_list.h"
#include "domain/energy_list.h"
#include "web/api.h"
#include "web/buckets.h"
#include "web/cost_input.h"
#include "web/cost_write.h"
#include "web/list_stream.h"

static const char *const COLUMNS[] = {
    "time", "energy_kwh", "consumption_kwh", "generation_kwh", "grid_import_kwh",
    "grid_export_kwh", "cost", "currency", "by_period",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

#define STREAM_ROWS 1000
#define COST_BUCKETS 4000 /* rated at once */
#define COST_LOADS 4      /* of one page: four years */
#define COST_BYTES (REQUEST_ARENA_BYTES / 4) /* that a page's costs may take before it ends */

struct list_query {
    struct energy_filter filter;
    struct cost_query costs; /* the same place */
};

/* Buckets of a page and what they cost, both ascending. */
struct page {
    struct web *web;
    const struct list_query *query;
    const struct energy_bucket *items;
    int n;
    struct cost_list costs; /* of the buckets from_us on, up to where it ends */
    int at;                 /* the next of its buckets */
    int n_loads;            /* of costs */
};

/* ---- costs ---- */

/* Rates from a bucket of the page on, as far as is done at once. Where what is in force in a bucket
 * cannot be added up (schedules of different zones or currencies) there is energy without costs. */
static enum err load_costs(struct page *page, int first)
{
    const struct energy_filter *filter = &page->query->filter;
    const struct cost_list_query query = {
        .costs = page->query->costs,
        .bucket = filter->bucket,
        .zone_name = filter->zone_name,
        .from_us = page->items[first].time_us,
        .to_us = page->items[page->n - 1].time_us + 1,
        .limit = COST_BUCKETS,
    };
    enum err err = cost_list_load(page->web->tx, &query, &page->costs);

    page->at = 0;
    page->n_loads++;
    if (err == ERR_INVALID) {
        op_clear_fault(page->web->op);
        page->costs = (struct cost_list){ .next_us = page->costs.next_us };
        return OK;
    }
    return err;
}

/* What a bucket of the page costs; NULL: there is no schedule. */
static enum err find_cost(struct page *page, int index, const struct cost_bucket **out)
{
    int64_t time_us = page->items[index].time_us;
    enum err err = OK;

    *out = NULL;
    if (time_us >= page->costs.next_us) {
        err = load_costs(page, index);
    }
    const struct cost_buckets *buckets = &page->costs.buckets;
    while (err == OK && page->at < buckets->n && buckets->items[page->at].from_us < time_us) {
        page->at++;
    }
    if (err == OK && page->at < buckets->n && buckets->items[page->at].from_us == time_us &&
        buckets->items[page->at].is_priced) {
        *out = &buckets->items[page->at];
    }
    return err;
}

/* ---- items ---- */

static void write_cost(struct list_writer *list, const struct page *page,
                       const struct cost_bucket *cost)
{
    if (!cost) {
        list_null(list);
        list_null(list);
        list_json(list, "{}");
        return;
    }
    cost_write_amount(list, cost, page->costs.decimals);
    list_text(list, page->costs.currency);
    cost_write_periods(list, cost, page->costs.decimals);
}

static enum err write_bucket(struct list_writer *list, struct page *page, int index)
{
    const struct energy_bucket *bucket = &page->items[index];
    const struct cost_bucket *cost;
    enum err err = find_cost(page, index, &cost);

    if (err != OK) {
        return err;
    }
    list_item(list);
    list_time(list, bucket->time_us);
    list_json(list, bucket->used_kwh); /* decimals are numbers of JSON, digit by digit */
    list_json(list, bucket->consumption_kwh);
    list_json(list, bucket->generation_kwh);
    list_json(list, bucket->grid_import_kwh);
    list_json(list, bucket->grid_export_kwh);
    write_cost(list, page, cost);
    list_end_item(list);
    return OK;
}

/* Whether the page ends before the bucket: what was rated for it is in memory to its end. */
static bool is_rated_out(const struct page *page, int index)
{
    bool is_much = page->n_loads == COST_LOADS ||
                   (page->n_loads > 0 && arena_used(page->web->op->arena) > COST_BYTES);

    return is_much && page->items[index].time_us >= page->costs.next_us;
}

static enum err write_page(struct list_writer *list, void *state, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct web *web = list->web;
    const struct list_query *query = state;
    struct energy_filter filter = query->filter;
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
    struct page page = { .web = web,
                         .query = query,
                         .items = buckets.items,
                         .n = *is_more ? limit : buckets.n,
                         .costs = { .next_us = INT64_MIN } };
    int n = 0;
    while (err == OK && n < page.n && !is_rated_out(&page, n)) {
        err = write_bucket(list, &page, n++);
    }
    *is_more = *is_more || n < page.n;
    if (n > 0) {
        *last = (struct cursor){ .time_us = buckets.items[n - 1].time_us, .key = STR("") };
    }
    return err;
}

enum err api_energy_list(struct web *web)
{
    struct list_query *query = arena_alloc(web->op->arena, sizeof *query);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);

    if (!query || !source) {
        return fail_memory(web->op);
    }
    struct energy_filter *filter = &query->filter;
    *source = (struct list_source){
        .columns = COLUMNS, .n_columns = N_COLUMNS, .kind = CURSOR_ENERGY, .page_rows = STREAM_ROWS,
        .query = query, .write_page = write_page,
    };
    *filter = (struct energy_filter){ .device = web_query_text(web, "device"),
                                      .site = web_query_text(web, "site") };
    enum err err = cost_input_place(web, &query->costs);
    if (err == OK) {
        err = buckets_query(web, SAMPLE_1H, &filter->bucket);
    }
    if (err == OK) {
        err = buckets_query_zone(web, &filter->zone_name);
    }
    if (err == OK) {
        const struct buckets_place place = { filter->site, filter->device, filter->zone_name };
        err = buckets_query_span(web, &place, &filter->from_us, &filter->to_us);
    }
    return err == OK ? list_answer(web, source) : err;
}
