/* GET /v1/costs: energy and what it costs, in local buckets. */
#include "web/api_costs.h"

#include "domain/cost_list.h"
#include "domain/span.h"
#include "domain/zone.h"
#include "web/buckets.h"
#include "web/cost_input.h"
#include "web/cost_write.h"
#include "web/list_stream.h"

static const char *const COLUMNS[] = {
    "time", "energy_kwh", "export_kwh", "cost", "currency", "status", "by_period",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

#define PAGE_BUCKETS 4000
#define DEFAULT_DAYS 31
#define DEFAULT_LONG_DAYS 366

/* ---- items ---- */

static void write_bucket(struct list_writer *list, const struct cost_bucket *bucket,
                         const struct cost_list *costs)
{
    char text[MONEY_TEXT_SIZE];

    list_item(list);
    list_time(list, bucket->from_us);
    list_json(list, quantity_format(bucket->import, 0, text));
    list_json(list, quantity_format(bucket->export, 0, text));
    cost_write_amount(list, bucket, costs->decimals);
    list_text(list, costs->currency);
    list_text(list, bucket->is_final ? "final" : "provisional");
    cost_write_periods(list, bucket, costs->decimals);
    list_end_item(list);
}

static enum err write_page(struct list_writer *list, void *state, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct cost_list_query query = *(struct cost_list_query *)state;
    struct cost_list costs;

    query.from_us = after ? after->time_us + 1 : query.from_us;
    query.limit = limit;
    enum err err = cost_list_load(list->web->tx, &query, &costs);
    if (err != OK) {
        return err;
    }
    const struct cost_buckets *buckets = &costs.buckets;
    for (int i = 0; i < buckets->n; i++) {
        if (buckets->items[i].is_known) {
            write_bucket(list, &buckets->items[i], &costs);
        }
    }
    *is_more = costs.next_us != INT64_MAX;
    *last = (struct cursor){
        .time_us = buckets->n > 0 ? buckets->items[buckets->n - 1].from_us : query.from_us,
        .key = STR(""),
    };
    return OK;
}

/* ---- what was asked for ---- */

/* The start of a local day of the display zone. */
static enum err time_of(struct web *web, const char *zone_name, const struct cost_bound *bound,
                        int64_t fallback_us, int64_t *out)
{
    struct zone zone;

    *out = bound->kind == BOUND_TIME ? bound->time_us : fallback_us;
    if (bound->kind != BOUND_DAY) {
        return OK;
    }
    enum err err = zone_load(web->tx, zone_name, (bound->day - 2) * US_PER_DAY,
                             (bound->day + 2) * US_PER_DAY, &zone);
    *out = err == OK ? span_day_start(&zone, bound->day) : 0;
    return err;
}

/* That the database knows it, before anything is worked out. */
static enum err check_zone(struct web *web, const char *zone_name, int64_t now_us)
{
    struct zone zone;
    enum err err = zone_load(web->tx, zone_name, now_us, now_us + US_PER_DAY, &zone);

    return err == ERR_INVALID ? buckets_bad_zone(web) : err;
}

static enum err read_query(struct web *web, struct cost_list_query *query)
{
    enum err err = cost_input(web, &query->costs);
    int64_t now_us = query->costs.now_us;

    if (err == OK) {
        err = buckets_query(web, SAMPLE_1D, &query->bucket);
    }
    if (err == OK) {
        err = buckets_query_zone(web, &query->zone_name);
    }
    if (err == OK && !query->zone_name) {
        err = cost_zone(web->tx, &query->costs, &query->zone_name);
    }
    if (err == OK) {
        err = check_zone(web, query->zone_name, now_us);
    }
    if (err == OK) {
        err = time_of(web, query->zone_name, &query->costs.to, now_us, &query->to_us);
    }
    query->to_us = query->to_us > now_us ? now_us : query->to_us;
    int64_t days = query->bucket == SAMPLE_15M || query->bucket == SAMPLE_1H ? DEFAULT_DAYS
                                                                            : DEFAULT_LONG_DAYS;
    if (err == OK) {
        err = time_of(web, query->zone_name, &query->costs.from, query->to_us - days * US_PER_DAY,
                      &query->from_us);
    }
    return err;
}

enum err api_costs_list(struct web *web)
{
    struct cost_list_query *query = arena_alloc(web->op->arena, sizeof *query);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);

    if (!query || !source) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){
        .columns = COLUMNS, .n_columns = N_COLUMNS, .kind = CURSOR_COSTS, .page_rows = PAGE_BUCKETS,
        .query = query, .write_page = write_page,
    };
    enum err err = read_query(web, query);
    return err == OK ? list_answer(web, source) : err;
}
