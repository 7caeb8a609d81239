/* Rates many accounts one after the other, so that what each takes in memory is released before the
 * next; says how much that is. Called by cost.c and cost_list.c. */
#include "domain/cost_room.h"

#include "base/limits.h"
#include "db/db.h"
#include "domain/cost_meter.h"
#include "domain/span.h"

#include <string.h>

#define QUARTERS_A_DAY 96
/* Of a quarter hour: energy as read and as put together, an interval, what it costs. */
#define QUARTER_BYTES 120
#define READING_BYTES 16 /* and of each meter */
#define KEPT_BYTES (INT64_C(40) << 20) /* of readings, where the ledger will have them: some two
                                        * seconds' work */
#define PROBES 3         /* days whose readings are counted */
#define BILL_SHARE 12    /* of these what a bill's lines and days take, at most */
#define ROOM_BYTES ((int64_t)REQUEST_ARENA_BYTES / 8 * 7) /* the rest is for the answer */

int64_t cost_room_of(const struct cost_query *query, const struct cost_place_states *states,
                     const struct cost_accounts *accounts)
{
    int64_t sum = 0;

    for (int i = 0; i < accounts->n; i++) {
        struct cost_account *account = &accounts->items[i];
        int64_t read_days;
        sum += cost_ledger_left(query, states, account, &read_days) * QUARTERS_A_DAY *
               (QUARTER_BYTES + (int64_t)account->n_meters * READING_BYTES);
    }
    return sum;
}

/* ---- readings ---- */

static bool is_any(const struct cost_meter *meter)
{
    return meter != NULL;
}

/* How many readings the meters have on some of these days, each amid a third of them. */
static enum err count_some(struct db_tx *tx, struct cost_account *account, int64_t from_day,
                           int64_t to_day, int64_t *out)
{
    enum err err = OK;

    *out = 0;
    for (int i = 0; i < PROBES && err == OK; i++) {
        int64_t day = from_day + (to_day - from_day) * (2 * i + 1) / (2 * PROBES);
        err = cost_meters_read(tx, account->meters, account->n_meters, is_any,
                               span_day_start(&account->zone, day),
                               span_day_start(&account->zone, day + 1));
        for (int m = 0; m < account->n_meters; m++) {
            struct cost_meter *meter = &account->meters[m];
            *out += err == OK ? meter->n : 0;
            meter->n = 0;
            meter->told_from_us = meter->told_to_us = 0;
        }
    }
    return err;
}

/* Whether the ledger has what is asked for, or will. */
static bool is_kept(const struct cost_query *query)
{
    return query->as_of_us == COST_LATEST && !query->device.ptr && !query->tariff &&
           query->schedule_id == 0;
}

/* What the ledger will have is asked for again; what it never has is asked for in parts. */
static enum err refuse_readings(struct op *op, const struct cost_query *query)
{
    return is_kept(query)
               ? fail(op, ERR_CHANGING,
                      "The costs of these days are being worked out anew, and have too many "
                      "readings to be worked out here meanwhile: ask again in a minute, or for "
                      "fewer days.")
               : fail(op, ERR_INVALID,
                      "These days have too many readings for their costs to be worked out at "
                      "once: ask for fewer days, or for a device.");
}

enum err cost_check_readings(struct db_tx *tx, const struct cost_query *query,
                             const struct cost_place_states *states, struct cost_account *account)
{
    struct op *op = db_op(tx);
    int64_t n_days, counted;
    int64_t n_rated = cost_ledger_left(query, states, account, &n_days);
    int64_t room = ROOM_BYTES - (int64_t)arena_used(op->arena) -
                   n_rated * QUARTERS_A_DAY * QUARTER_BYTES;
    int64_t most = is_kept(query) && room > KEPT_BYTES ? KEPT_BYTES : room;
    int64_t tomorrow = span_day_of(&account->zone, query->now_us) + 1;
    int64_t from_day = account->input.to_day - n_days, to_day = account->input.to_day;

    if (account->energy.n > 0 ||
        n_days * QUARTERS_A_DAY * account->n_meters * READING_BYTES <= most) {
        return OK;
    }
    to_day = to_day < tomorrow ? to_day : tomorrow;
    if (from_day >= to_day) {
        return OK;
    }
    enum err err = count_some(tx, account, from_day, to_day, &counted);
    if (err != OK || counted * (to_day - from_day) / PROBES * READING_BYTES <= most) {
        return err;
    }
    return refuse_readings(op, query);
}

/* ---- one after the other ---- */

/* What was read of the meters is not there any more. */
static void forget_readings(struct cost_account *account)
{
    for (int i = 0; i < account->n_meters; i++) {
        struct cost_meter *meter = &account->meters[i];
        meter->at_us = meter->nkwh = NULL;
        meter->n = 0;
        meter->told_from_us = meter->told_to_us = 0;
    }
    account->input.intervals = NULL;
    account->input.n_intervals = 0;
}

/* With schedules of its own, for prices by time are read into them. */
static enum err rate_copy(struct db_tx *tx, const struct cost_query *query,
                          const struct cost_place_states *states, struct cost_account *account)
{
    enum err err = cost_rates_copy(db_op(tx), &account->rates);

    if (err == OK) {
        account->input.versions = account->rates.versions;
        err = cost_rate_account(tx, query, states, account);
    }
    return err;
}

enum err cost_rate_apart(struct db_tx *tx, const struct cost_query *query,
                         const struct cost_place_states *states, struct cost_account *account,
                         cost_taker take, void *state)
{
    struct op *op = db_op(tx);
    struct arena *whole = op->arena, *own = arena_new(REQUEST_ARENA_BYTES);
    const struct cost_rates rates = account->rates;

    if (!own) {
        return fail_memory(op);
    }
    op->arena = own;
    enum err err = rate_copy(tx, query, states, account);
    op->arena = whole;
    account->rates = rates;
    account->input.versions = rates.versions;
    if (err == OK) {
        err = take(op, account, state);
    }
    forget_readings(account);
    arena_free(own);
    return err;
}

/* ---- bills ---- */

/* A copy in the arena; NULL without memory. */
static void *copy_of(struct arena *arena, const void *items, size_t n, size_t size)
{
    void *copy = arena_array(arena, n + 1, size);

    if (copy && n > 0) {
        memcpy(copy, items, n * size);
    }
    return copy;
}

/* Which days were taken from the ledger, and which of them are told in part. */
static bool take_ledger(struct arena *arena, struct cost_account *account)
{
    const struct cost_days *from = account->ledger;
    struct cost_days *kept = arena_alloc(arena, sizeof *kept);

    if (!from) {
        return true;
    }
    struct cost_day *items = arena_array(arena, (size_t)from->n + 1, sizeof *items);
    for (int i = 0; items && i < from->n; i++) {
        items[i] = (struct cost_day){ .day = from->items[i].day,
                                      .is_partly = from->items[i].is_partly,
                                      .n_missing = from->items[i].n_missing };
    }
    if (kept) {
        *kept = (struct cost_days){ items, from->n };
    }
    account->ledger = kept;
    return kept && items;
}

enum err cost_take_bill(struct op *op, struct cost_account *account, void *state)
{
    struct arena *arena = op->arena;
    struct rating *rating = &account->rating;
    struct cost_energy *energy = &account->energy;
    size_t n_days = (size_t)(account->input.to_day - account->input.from_day);

    (void)state;
    rating->lines = copy_of(arena, rating->lines, rating->n_lines, sizeof *rating->lines);
    rating->days = copy_of(arena, rating->days, n_days, sizeof *rating->days);
    rating->cycles =
        copy_of(arena, rating->cycles, (size_t)rating->n_cycles, sizeof *rating->cycles);
    rating->peaks = NULL;
    rating->n_peaks = 0;
    rating->slots = NULL;
    energy->import_nkwh = energy->export_nkwh = NULL;
    energy->is_between = NULL;
    energy->known = copy_of(arena, energy->known, energy->n, sizeof *energy->known);
    bool is_whole = rating->lines && rating->days && rating->cycles && energy->known;
    return take_ledger(arena, account) && is_whole ? OK : fail_memory(op);
}

enum err cost_remember_apart(struct op *op, const struct cost_accounts *accounts,
                             struct cost_memo *memo)
{
    struct cost_account *items =
        copy_of(op->arena, accounts->items, (size_t)accounts->n, sizeof *items);

    for (int i = 0; items && i < accounts->n; i++) {
        items[i].energy = (struct cost_energy){ .n = 0 };
    }
    memo->accounts = (struct cost_accounts){ items, accounts->n };
    return items ? OK : fail_memory(op);
}

enum err cost_check_room(struct op *op, const struct cost_accounts *accounts, int64_t bytes,
                         bool is_apart)
{
    int64_t held = is_apart ? bytes / BILL_SHARE : bytes;

    if (accounts->n == 1 || (int64_t)arena_used(op->arena) + held <= ROOM_BYTES) {
        return OK;
    }
    return fail(op, ERR_INVALID,
                "There are %d bills here, which are too many to be worked out at once over so many "
                "days: ask for fewer days, for a site or for a device.", accounts->n);
}
