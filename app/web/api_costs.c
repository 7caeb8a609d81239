/* GET /v1/costs: energy and what it costs, in local buckets. */
#include "web/api_costs.h"

#include "domain/cost_bucket.h"
#include "domain/currency.h"
#include "domain/span.h"
#include "web/buckets.h"
#include "web/cost_input.h"
#include "web/list_stream.h"

#include <string.h>

static const char *const COLUMNS[] = {
    "time", "energy_kwh", "export_kwh", "cost", "currency", "status", "by_period",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

#define COST_DECIMALS 9 /* what is spread over a day may have more */
#define PAGE_BUCKETS 4000
#define MAX_PAGE_DAYS 370 /* rated at once: a page of months ends there, and the next goes on */
#define DEFAULT_DAYS 31
#define DEFAULT_LONG_DAYS 366

struct list_query {
    struct cost_query costs;
    enum sample_bucket bucket;
    const char *zone_name; /* NULL: the place's */
    int64_t from_us, to_us;
};

static int64_t longest_us(enum sample_bucket bucket)
{
    switch (bucket) {
    case SAMPLE_1MO:
        return 32 * US_PER_DAY;
    case SAMPLE_1W:
        return 8 * US_PER_DAY;
    case SAMPLE_1D:
        return 26 * US_PER_HOUR;
    default:
        return 2 * US_PER_HOUR;
    }
}

/* ---- items ---- */

static void write_periods(struct list_writer *list, const struct cost_bucket *bucket, int decimals)
{
    char text[MONEY_TEXT_SIZE];
    struct json_writer json;
    struct buf out;

    buf_init(&out, list->web->op->arena, 64u << 10);
    json_writer_init(&json, &out);
    json_open_object(&json);
    for (int i = 0; i < bucket->n_periods; i++) {
        const struct cost_period *period = &bucket->periods[i];
        json_key(&json, period->name);
        json_open_object(&json);
        json_key(&json, "energy_kwh");
        json_raw(&json, str_of(quantity_format(period->import, 0, text)));
        json_key(&json, "cost");
        json_text(&json, money_format(period->cost, decimals, text));
        json_close_object(&json);
    }
    json_close_object(&json);
    struct str written = buf_str(&out);
    list_json(list, arena_copy(list->web->op->arena, written));
}

static void write_bucket(struct list_writer *list, const struct cost_bucket *bucket,
                         const char *currency, int decimals)
{
    char text[MONEY_TEXT_SIZE];

    list_item(list);
    list_time(list, bucket->from_us);
    list_json(list, quantity_format(bucket->import, 0, text));
    list_json(list, quantity_format(bucket->export, 0, text));
    struct money cost = money_round(bucket->cost, COST_DECIMALS, ROUND_HALF_AWAY);
    list_text(list, bucket->is_priced ? money_format(cost, decimals, text) : NULL);
    list_text(list, currency);
    list_text(list, bucket->is_final ? "final" : "provisional");
    write_periods(list, bucket, decimals);
    list_end_item(list);
}

/* ---- pages ---- */

/* Where buckets begin. Days and longer ones follow from the zone's offsets; hours of zones that are
 * not whole hours off UTC are the database's to say. */
static enum err load_starts(struct web *web, const struct list_query *query, int64_t from_us,
                            int64_t to_us, struct zone_starts *out)
{
    bool is_long = query->bucket != SAMPLE_15M && query->bucket != SAMPLE_1H;
    struct zone zone = { NULL, NULL, 0 };
    enum err err = is_long ? zone_load(web->tx, query->zone_name, from_us - 40 * US_PER_DAY,
                                       to_us + 40 * US_PER_DAY, &zone)
                           : zone_bucket_starts(web->tx, query->zone_name,
                                                sample_bucket_name(query->bucket), from_us, to_us,
                                                out);
    if (err == ERR_INVALID) {
        return buckets_bad_zone(web);
    }
    if (err != OK || !is_long) {
        return err;
    }
    const int64_t *edges =
        span_edges(web->op->arena, &zone, query->bucket, from_us, to_us, &out->n);
    int64_t *us = edges ? arena_array(web->op->arena, (size_t)out->n + 1, sizeof *us) : NULL;
    if (!us) {
        return fail_memory(web->op);
    }
    memcpy(us, edges, (size_t)out->n * sizeof *us);
    out->us = us;
    return OK;
}

/* The edges of at most `most` buckets from the position on, of no more days than a page has. */
static enum err load_edges(struct web *web, const struct list_query *query, int64_t from_us,
                           int most, struct zone_starts *out)
{
    int64_t longest = longest_us(query->bucket);
    int64_t span_us = most * longest;

    span_us = span_us > MAX_PAGE_DAYS * US_PER_DAY ? MAX_PAGE_DAYS * US_PER_DAY : span_us;
    int64_t until_us = query->to_us - from_us > span_us ? from_us + span_us : query->to_us;
    enum err err = load_starts(web, query, from_us, until_us + 2 * longest, out);
    int n = 0;

    while (err == OK && n < out->n && n < most && out->us[n] < until_us) {
        n++;
    }
    out->n = n > 0 && n < out->n ? n + 1 : 0;
    return err;
}

/* Rates what lies between the edges. */
static enum err load_buckets(struct web *web, const struct list_query *query,
                             const struct zone_starts *edges, struct cost_buckets *out,
                             const char **currency, int *decimals)
{
    struct cost_query costs = query->costs;
    struct cost_accounts accounts;

    costs.needs_slots = true;
    costs.from = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[0] };
    costs.to = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[edges->n - 1] };
    enum err err = cost_load(web->tx, &costs, &accounts);
    if (err == OK) {
        err = cost_currency(web->op, &accounts, currency, decimals);
    }
    return err == OK ? cost_fold(web->op, &accounts, edges, costs.now_us, out) : err;
}

static enum err write_page(struct list_writer *list, void *state, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct web *web = list->web;
    const struct list_query *query = state;
    struct zone_starts edges = { NULL, 0 };
    struct cost_buckets buckets = { NULL, 0 };
    const char *currency = NULL;
    int decimals = 0;
    int64_t from_us = after ? after->time_us + 1 : query->from_us;
    enum err err = load_edges(web, query, from_us, limit, &edges);

    if (err == OK && edges.n > 0) {
        err = load_buckets(web, query, &edges, &buckets, &currency, &decimals);
    }
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < buckets.n; i++) {
        if (buckets.items[i].is_known) {
            write_bucket(list, &buckets.items[i], currency, decimals);
        }
    }
    *is_more = edges.n > 0 && edges.us[edges.n - 1] < query->to_us;
    *last = (struct cursor){ .time_us = edges.n > 0 ? edges.us[edges.n - 2] : from_us,
                             .key = STR("") };
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
    if (err == ERR_INVALID) {
        return buckets_bad_zone(web);
    }
    *out = err == OK ? span_day_start(&zone, bound->day) : 0;
    return err;
}

static enum err read_query(struct web *web, struct list_query *query)
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
    struct list_query *query = arena_alloc(web->op->arena, sizeof *query);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);

    if (!query || !source) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){ COLUMNS, N_COLUMNS, CURSOR_COSTS, PAGE_BUCKETS, query,
                                    write_page };
    enum err err = read_query(web, query);
    return err == OK ? list_answer(web, source) : err;
}
