/* The ledger's days and lines as they are kept: which days of an account are rated, what they cost,
 * and what passed its meter in each quarter hour. Called by cost.c and cost_work.c. */
#ifndef TIDEMARK_DOMAIN_COST_DAY_H
#define TIDEMARK_DOMAIN_COST_DAY_H

#include "db/db.h"
#include "domain/cost_bucket.h"

struct cost_day {
    int64_t day;
    const char *zone;          /* that it is local by */
    struct cost_bucket bucket; /* all that it comes to */
    bool is_partly;            /* one of several meters is silent */
    int n_missing;             /* quarter hours */
    struct db_int64_list imports, exports; /* nano-kWh by quarter hour; n 0: not asked for */
    struct str known;          /* a byte each: enum cost_known, with COST_DAY_BETWEEN */
};

/* The bits of such a byte: what is known of the quarter hour, and whether it is one of
 * cost_energy.is_between. */
enum { COST_DAY_KNOWN = 3, COST_DAY_BETWEEN = 4 };

struct cost_days {
    struct cost_day *items;    /* ascending */
    int n;
};

/* The rated days [from_day, to_day) of an account, with the quarter hours of those from
 * `quarters_day` on. In the operation's arena. */
enum err cost_days_load(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                        int64_t to_day, int64_t quarters_day, struct cost_days *out) MUST_CHECK;

/* A line of the ledger: `line`'s version is left to the reader. */
struct cost_kept_line {
    struct rating_line line;
    int32_t schedule_id, number;
};

struct cost_kept_lines {
    struct cost_kept_line *items; /* by day, in the order of the bill */
    int n;
};

/* The lines of the rated days [from_day, to_day) of an account. */
enum err cost_lines_load(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                         int64_t to_day, struct cost_kept_lines *out) MUST_CHECK;

/* Writes the days [from_day, to_day) of a rated account, folded into `days` (one for each), and
 * its lines, in place of those that are there; adds how many rows that changed. */
enum err cost_days_store(struct db_tx *tx, const struct cost_account *account,
                         const struct cost_buckets *days, int64_t from_day, int64_t to_day,
                         int64_t *n_rows) MUST_CHECK;

/* Removes what is there of these days. */
enum err cost_days_remove(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                          int64_t to_day, int64_t *n_rows) MUST_CHECK;

#endif
