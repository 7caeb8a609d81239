/* Prices by time of a rate schedule's series (tariff_series), as they are kept: added, never
 * changed; of one time that which was known last holds. Called by the handler of prices. */
#ifndef TIDEMARK_DOMAIN_RATE_PRICE_H
#define TIDEMARK_DOMAIN_RATE_PRICE_H

#include "base/op.h"
#include "base/str.h"
#include "domain/price_series.h"

struct db_tx;

struct rate_price {
    struct price_point point; /* to_us INT64_MAX: without an end */
    int64_t known_us;         /* since when */
};

struct rate_price_list {
    struct rate_price *items; /* ascending */
    int n;
};

/* Whose, of when, and as known at a time (INT64_MAX: now). */
struct rate_price_filter {
    int32_t schedule_id;
    const char *series;
    int64_t from_us, to_us;   /* of where they begin */
    int64_t known_us;
    int limit;
};

/* In the operation's arena. None where the tenant has no such schedule or series. */
enum err rate_price_list(struct db_tx *tx, const struct rate_price_filter *filter,
                         struct rate_price_list *out) MUST_CHECK;

/* Adds those that are not known yet; how many. ERR_NOT_FOUND for the schedule. */
enum err rate_price_add(struct db_tx *tx, int32_t schedule_id, const char *series,
                        const struct price_series *prices, int32_t *added) MUST_CHECK;

#endif
