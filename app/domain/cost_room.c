/* Rates many accounts one after the other, so that what each takes in memory is released before the
 * next; says how much that is. Called by cost.c and cost_list.c. */
#include "domain/cost_room.h"

#include "base/limits.h"
#include "db/db.h"

#include <string.h>

#define QUARTERS_A_DAY 96
/* Of a quarter hour: energy as read and as put together, an interval, what it costs. */
#define QUARTER_BYTES 120
#define READING_BYTES 16 /* and of each meter */
#define BILL_SHARE 12    /* of these what a bill's lines and days take, at most */
#define ROOM_BYTES ((int64_t)REQUEST_ARENA_BYTES / 8 * 7) /* the rest is for the answer */

int64_t cost_room_of(const struct cost_query *query, const struct cost_place_states *states,
                     const struct cost_accounts *accounts)
{
    int64_t sum = 0;

    for (int i = 0; i < accounts->n; i++) {
        struct cost_account *account = &accounts->items[i];
        sum += cost_ledger_left(query, states, account) * QUARTERS_A_DAY *
               (QUARTER_BYTES + (int64_t)account->n_meters * READING_BYTES);
    }
    return sum;
}

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
