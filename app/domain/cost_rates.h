/* The rate schedules under which a place's energy is rated: compiled versions, each on the days on
 * which it holds there. Called by cost.c. */
#ifndef TIDEMARK_DOMAIN_COST_RATES_H
#define TIDEMARK_DOMAIN_COST_RATES_H

#include "domain/rating.h"

struct db_tx;

/* What a version is cited as. */
struct cost_cite {
    int32_t schedule_id, number;
    const char *name;
};

struct cost_rates {
    struct rating_version *versions; /* with their days; none holds elsewhere */
    struct cost_cite *cites;         /* of each */
    int n;
};

/* Where and when, as it was known at a time. */
struct cost_rates_query {
    const char *site, *device; /* keys; of a device the site's where it has none. NULL: tenant's */
    int64_t from_day, to_day;  /* to exclusive */
    int64_t known_us;
};

/* Those in force there, without prices by time (cost_rates_add_prices). ERR_NOT_FOUND for a site or
 * device that there is not. */
enum err cost_rates_load(struct db_tx *tx, const struct cost_rates_query *query,
                         struct cost_rates *out) MUST_CHECK;

/* A schedule as if it held always: each version on its days, of several the newest; days that
 * none is of are priced by the newest. ERR_NOT_FOUND. */
enum err cost_rates_of(struct db_tx *tx, int32_t schedule_id, struct cost_rates *out) MUST_CHECK;

/* A document that is not kept as if it held always; its prices by time are those that a schedule
 * has. */
enum err cost_rates_only(struct op *op, const struct tariff *tariff, int32_t schedule_id,
                         struct cost_rates *out) MUST_CHECK;

/* Reads the prices by time that the versions name, of the query's days. */
enum err cost_rates_add_prices(struct db_tx *tx, const struct cost_rates_query *query,
                               struct cost_rates *rates) MUST_CHECK;

/* Makes them of their own: prices that are added to them are in no others. */
enum err cost_rates_copy(struct op *op, struct cost_rates *rates) MUST_CHECK;

#endif
