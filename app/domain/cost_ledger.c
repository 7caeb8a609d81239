/* Takes from the ledger what holds of an account. It holds for whole billing cycles up to the first
 * that somebody's change touched since, or that is not over. Called by cost.c. */
#include "db/db.h"
#include "domain/cost_parts.h"
#include "domain/span.h"
#include "gen/queries.h"

#include <string.h>

/* ---- places ---- */

enum err cost_ledger_states(struct db_tx *tx, struct str site, int64_t from_us, int64_t to_us,
                            struct cost_place_states *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, site);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    enum err err = db_run(tx, &q_cost_places, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct cost_place_state *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct cost_place_state){
            .site = db_text(rows, i, COST_PLACES_SITE),
            .first_us = db_time(rows, i, COST_PLACES_FIRST_TIME),
            .dirty_us = db_time(rows, i, COST_PLACES_DIRTY_FROM),
            .energy_us = db_time(rows, i, COST_PLACES_ENERGY_FROM),
            .stamp = db_text(rows, i, COST_PLACES_STAMP),
        };
    }
    *out = (struct cost_place_states){ items, n };
    return OK;
}

static const struct cost_place_state *find_state(const struct cost_place_states *states,
                                                 const char *site)
{
    for (int i = 0; i < states->n; i++) {
        const char *key = states->items[i].site;
        if (key == site || (key && site && strcmp(key, site) == 0)) {
            return &states->items[i];
        }
    }
    return NULL;
}

const char *cost_ledger_stamp(const struct cost_place_states *states,
                              const struct cost_account *account)
{
    const struct cost_place_state *state = find_state(states, account->site);

    return state ? state->stamp : NULL;
}

/* The account's first day that a change since then may touch. */
static int64_t day_since(const struct cost_account *account, int64_t time_us)
{
    bool is_one = strcmp(account->zone.name, account->site_zone.name) == 0;
    const int64_t longest_us = US_PER_DAY + 2 * US_PER_HOUR; /* of another zone's day */

    if (time_us <= 0) {
        return 0;
    }
    if (time_us == INT64_MAX) {
        return INT64_MAX;
    }
    return span_day_of(&account->zone, is_one ? time_us : time_us - longest_us);
}

bool cost_ledger_span(const struct cost_place_states *states, const struct cost_account *account,
                      int64_t *first_day, int64_t *dirty_day)
{
    const struct cost_place_state *state = find_state(states, account->site);

    if (!state) {
        return false;
    }
    *first_day = day_since(account, state->first_us);
    *dirty_day = day_since(account, state->dirty_us);
    return *first_day < *dirty_day;
}

/* ---- what holds ---- */

/* What of an account the ledger is asked for. */
struct taking {
    const struct cost_query *query;
    struct cost_account *account;
    int64_t ledger_day; /* days before it, from account->from_day on */
    int64_t energy_day; /* quarter hours of days before it, from the input's first on */
    int64_t empty_day;  /* days before it have no energy */
};

/* Whether days or lines will do, instead of quarter hours. */
static bool may_take_days(const struct taking *taking)
{
    const struct cost_query *query = taking->query;

    return query->schedule_id == 0 && !query->tariff &&
           (!query->needs_slots ||
            (query->days_zone && strcmp(query->days_zone, taking->account->zone.name) == 0));
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first day of the last whole cycle's end before the day. */
static int64_t cycle_day(const struct cost_account *account, int64_t day)
{
    const struct cost_rates *rates = &account->rates;

    return rating_cycle_of(rates->versions, rates->n, day, INT64_MAX).from_day;
}

static void plan(struct taking *taking, const struct cost_place_state *state)
{
    const struct cost_account *account = taking->account;
    const struct rating_input *input = &account->input;
    int64_t dirty_day = day_since(account, state->dirty_us);

    taking->ledger_day = INT64_MIN;
    /* what lies before, as far back as ratchets look, must hold too */
    if (may_take_days(taking) && dirty_day > input->from_day) {
        taking->ledger_day =
            dirty_day >= input->to_day ? input->to_day : cycle_day(account, dirty_day);
    }
    taking->energy_day = least(day_since(account, state->energy_us), input->to_day);
    taking->empty_day = day_since(account, state->first_us);
}

/* Whether all days [from_day, to_day) are there, of the account's zone. */
static bool has_all(const struct cost_days *days, const struct zone *zone, int64_t from_day,
                    int64_t to_day)
{
    int64_t next = from_day;

    for (int i = 0; i < days->n && next < to_day; i++) {
        const struct cost_day *day = &days->items[i];
        if (day->day == next && strcmp(day->zone, zone->name) == 0) {
            next++;
        }
    }
    return next >= to_day;
}

/* Says from where on quarter hours have to be read: behind the days that are there one after the
 * other, from the first on or from where energy begins. */
static void set_supply(const struct taking *taking, const struct cost_days *days,
                       struct cost_supply *supply)
{
    const struct rating_input *input = &taking->account->input;
    int64_t next = input->from_day;

    if (least(taking->empty_day, taking->energy_day) > next) {
        next = least(taking->empty_day, taking->energy_day);
    }
    for (int i = 0; i < days->n && next < taking->energy_day; i++) {
        const struct cost_day *day = &days->items[i];
        if (day->day == next && day->imports.n > 0 &&
            strcmp(day->zone, taking->account->zone.name) == 0) {
            next++;
        }
    }
    supply->days = days;
    supply->read_from = least(next, input->to_day);
    supply->read_to = input->to_day;
}

/* Keeps of the days those that were asked for and are the ledger's. */
static enum err keep_days(struct op *op, const struct cost_days *days, struct cost_account *account)
{
    struct cost_days *kept = arena_alloc(op->arena, sizeof *kept);

    if (!kept) {
        return fail_memory(op);
    }
    *kept = (struct cost_days){ days->items, 0 };
    for (int i = 0; i < days->n; i++) {
        int64_t day = days->items[i].day;
        if (day < account->from_day) {
            kept->items++;
        } else if (day < account->ledger_day) {
            kept->n++;
        }
    }
    account->ledger = kept;
    return OK;
}

/* What is left to rate behind the ledger's days. */
static void narrow(struct cost_account *account, int64_t ledger_day)
{
    struct rating_input *input = &account->input;

    account->ledger_day = ledger_day;
    input->from_day = ledger_day >= account->to_day
                          ? input->to_day
                          : cost_ratchet_day(&account->rates, ledger_day, input->to_day);
}

/* Takes the ledger's days, where all that were asked for are there. */
static enum err take_days(struct db_tx *tx, const struct taking *taking, struct cost_days *days)
{
    struct cost_account *account = taking->account;
    int64_t ledger_day = taking->ledger_day, to_day = account->input.to_day;

    if (ledger_day <= account->from_day) {
        return OK;
    }
    int64_t quarters_day = ledger_day >= account->to_day
                               ? to_day
                               : cost_ratchet_day(&account->rates, ledger_day, to_day);
    enum err err = cost_days_load(tx, account, least(account->from_day, quarters_day), to_day,
                                  quarters_day, days);
    if (err == OK &&
        has_all(days, &account->zone, account->from_day, least(ledger_day, account->to_day))) {
        narrow(account, ledger_day);
        err = keep_days(db_op(tx), days, account);
    }
    return err;
}

enum err cost_ledger_take(struct db_tx *tx, const struct cost_query *query,
                          const struct cost_place_states *states, struct cost_account *account,
                          struct cost_supply *supply)
{
    const struct cost_place_state *state = find_state(states, account->site);
    struct taking taking = { .query = query, .account = account };
    struct cost_days *days = arena_alloc(db_op(tx)->arena, sizeof *days);

    if (!days) {
        return fail_memory(db_op(tx));
    }
    if (!state || account->is_valued || query->device.ptr ||
        (cost_is_supplied(account) && !may_take_days(&taking))) {
        return OK;
    }
    plan(&taking, state);
    enum err err = take_days(tx, &taking, days);
    if (err == OK && !account->ledger) {
        err = cost_days_load(tx, account, account->input.from_day, account->input.to_day,
                             account->input.from_day, days);
    }
    set_supply(&taking, days, supply);
    return err;
}

int64_t cost_ledger_left(const struct cost_query *query, const struct cost_place_states *states,
                         struct cost_account *account, int64_t *read_days)
{
    const struct cost_place_state *state = find_state(states, account->site);
    const struct rating_input *input = &account->input;
    struct taking taking = { .query = query, .account = account, .ledger_day = INT64_MIN,
                             .energy_day = INT64_MIN };
    int64_t from_day = input->from_day;

    if (state && !account->is_valued && !query->device.ptr) {
        plan(&taking, state);
    }
    if (taking.ledger_day > account->from_day) {
        from_day = taking.ledger_day >= account->to_day
                       ? input->to_day
                       : cost_ratchet_day(&account->rates, taking.ledger_day, input->to_day);
    }
    *read_days = input->to_day - (taking.energy_day > from_day ? taking.energy_day : from_day);
    return input->to_day - from_day;
}

/* ---- bills ---- */

/* The days [from_day, ledger_day) of a rating, and those behind it. */
static enum err join_days(struct op *op, struct cost_account *account, int64_t ledger_day,
                          struct rating *out)
{
    const struct rating *rest = &account->rating;
    size_t n = (size_t)(account->input.to_day - account->from_day);
    struct rating_day *days = arena_array(op->arena, n + 1, sizeof *days);
    struct rating_cycle *cycles = arena_array(op->arena, n + 1, sizeof *cycles);

    if (!days || !cycles) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < n; i++) {
        int64_t day = account->from_day + (int64_t)i;
        if (out->n_cycles == 0 || day >= cycles[out->n_cycles - 1].to_day) {
            cycles[out->n_cycles++] =
                rating_cycle_of(account->rates.versions, account->rates.n, day, INT64_MAX);
        }
        if (day >= ledger_day) {
            days[i] = rest->days[day - account->input.from_day];
        } else {
            days[i] = (struct rating_day){
                .version =
                    rating_version_on(account->rates.versions, account->rates.n, day, INT64_MAX),
                .n_missing = account->ledger->items[i].n_missing,
                .is_over = true,
            };
        }
        days[i].cycle = out->n_cycles - 1;
    }
    out->days = days;
    out->cycles = cycles;
    return OK;
}

/* The ledger's lines, then those that were rated behind them. */
static enum err join_lines(struct op *op, const struct cost_account *account,
                           const struct cost_kept_lines *kept, int64_t ledger_day,
                           struct rating *out)
{
    const struct rating *rest = &account->rating;
    struct rating_line *lines =
        arena_array(op->arena, (size_t)kept->n + rest->n_lines + 1, sizeof *lines);

    if (!lines || !out->days) {
        return fail_memory(op);
    }
    for (int i = 0; i < kept->n; i++) {
        const struct cost_kept_line *item = &kept->items[i];
        struct rating_line line = item->line;
        line.version = out->days[line.day - account->from_day].version;
        const struct cost_cite *cite =
            line.version < 0 ? NULL : &account->rates.cites[line.version];
        if (!cite || cite->schedule_id != item->schedule_id || cite->number != item->number) {
            return fail(op, ERR_UNAVAILABLE, "rate schedules are being changed");
        }
        lines[out->n_lines++] = line;
    }
    for (size_t i = 0; i < rest->n_lines; i++) {
        if (rest->lines[i].day >= ledger_day) {
            lines[out->n_lines++] = rest->lines[i];
        }
    }
    out->lines = lines;
    return OK;
}

enum err cost_ledger_join(struct db_tx *tx, struct cost_account *account)
{
    struct cost_kept_lines kept;
    struct rating joined = { .input = &account->input };
    int64_t ledger_day = least(account->ledger_day, account->to_day);

    if (!account->ledger) {
        return OK;
    }
    enum err err = cost_lines_load(tx, account, account->from_day, ledger_day, &kept);
    if (err == OK && ledger_day == account->to_day) {
        account->input.to_day = ledger_day;
        account->input.from_day = ledger_day;
    }
    if (err == OK) {
        err = join_days(db_op(tx), account, ledger_day, &joined);
    }
    if (err == OK) {
        err = join_lines(db_op(tx), account, &kept, ledger_day, &joined);
    }
    account->input.from_day = account->from_day;
    account->rating = joined;
    return err;
}
