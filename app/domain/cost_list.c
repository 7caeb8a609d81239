/* Lays out local buckets and has them rated. Called by the API and by pages. */
#include "domain/cost_list.h"

#include "db/db.h"
#include "domain/span.h"

#include <string.h>

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

static bool is_long(enum sample_bucket bucket)
{
    return bucket != SAMPLE_15M && bucket != SAMPLE_1H;
}

/* Where days and longer buckets begin, by the zone's offsets. */
static enum err load_days(struct db_tx *tx, const struct cost_list_query *query, int64_t from_us,
                          int64_t to_us, struct zone_starts *out)
{
    struct op *op = db_op(tx);
    struct zone zone = { NULL, NULL, 0 };
    enum err err = zone_load(tx, query->zone_name, from_us - 40 * US_PER_DAY,
                             to_us + 40 * US_PER_DAY, &zone);

    if (err != OK) {
        return err;
    }
    const int64_t *edges = span_edges(op->arena, &zone, query->bucket, from_us, to_us, &out->n);
    out->us = edges ? arena_array(op->arena, (size_t)out->n + 1, sizeof *out->us) : NULL;
    if (!out->us) {
        return fail_memory(op);
    }
    memcpy(out->us, edges, (size_t)out->n * sizeof *out->us);
    return OK;
}

/* The edges of the page's buckets: all starts, and the end of the last. Hours of zones that are not
 * whole hours off UTC are the database's to say. */
static enum err load_edges(struct db_tx *tx, const struct cost_list_query *query,
                           struct zone_starts *out)
{
    int64_t longest = longest_us(query->bucket);
    int64_t span_us = query->limit * longest;
    int n = 0;

    if (query->from_us >= query->to_us) {
        return OK;
    }

    span_us = span_us > COST_LIST_DAYS * US_PER_DAY ? COST_LIST_DAYS * US_PER_DAY : span_us;
    int64_t until_us =
        query->to_us - query->from_us > span_us ? query->from_us + span_us : query->to_us;
    enum err err = is_long(query->bucket)
                       ? load_days(tx, query, query->from_us, until_us + 2 * longest, out)
                       : zone_bucket_starts(tx, query->zone_name, sample_bucket_name(query->bucket),
                                            query->from_us, until_us + 2 * longest, out);
    while (err == OK && out->us && n < out->n && n < query->limit && out->us[n] < until_us) {
        n++;
    }
    out->n = n > 0 && n < out->n ? n + 1 : 0;
    return err;
}

static enum err rate_buckets(struct db_tx *tx, const struct cost_list_query *query,
                             const struct zone_starts *edges, struct cost_list *out)
{
    struct cost_query costs = query->costs;
    struct cost_accounts accounts;

    costs.needs_slots = true;
    costs.days_zone = is_long(query->bucket) ? query->zone_name : NULL;
    costs.from = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[0] };
    costs.to = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[edges->n - 1] };
    enum err err = cost_load(tx, &costs, &accounts);
    if (err == OK) {
        err = cost_currency(db_op(tx), &accounts, &out->currency, &out->decimals);
    }
    return err == OK ? cost_fold(db_op(tx), &accounts, edges, costs.now_us, &out->buckets) : err;
}

enum err cost_list_load(struct db_tx *tx, const struct cost_list_query *query,
                        struct cost_list *out)
{
    struct cost_list_query of = *query;
    struct zone_starts edges = { NULL, 0 };
    enum err err = OK;

    *out = (struct cost_list){ .next_us = INT64_MAX };
    of.from_us = of.from_us < 0 ? 0 : of.from_us;
    of.to_us = of.to_us > COST_LAST_DAY * US_PER_DAY ? COST_LAST_DAY * US_PER_DAY : of.to_us;
    if (!of.zone_name) {
        err = cost_zone(tx, &of.costs, &of.zone_name);
    }
    if (err == OK) {
        err = load_edges(tx, &of, &edges);
    }
    if (err != OK || edges.n == 0) {
        return err;
    }
    out->next_us = edges.us[edges.n - 1] < of.to_us ? edges.us[edges.n - 1] : INT64_MAX;
    return rate_buckets(tx, &of, &edges, out);
}
