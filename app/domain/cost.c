/* Rates accounts from scratch. Called by the API. */
#include "domain/cost.h"

#include "db/db.h"
#include "domain/cost_parts.h"
#include "domain/span.h"
#include "domain/zone.h"

#include <string.h>

#define REACH_DAYS 430 /* schedules around the span: for the cycles it lies in, and ratchets */
#define MAX_RATCHET_DAYS 410

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
    return zone_load(tx, zone->name, from_us - (REACH_DAYS + 3) * US_PER_DAY,
                     to_us + (REACH_DAYS + 3) * US_PER_DAY, zone);
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

static enum err load_rates(struct db_tx *tx, const struct cost_query *query,
                           struct cost_account *account)
{
    int64_t from_day = account->from_day - REACH_DAYS;
    const struct cost_rates_query around = { .site = account->site,
                                             .device = account->device,
                                             .from_day = from_day > 0 ? from_day : 0,
                                             .to_day = account->to_day + REACH_DAYS,
                                             .known_us = query->as_of_us };

    if (query->tariff) {
        return cost_rates_only(db_op(tx), query->tariff, query->schedule_id, &account->rates);
    }
    return query->schedule_id > 0 ? cost_rates_of(tx, query->schedule_id, &account->rates)
                                  : cost_rates_load(tx, &around, &account->rates);
}

/* The schedule in force on the last of the days [from_day, to_day) that has one; NULL: none. */
static const struct tariff *last_tariff(const struct cost_account *account, int64_t from_day,
                                        int64_t to_day)
{
    for (int64_t day = to_day - 1; day >= from_day; day--) {
        int version = rating_version_on(account->rates.versions, account->rates.n, day, INT64_MAX);
        if (version >= 0) {
            return tariff_of(account->rates.versions[version].plan);
        }
    }
    return NULL;
}

/* Days are local by the schedule's zone where one is in force. */
static enum err choose_zone(struct db_tx *tx, const struct cost_query *query,
                            struct cost_account *account)
{
    const struct tariff *tariff = last_tariff(account, account->from_day, account->to_day);
    enum err err = OK;

    if (tariff && strcmp(tariff->timezone, account->zone.name) != 0) {
        account->zone.name = tariff->timezone;
        err = load_zone(tx, query, &account->zone);
        set_days(query, account);
    }
    return err;
}

static bool differs(const struct tariff *a, const struct tariff *b)
{
    return strcmp(a->currency, b->currency) != 0 || strcmp(a->timezone, b->timezone) != 0;
}

/* What is rated must have one zone and one currency. */
static enum err check_rates(struct op *op, struct cost_account *account)
{
    const struct rating_input *input = &account->input;
    const struct tariff *last = last_tariff(account, input->from_day, input->to_day);

    for (int64_t day = input->from_day; last && day < input->to_day; day++) {
        int version = rating_version_on(input->versions, input->n_versions, day, INT64_MAX);
        if (version >= 0 && differs(tariff_of(input->versions[version].plan), last)) {
            return fail(op, ERR_INVALID,
                        "Rate schedules of different currencies or time zones are in force in "
                        "these days and their billing cycles: ask for a part of them.");
        }
    }
    if (last) {
        account->currency = last->currency;
        account->decimals = last->currency_decimals;
    }
    return OK;
}

/* ---- cycles ---- */

/* How many cycles back the highest demand of earlier ones is asked for. */
static int ratchet_cycles(const struct cost_rates *rates, int64_t from_day, int64_t to_day)
{
    int most = 0;

    for (int i = 0; i < rates->n; i++) {
        const struct rating_version *version = &rates->versions[i];
        const struct tariff *tariff = tariff_of(version->plan);
        bool is_in_force = version->from_day < to_day && version->to_day > from_day;
        for (int c = 0; is_in_force && c < tariff->n_charges; c++) {
            int cycles = tariff->charges[c].ratchet_percent > 0 ? tariff->charges[c].ratchet_cycles
                                                                : 0;
            most = cycles > most ? cycles : most;
        }
    }
    return most;
}

/* Whole cycles around the days asked for, and as many before as ratchets look back. */
static void set_cycles(const struct cost_query *query, struct cost_account *account)
{
    const struct cost_rates *rates = &account->rates;
    const struct rating_version *versions = rates->versions;
    struct rating_cycle last =
        rating_cycle_of(versions, rates->n, account->to_day - 1, INT64_MAX);

    if (query->from.kind == BOUND_NONE) {
        account->from_day = last.from_day;
    }
    int64_t from_day =
        rating_cycle_of(versions, rates->n, account->from_day, INT64_MAX).from_day;
    int more = ratchet_cycles(rates, from_day, last.to_day);
    int64_t floor_day = account->from_day - MAX_RATCHET_DAYS;
    for (; more > 0 && from_day > floor_day && from_day > 0; more--) {
        from_day = rating_cycle_of(versions, rates->n, from_day - 1, INT64_MAX).from_day;
    }
    account->input = (struct rating_input){
        .versions = versions,
        .n_versions = rates->n,
        .zone = &account->zone,
        .from_day = from_day,
        .to_day = last.to_day,
        .as_of_us = INT64_MAX,
        .known_until_us = query->now_us,
        .has_slots = query->needs_slots,
    };
}

/* ---- energy ---- */

static int64_t quarter_before(int64_t time_us)
{
    return time_us - ((time_us % COST_QUARTER_US) + COST_QUARTER_US) % COST_QUARTER_US;
}

static enum err load_energy(struct db_tx *tx, struct cost_account *account)
{
    const struct rating_input *input = &account->input;
    /* whole local days of the site, whatever the schedule's zone is */
    int64_t from_us = quarter_before(span_day_start(&account->zone, input->from_day)) - US_PER_DAY;
    int64_t to_us = quarter_before(span_day_start(&account->zone, input->to_day)) + US_PER_DAY;
    const struct cost_meters meters = { account->meters, account->n_meters };
    enum err err = cost_meters_read(tx, account->meters, account->n_meters, from_us, to_us);

    return err == OK ? cost_energy_make(db_op(tx), &meters, &account->site_zone, from_us, to_us,
                                        &account->energy)
                     : err;
}

enum err cost_set_intervals(struct op *op, struct cost_account *account)
{
    const struct cost_energy *energy = &account->energy;
    struct rating_interval *intervals =
        arena_array(op->arena, energy->n + 1, sizeof *intervals);
    size_t n = 0;

    if (!intervals) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < energy->n; i++) {
        if (energy->known[i] != COST_MISSING) {
            intervals[n++] = (struct rating_interval){
                .start_us = energy->start_us + (int64_t)i * COST_QUARTER_US,
                .import_nkwh = energy->import_nkwh[i],
                .export_nkwh = energy->export_nkwh[i],
            };
        }
    }
    account->input.intervals = intervals;
    account->input.n_intervals = n;
    return OK;
}

/* ---- rating ---- */

static enum err rate(struct db_tx *tx, const struct cost_query *query,
                     struct cost_account *account)
{
    struct op *op = db_op(tx);
    enum err err = load_zone(tx, query, &account->site_zone);

    account->zone = account->site_zone;
    if (err == OK) {
        set_days(query, account);
        err = load_rates(tx, query, account);
    }
    if (err == OK) {
        err = choose_zone(tx, query, account);
    }
    if (err == OK && account->from_day >= account->to_day) {
        err = fail(op, ERR_INVALID, "to: must be after from");
    }
    if (err == OK) {
        set_cycles(query, account);
        err = check_rates(op, account);
    }
    if (err == OK) {
        const struct cost_rates_query rated = { .from_day = account->input.from_day,
                                                .to_day = account->input.to_day,
                                                .known_us = query->as_of_us };
        err = cost_rates_add_prices(tx, &rated, &account->rates);
    }
    if (err == OK) {
        err = load_energy(tx, account);
    }
    if (err == OK) {
        err = cost_set_intervals(op, account);
    }
    return err == OK ? rating_run(op, &account->input, &account->rating) : err;
}

enum err cost_load(struct db_tx *tx, const struct cost_query *query, struct cost_accounts *out)
{
    enum err err = cost_accounts_find(tx, query, out);

    for (int i = 0; err == OK && i < out->n; i++) {
        err = rate(tx, query, &out->items[i]);
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
    for (int64_t at_us = quarter_before(span_day_start(&account->zone, account->from_day));
         at_us < end_us && at_us < account->input.known_until_us; at_us += COST_QUARTER_US) {
        if (cost_known_at(account, at_us) == COST_PARTLY) {
            out->status = BILL_PROVISIONAL;
        }
    }
    return OK;
}
