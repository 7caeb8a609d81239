/* What was rated, folded into a zone's local buckets. Called by the API. */
#ifndef TIDEMARK_DOMAIN_COST_BUCKET_H
#define TIDEMARK_DOMAIN_COST_BUCKET_H

#include "domain/cost.h"
#include "domain/zone.h"

/* A period's energy and what it costs: energy charges and riders per kWh. */
struct cost_period {
    const char *name, *title;
    struct quantity import;
    struct money cost;
};

struct cost_bucket {
    int64_t from_us, to_us;
    struct quantity import, export; /* nano-kWh */
    struct money cost;           /* all that it costs; what does not depend on the time of day is
                                  * spread evenly over its local day */
    struct money exported;       /* of it, what is paid for energy that is fed in: negative */
    struct money once;           /* of it, what no other day is like: demand, minimums, charges on a
                                  * date */
    bool is_known;               /* something is known of it, or costs something */
    bool is_priced;              /* a schedule is in force in some of it */
    bool is_final;               /* over, and nothing of it is missing or without a price */
    struct cost_period *periods; /* in the order in which they come */
    int n_periods;
};

struct cost_buckets {
    struct cost_bucket *items; /* ascending, without gaps */
    int n;
};

/* The buckets between the edges (starts of all, and the end of the last), of all accounts, which
 * must be of one currency and have their slots. In the operation's arena. */
enum err cost_fold(struct op *op, const struct cost_accounts *accounts,
                   const struct zone_starts *edges, int64_t now_us,
                   struct cost_buckets *out) MUST_CHECK;

/* The same of one account after the other: buckets with nothing in them, and what an account adds,
 * of which nothing is needed any more after that. */
enum err cost_fold_begin(struct op *op, const struct zone_starts *edges, int64_t now_us,
                         struct cost_buckets *out) MUST_CHECK;
enum err cost_fold_add(struct op *op, const struct cost_account *account,
                       struct cost_buckets *out) MUST_CHECK;

#endif
