/* Rates accounts, with what the ledger has of them. Called by the API and pages. */
#include "domain/cost.h"

#include "db/db.h"
#include "domain/cost_room.h"
#include "domain/span.h"
#include "domain/zone.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- days ---- */

/* The day that a bound means; of the end the first that is not asked for any more. */
static int64_t day_of(const struct cost_bound *bound, const struct zone *zone, bool is_end)
{
    if (bound->kind == BOUND_DAY) {
        return bound->day;
    }
    int64_t day = span_day_of(zone, bound->time_us);
    return is_end && span_day_start(zone, day) < bound->time_us ? day + 1 : day;
}

/* About when the bound is. */
static int64_t time_of(const struct cost_bound *bound, int64_t fallback_us)
{
    return bound->kind == BOUND_NONE  ? fallback_us
           : bound->kind == BOUND_DAY ? bound->day * US_PER_DAY
                                      : bound->time_us;
}

/* The zone's offsets over all that may be asked of it. */
static enum err load_zone(struct db_tx *tx, const struct cost_query *query, struct zone *zone)
{
    int64_t to_us = time_of(&query->to, query->now_us);
    int64_t from_us = time_of(&query->from, to_us);

    if (from_us > to_us || to_us - from_us > RATING_MAX_DAYS * US_PER_DAY) {
        return fail(db_op(tx), ERR_INVALID, "Costs are worked out for 1 to %d days at once.",
                    RATING_MAX_DAYS);
    }
    return zone_load(tx, zone->name, from_us - (COST_RATCHET_REACH_DAYS + 3) * US_PER_DAY,
                     to_us + (COST_REACH_DAYS + 3) * US_PER_DAY, zone);
}

/* The days asked for, by the account's zone; from_day is left open where no bound says it. */
static void set_days(const struct cost_query *query, struct cost_account *account)
{
    const struct cost_bound today = { .kind = BOUND_TIME, .time_us = query->now_us + 1 };
    const struct cost_bound *to = query->to.kind == BOUND_NONE ? &today : &query->to;

    account->to_day = day_of(to, &account->zone, true);
    account->from_day = query->from.kind == BOUND_NONE
                            ? account->to_day - 1
                            : day_of(&query->from, &account->zone, false);
}

/* ---- schedules ---- */

/* Reads those in force around the account's days, from so many before them on, and, where that is
 * known, around all days of the queries that come. */
static enum err read_rates(struct db_tx *tx, const struct cost_query *query, int64_t reach_days,
                           struct cost_account *account)
{
    const struct cost_memo *memo = query->memo;
    int64_t from_day = account->from_day - reach_days;
    int64_t to_day = account->to_day + COST_REACH_DAYS;

    if (memo && memo->to_us > memo->from_us) {
        from_day = least(from_day, memo->from_us / US_PER_DAY - reach_days);
        to_day = latest(to_day, memo->to_us / US_PER_DAY + COST_REACH_DAYS);
    }
    const struct cost_rates_query around = { .site = account->site,
                                             .device = account->device,
                                             .from_day = from_day > 0 ? from_day : 0,
                                             .to_day = to_day,
                                             .known_us = query->as_of_us };
    account->rates_from = from_day;
    account->rates_to = to_day;
    return cost_rates_load(tx, &around, &account->rates);
}

static enum err load_rates(struct db_tx *tx, const struct cost_query *query,
                           struct cost_account *account)
{
    int64_t from_day = account->from_day - COST_REACH_DAYS;
    int64_t to_day = account->to_day + COST_REACH_DAYS;

    if (query->tariff || query->schedule_id > 0) {
        account->rates_from = account->rates_to = 0; /* those in force are read by who needs them */
        return query->tariff ? cost_rates_only(db_op(tx), query->tariff, query->schedule_id,
                                               &account->rates)
                             : cost_rates_of(tx, query->schedule_id, &account->rates);
    }
    bool is_there = account->rates_from <= from_day && to_day <= account->rates_to;
    enum err err = is_there ? cost_rates_copy(db_op(tx), &account->rates)
                            : read_rates(tx, query, COST_REACH_DAYS, account);
    bool is_short = account->rates_from > account->from_day - COST_RATCHET_REACH_DAYS;
    return err == OK && is_short && cost_has_ratchets(&account->rates)
               ? read_rates(tx, query, COST_RATCHET_REACH_DAYS, account)
               : err;
}

/* The first of the days asked for, which may be left to the billing cycle. */
static int64_t first_day(const struct cost_query *query, const struct cost_account *account)
{
    return query->from.kind == BOUND_NONE ? cost_bill_since(&account->rates, account->to_day)
                                          : account->from_day;
}

/* Days are local by the schedule's zone where one is in force. Around a change of zone other days
 * are meant then, and another schedule may be the last: it is looked at again. Between the last day
 * of a zone and the first of the next, where there is time, that does not end; the former schedule
 * is taken by the latter's zone. */
static enum err choose_zone(struct db_tx *tx, const struct cost_query *query,
                            struct cost_account *account)
{
    enum err err = OK;

    for (int i = 0; i < 3 && err == OK; i++) {
        int64_t from_day = first_day(query, account);
        const struct tariff *tariff = cost_last_tariff(account, from_day, account->to_day);
        if (!tariff || strcmp(tariff->timezone, account->zone.name) == 0) {
            break;
        }
        account->zone.name = tariff->timezone;
        err = load_zone(tx, query, &account->zone);
        set_days(query, account);
    }
    return err;
}

/* ---- cycles ---- */

/* Whole cycles around the days asked for, and as many before as ratchets look back, as far as they
 * are billed in the same currency and zone. */
static void set_cycles(const struct cost_query *query, struct cost_account *account)
{
    const struct cost_rates *rates = &account->rates;
    const struct rating_version *versions = rates->versions;
    struct rating_cycle last =
        rating_cycle_of(versions, rates->n, account->to_day - 1, INT64_MAX);

    account->from_day = first_day(query, account);
    int64_t from_day =
        rating_cycle_of(versions, rates->n, account->from_day, INT64_MAX).from_day;
    from_day = cost_same_since(rates, from_day, account->from_day, last.to_day);
    last.to_day = latest(cost_same_until(rates, account->from_day, last.to_day), account->to_day);
    account->input = (struct rating_input){
        .versions = versions,
        .n_versions = rates->n,
        .zone = &account->zone,
        .from_day = cost_ratchet_day(rates, from_day, last.to_day),
        .to_day = last.to_day,
        .as_of_us = INT64_MAX,
        .known_until_us = query->now_us,
        .has_slots = query->needs_slots,
    };
}

/* ---- rating ---- */

enum err cost_set_intervals(struct op *op, struct cost_account *account, bool has_empty)
{
    const struct cost_energy *energy = &account->energy;
    struct rating_interval *intervals =
        arena_array(op->arena, energy->n + 1, sizeof *intervals);
    const int64_t *spread = cost_spread(op->arena, account);
    size_t n = 0;

    if (!intervals || !spread) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < energy->n; i++) {
        bool is_wanted = has_empty || energy->import_nkwh[i] != 0 || energy->export_nkwh[i] != 0;
        if (is_wanted && energy->known[i] != COST_MISSING) {
            intervals[n++] = (struct rating_interval){
                .start_us = energy->start_us + (int64_t)i * COST_QUARTER_US,
                .import_nkwh = energy->import_nkwh[i],
                .export_nkwh = energy->export_nkwh[i],
                .spread_nkwh = spread[i],
            };
        }
    }
    account->input.intervals = intervals;
    account->input.n_intervals = n;
    return OK;
}

enum err cost_rate_input(struct op *op, struct cost_account *account)
{
    enum err err = cost_set_intervals(op, account, true);

    return err == OK ? rating_run(op, &account->input, &account->rating) : err;
}

/* The account's days, zone and cycles, by the schedules in force. */
static enum err lay_out(struct db_tx *tx, const struct cost_query *query,
                        struct cost_account *account)
{
    enum err err = load_zone(tx, query, &account->site_zone);

    if (err == OK) {
        account->zone = account->site_zone;
        set_days(query, account);
        err = load_rates(tx, query, account);
    }
    if (err == OK) {
        err = choose_zone(tx, query, account);
    }
    if (err == OK && account->from_day >= account->to_day) {
        err = fail(db_op(tx), ERR_INVALID, "to: must be after from");
    }
    if (err == OK) {
        set_cycles(query, account);
        err = cost_check_rates(db_op(tx), account);
    }
    return err;
}

enum err cost_rate_account(struct db_tx *tx, const struct cost_query *query,
                           const struct cost_place_states *states, struct cost_account *account)
{
    struct cost_supply supply = { .needs_meters = query->needs_meters };
    enum err err = cost_check_readings(tx, query, states, account);

    if (err == OK) {
        err = cost_ledger_take(tx, query, states, account, &supply);
    }

    if (err != OK || account->input.from_day == account->input.to_day) {
        return err == OK && !query->needs_slots ? cost_ledger_join(tx, account) : err;
    }
    const struct cost_rates_query rated = { .from_day = account->input.from_day,
                                            .to_day = account->input.to_day,
                                            .known_us = query->as_of_us };
    err = cost_rates_add_prices(tx, &rated, &account->rates);
    if (err == OK) {
        err = cost_supply(tx, &supply, account);
    }
    if (err == OK) {
        err = cost_rate_input(db_op(tx), account);
    }
    return err == OK && !query->needs_slots ? cost_ledger_join(tx, account) : err;
}

/* The states of the query's places over all that may be rated, from the memo where they are of its
 * span. */
static enum err load_states(struct db_tx *tx, const struct cost_query *query,
                            struct cost_place_states *out)
{
    const int64_t reach_us = (COST_RATCHET_REACH_DAYS + 3) * US_PER_DAY;
    int64_t to_us = time_of(&query->to, query->now_us);
    int64_t from_us = time_of(&query->from, to_us);
    struct cost_memo *memo = query->memo;

    *out = (struct cost_place_states){ NULL, 0 };
    if (query->as_of_us != COST_LATEST || query->device.ptr) {
        return OK;
    }
    if (!memo || from_us < memo->from_us || to_us > memo->to_us) {
        return cost_ledger_states(tx, query->site, from_us - reach_us, to_us + reach_us, out);
    }
    enum err err = OK;
    if (!memo->states) {
        err = cost_ledger_states(tx, query->site, memo->from_us - reach_us,
                                 memo->to_us + reach_us, out);
        memo->states = out->items;
        memo->n_states = out->n;
    }
    *out = (struct cost_place_states){ memo->states, memo->n_states };
    return err;
}

/* The accounts of the query, or those that are remembered, with the energy that was read. */
static enum err find_accounts(struct db_tx *tx, const struct cost_query *query,
                              struct cost_accounts *out)
{
    struct cost_memo *memo = query->memo;
    struct op *op = db_op(tx);

    if (!memo || !memo->accounts.items) {
        return cost_accounts_find(tx, query, out);
    }
    *out = (struct cost_accounts){
        arena_array(op->arena, (size_t)memo->accounts.n + 1, sizeof *out->items), memo->accounts.n
    };
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        const struct cost_account *of = &memo->accounts.items[i];
        out->items[i] = (struct cost_account){ .site = of->site,
                                               .device = of->device,
                                               .is_valued = of->is_valued,
                                               .meters = of->meters,
                                               .n_meters = of->n_meters,
                                               .site_zone = { .name = of->site_zone.name },
                                               .rates = of->rates,
                                               .rates_from = of->rates_from,
                                               .rates_to = of->rates_to,
                                               .ledger_day = INT64_MIN,
                                               .energy = of->energy };
    }
    return OK;
}

enum err cost_accounts_lay_out(struct db_tx *tx, const struct cost_query *query,
                               struct cost_place_states *states, struct cost_accounts *out)
{
    enum err err = find_accounts(tx, query, out);

    if (err == OK) {
        err = load_states(tx, query, states);
    }
    for (int i = 0; err == OK && i < out->n; i++) {
        out->items[i].stamp = cost_ledger_stamp(states, &out->items[i]);
        err = lay_out(tx, query, &out->items[i]);
    }
    return err;
}

enum err cost_load(struct db_tx *tx, const struct cost_query *query, struct cost_accounts *out)
{
    struct cost_place_states states;
    enum err err = cost_accounts_lay_out(tx, query, &states, out);
    int64_t bytes = err == OK ? cost_room_of(query, &states, out) : 0;
    bool is_apart = !query->needs_slots && bytes > COST_BILL_BYTES && out->n > 1;

    if (err == OK) {
        err = cost_check_room(db_op(tx), out, bytes, is_apart);
    }
    for (int i = 0; err == OK && i < out->n; i++) {
        struct cost_account *account = &out->items[i];
        err = is_apart
                  ? cost_rate_apart(tx, query, &states, account, cost_take_bill, NULL)
                  : cost_rate_account(tx, query, &states, account);
    }
    if (err == OK && query->memo && is_apart) {
        return cost_remember_apart(db_op(tx), out, query->memo);
    }
    if (err == OK && query->memo) {
        query->memo->accounts = *out;
    }
    return err;
}

/* ---- asked of what was rated ---- */

enum cost_known cost_known_at(const struct cost_account *account, int64_t time_us)
{
    const struct cost_energy *energy = &account->energy;
    int64_t index = (time_us - energy->start_us) / COST_QUARTER_US;

    return time_us < energy->start_us || index >= (int64_t)energy->n
               ? COST_MISSING
               : (enum cost_known)energy->known[index];
}

enum err cost_currency(struct op *op, const struct cost_accounts *accounts, const char **out,
                       int *decimals)
{
    *out = NULL;
    *decimals = 0;
    for (int i = 0; i < accounts->n; i++) {
        const struct cost_account *account = &accounts->items[i];
        if (*out && account->currency && strcmp(*out, account->currency) != 0) {
            return fail(op, ERR_INVALID,
                        "What is asked for is billed in different currencies, %s and %s: ask "
                        "for each site.", *out, account->currency);
        }
        if (account->currency) {
            *out = account->currency;
            *decimals = account->decimals;
        }
    }
    return OK;
}

enum err cost_bill(struct op *op, const struct cost_account *account, struct bill *out)
{
    enum err err = bill_make(op, &account->rating, account->from_day, account->to_day, out);
    int64_t end_us = span_day_start(&account->zone, account->to_day);

    if (err != OK) {
        return err;
    }
    for (int i = 0; account->ledger && i < account->ledger->n; i++) {
        const struct cost_day *day = &account->ledger->items[i];
        bool is_asked = day->day >= account->from_day && day->day < account->to_day;
        if (is_asked && day->is_partly) {
            out->status = BILL_PROVISIONAL;
        }
    }
    int64_t first_day =
        account->ledger_day > account->from_day ? account->ledger_day : account->from_day;
    for (int64_t at_us = cost_quarter_before(span_day_start(&account->zone, first_day));
         at_us < end_us && at_us < account->input.known_until_us; at_us += COST_QUARTER_US) {
        if (cost_known_at(account, at_us) == COST_PARTLY) {
            out->status = BILL_PROVISIONAL;
        }
    }
    return OK;
}
