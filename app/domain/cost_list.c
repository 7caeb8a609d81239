/* Lays out local buckets and has them rated. Called by the API and by pages. */
#include "domain/cost_list.h"

#include "db/db.h"
#include "domain/cost_room.h"
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

/* A page's accounts, as far as they are rated at once. */
struct laid_out {
    struct cost_query costs;
    struct cost_memo memo; /* where the query has none */
    struct cost_place_states states;
    struct cost_accounts accounts;
    int64_t bytes;         /* that rating them takes */
};

static enum err lay_out(struct db_tx *tx, const struct zone_starts *edges, struct laid_out *out)
{
    struct cost_query *costs = &out->costs;

    costs->from = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[0] };
    costs->to = (struct cost_bound){ .kind = BOUND_TIME, .time_us = edges->us[edges->n - 1] };
    enum err err = cost_accounts_lay_out(tx, costs, &out->states, &out->accounts);
    if (err == OK) {
        out->bytes = cost_room_of(costs, &out->states, &out->accounts);
    }
    return err;
}

/* When the account's schedules become another's after from_us: at the end of the last day before
 * the first of another currency or zone or, where that is over, at the start of that one. */
static enum err load_change(struct db_tx *tx, const struct cost_account *account, int64_t from_us,
                            int64_t *out)
{
    int64_t day_us = account->mixed_day * US_PER_DAY;
    enum err err = OK;

    *out = account->mixed_day > 0 ? from_us : INT64_MAX;
    for (int i = 0; i < 2 && err == OK && *out <= from_us; i++) {
        struct zone zone = { .name = account->mixed_zones[i] };
        err = zone_load(tx, zone.name, day_us - 2 * US_PER_DAY, day_us + 2 * US_PER_DAY, &zone);
        *out = err == OK ? span_day_start(&zone, account->mixed_day) : *out;
    }
    return err;
}

/* Where schedules of different currencies or zones are in force: leaves the edges up to the change,
 * where buckets end there. *is_cut: something is left out. */
static enum err cut_mixed(struct db_tx *tx, const struct cost_accounts *accounts,
                          struct zone_starts *edges, bool *is_cut)
{
    enum err err = OK;
    int n = edges->n;

    for (int i = 0; i < accounts->n && err == OK; i++) {
        int64_t end_us;
        err = load_change(tx, &accounts->items[i], edges->us[0], &end_us);
        while (err == OK && n > 2 && edges->us[n - 1] > end_us) {
            n--;
        }
    }
    *is_cut = n < edges->n;
    edges->n = n;
    return err;
}

/* Lays the accounts out over the edges, or over fewer where that cannot be added up, or is too much
 * at once. */
static enum err lay_out_page(struct db_tx *tx, struct zone_starts *edges, struct laid_out *out)
{
    enum err err = lay_out(tx, edges, out);
    bool is_cut = true;

    while (err == ERR_INVALID && is_cut) {
        struct fault fault = db_op(tx)->fault;
        op_clear_fault(db_op(tx));
        err = cut_mixed(tx, &out->accounts, edges, &is_cut);
        if (err == OK && !is_cut) {
            db_op(tx)->fault = fault;
            return ERR_INVALID;
        }
        err = err == OK ? lay_out(tx, edges, out) : err;
    }
    int64_t n = edges->n - 1;
    if (err != OK || out->bytes <= COST_LIST_BYTES || n == 1) {
        return err;
    }
    n = n * COST_LIST_BYTES / out->bytes;
    edges->n = (n > 1 ? (int)n : 1) + 1;
    out->costs.memo = out->costs.memo ? out->costs.memo : &out->memo;
    if (!out->costs.memo->accounts.items) {
        out->costs.memo->accounts = out->accounts;
    }
    return lay_out(tx, edges, out);
}

/* A taker. */
static enum err take_buckets(struct op *op, struct cost_account *account, void *state)
{
    enum err err = cost_fold_add(op, account, state);

    account->energy = (struct cost_energy){ .n = 0 };
    account->rating = (struct rating){ .n_lines = 0 };
    account->ledger = NULL;
    return err;
}

static enum err rate_buckets(struct db_tx *tx, const struct cost_list_query *query,
                             struct zone_starts *edges, struct cost_list *out)
{
    struct op *op = db_op(tx);
    struct laid_out page = { .costs = query->costs };
    struct cost_accounts *accounts = &page.accounts;

    page.costs.needs_slots = true;
    page.costs.days_zone = is_long(query->bucket) ? query->zone_name : NULL;
    enum err err = lay_out_page(tx, edges, &page);
    if (err == OK) {
        err = cost_currency(op, accounts, &out->currency, &out->decimals);
    }
    if (err == OK) {
        err = cost_fold_begin(op, edges, page.costs.now_us, &out->buckets);
    }
    bool is_apart = accounts->n > 1 && page.bytes > COST_HELD_BYTES;
    for (int i = 0; err == OK && i < accounts->n; i++) {
        struct cost_account *account = &accounts->items[i];
        err = is_apart ? cost_rate_apart(tx, &page.costs, &page.states, account, take_buckets,
                                         &out->buckets)
                       : cost_rate_account(tx, &page.costs, &page.states, account);
        if (err == OK && !is_apart) {
            err = cost_fold_add(op, account, &out->buckets);
        }
    }
    if (err == OK && query->costs.memo) {
        query->costs.memo->accounts = *accounts;
    }
    return err;
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
    int n = edges.n;
    err = rate_buckets(tx, &of, &edges, out);
    out->is_short = edges.n < n;
    out->next_us = edges.us[edges.n - 1] < of.to_us ? edges.us[edges.n - 1] : INT64_MAX;
    return err;
}
