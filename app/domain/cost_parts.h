/* Between the files of costs: cost.c (rating an account), cost_account.c (which accounts there
 * are), cost_supply.c (where their energy comes from), cost_spread.c (what of it counts for
 * demand), cost_ledger.c (what the ledger has of them), cost_room.c (memory for many),
 * cost_cycles.c (which days are rated together), cost_work.c (the ledger's making) and
 * cost_device.c (what each device's energy costs). For nobody else. */
#ifndef TIDEMARK_DOMAIN_COST_PARTS_H
#define TIDEMARK_DOMAIN_COST_PARTS_H

#include "domain/cost.h"
#include "domain/cost_day.h"

#define COST_REACH_DAYS 430 /* schedules around a span: for the cycles it lies in */
/* Before it where ratchets look back: its first cycle, all that they see, and the cycle before. */
#define COST_RATCHET_REACH_DAYS (2 * COST_REACH_DAYS + TARIFF_RATCHET_DAYS)

/* The start of the quarter hour that the time lies in. */
static inline int64_t cost_quarter_before(int64_t time_us)
{
    return time_us - ((time_us % COST_QUARTER_US) + COST_QUARTER_US) % COST_QUARTER_US;
}

/* ---- accounts ---- */

/* The accounts of what was asked for, with their meters and site_zone's name; nothing read of them
 * yet. ERR_NOT_FOUND. */
enum err cost_accounts_find(struct db_tx *tx, const struct cost_query *query,
                            struct cost_accounts *out) MUST_CHECK;

/* The accounts of a place, as it is now: a site, or (NULL) the devices at none. n 0: it has no
 * series that tells energy. */
enum err cost_accounts_at(struct db_tx *tx, const char *site, struct cost_accounts *out) MUST_CHECK;

/* Keeps those of a device's meters that say what it takes: at the grid, else what it consumes, else
 * what a sub-meter says; what it generates has no cost. */
void cost_keep_device(struct cost_account *account);

/* Since when the ledger does not hold at a place. */
struct cost_place_state {
    const char *site; /* key; NULL: devices at none */
    int64_t first_us, dirty_us, energy_us;
    const char *stamp; /* the ledger's */
};
struct cost_place_states {
    const struct cost_place_state *items;
    int n;
};

/* The accounts of the query with their days, zones, schedules and cycles, and the states of their
 * places; nothing is rated. Errors as those of cost_load. */
enum err cost_accounts_lay_out(struct db_tx *tx, const struct cost_query *query,
                               struct cost_place_states *states,
                               struct cost_accounts *out) MUST_CHECK;

/* Rates an account that is laid out: the rest of cost_load. */
enum err cost_rate_account(struct db_tx *tx, const struct cost_query *query,
                           const struct cost_place_states *states,
                           struct cost_account *account) MUST_CHECK;

/* ---- schedules ---- */

/* The schedule in force on the last of the days [from_day, to_day) that has one, whose zone the
 * days are local by; NULL: there is none. */
const struct tariff *cost_last_tariff(const struct cost_account *account, int64_t from_day,
                                      int64_t to_day);

/* Sets currency and decimals. ERR_INVALID where schedules of the input's days differ in zone or
 * currency. */
enum err cost_check_rates(struct op *op, struct cost_account *account) MUST_CHECK;

/* Whether one of them has a ratchet. */
bool cost_has_ratchets(const struct cost_rates *rates);

/* The first day from which cycles have to be rated for those from from_day (the first of one, or of
 * a currency or zone) on to be right: ratchets look back, but not to another currency or zone. */
int64_t cost_ratchet_day(const struct cost_rates *rates, int64_t from_day, int64_t to_day);

/* The first of the days from floor_day on since which all are billed in the currency and zone of
 * the days [from_day, to_day). */
int64_t cost_same_since(const struct cost_rates *rates, int64_t floor_day, int64_t from_day,
                        int64_t to_day);

/* The first of the days [from_day, to_day) that is billed in another currency or zone than those
 * before it; to_day: there is none. */
int64_t cost_same_until(const struct cost_rates *rates, int64_t from_day, int64_t to_day);

/* ---- energy ---- */

/* What is known of the account's quarter hours already: of days of its zone, and the span of days
 * that has to be read from its meters. */
struct cost_supply {
    const struct cost_days *days; /* with their quarter hours; may be NULL */
    int64_t read_from, read_to;   /* days: in between nothing of `days` is used */
    int64_t empty_until;          /* days before it, but for the span, have none; INT64_MIN: no */
    bool needs_meters;
};

/* Widens a span of quarter hours so that every day of the site's that touches it lies in it. */
void cost_widen(const struct cost_account *account, int64_t *from_us, int64_t *to_us);

/* Reads the quarter hours of all meters of the account in [from_us, to_us), unless they are there:
 * then those of a wider span are. */
enum err cost_read_all(struct db_tx *tx, struct cost_account *account, int64_t from_us,
                       int64_t to_us) MUST_CHECK;

/* Whether account->energy has all days of its input. */
bool cost_is_supplied(const struct cost_account *account);

/* Sets account->energy for the days of its input, unless it has them. */
enum err cost_supply(struct db_tx *tx, const struct cost_supply *supply,
                     struct cost_account *account) MUST_CHECK;

/* How much more (or less) than its energy's import counts for demand in each of the account's
 * quarter hours: what readings of intervals tell is averaged up to the next one. NULL without
 * memory. */
const int64_t *cost_spread(struct arena *arena, const struct cost_account *account) MUST_CHECK;

/* Makes the input's intervals of the account's energy; `has_empty`: with those of no energy. */
enum err cost_set_intervals(struct op *op, struct cost_account *account,
                            bool has_empty) MUST_CHECK;

/* The same, and rates it. */
enum err cost_rate_input(struct op *op, struct cost_account *account) MUST_CHECK;

/* ---- the ledger ---- */

/* Of the site, or (ptr NULL) of all places of the tenant, as far as [from_us, to_us) goes. */
enum err cost_ledger_states(struct db_tx *tx, struct str site, int64_t from_us, int64_t to_us,
                            struct cost_place_states *out) MUST_CHECK;

/* The days of the account that the ledger may have: from where its energy begins up to the first
 * that a change may touch or that is not over. False: none. */
bool cost_ledger_span(const struct cost_place_states *states, const struct cost_account *account,
                      int64_t *first_day, int64_t *dirty_day);

/* The stamp of the ledger's answers about the account; NULL: there is none. */
const char *cost_ledger_stamp(const struct cost_place_states *states,
                              const struct cost_account *account);

/* Takes from the ledger what it has of the account: its days or, for bills, its lines, and quarter
 * hours. Narrows the input to what is left to rate; `supply` says where its energy is. */
enum err cost_ledger_take(struct db_tx *tx, const struct cost_query *query,
                          const struct cost_place_states *states, struct cost_account *account,
                          struct cost_supply *supply) MUST_CHECK;

/* How many days of a laid-out account are rated here, at most: those that the ledger does not have,
 * with the cycles around them. *read_days: of how many, the last ones, meters have to be read. */
int64_t cost_ledger_left(const struct cost_query *query, const struct cost_place_states *states,
                         struct cost_account *account, int64_t *read_days);

/* For bills: puts the ledger's lines before those that were rated. */
enum err cost_ledger_join(struct db_tx *tx, struct cost_account *account) MUST_CHECK;

#endif
