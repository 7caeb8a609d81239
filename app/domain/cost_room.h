/* Memory of accounts that are many: how much rating them takes, and rating one after the other.
 * Called by cost.c and cost_list.c. */
#ifndef TIDEMARK_DOMAIN_COST_ROOM_H
#define TIDEMARK_DOMAIN_COST_ROOM_H

#include "domain/cost_parts.h"

#define COST_HELD_BYTES (INT64_C(40) << 20) /* of all accounts of a page of a list at once; beyond
                                             * it of one after the other */
#define COST_LIST_BYTES (INT64_C(96) << 20) /* of a page one after the other: some 20 accounts over
                                             * a year, less than a second's work */
#define COST_BILL_BYTES (INT64_C(10) << 20) /* of bills at once; of some 200 accounts over a year
                                             * what is left of them fills a request's memory */

/* What the accounts' quarter hours that the ledger does not have take in memory while they are
 * rated, at most; the accounts are laid out. */
int64_t cost_room_of(const struct cost_query *query, const struct cost_place_states *states,
                     const struct cost_accounts *accounts);

/* Refuses to rate a laid-out account whose readings have no room in the operation's memory, going
 * by those of some days, in a sentence that says what to ask for: ERR_CHANGING where the ledger
 * will have them, else ERR_INVALID. */
enum err cost_check_readings(struct db_tx *tx, const struct cost_query *query,
                             const struct cost_place_states *states,
                             struct cost_account *account) MUST_CHECK;

/* Takes into the operation's memory what is needed of a rated account: `energy`, `rating` and
 * `ledger` are released after it. */
typedef enum err (*cost_taker)(struct op *op, struct cost_account *account, void *state);

/* Rates an account in memory of its own, has it taken, and releases that memory. */
enum err cost_rate_apart(struct db_tx *tx, const struct cost_query *query,
                         const struct cost_place_states *states, struct cost_account *account,
                         cost_taker take, void *state) MUST_CHECK;

/* A taker of what cost_bill needs. */
enum err cost_take_bill(struct op *op, struct cost_account *account, void *state) MUST_CHECK;

/* For the memo: accounts without energy, which was released. */
enum err cost_remember_apart(struct op *op, const struct cost_accounts *accounts,
                             struct cost_memo *memo) MUST_CHECK;

/* ERR_INVALID where the accounts have no room beside what is in the operation's memory, in a
 * sentence that says what to ask for. `is_apart`: they are rated so, for their bills. */
enum err cost_check_room(struct op *op, const struct cost_accounts *accounts, int64_t bytes,
                         bool is_apart) MUST_CHECK;

#endif
