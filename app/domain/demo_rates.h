/* What energy costs the demo's tenants. */
#ifndef TIDEMARK_DOMAIN_DEMO_RATES_H
#define TIDEMARK_DOMAIN_DEMO_RATES_H

#include "domain/demo_seed.h"

/* Makes those of the tenant's rate schedules that are not there, by name, assigns them to its site,
 * and adds prices by time from the demo's past to tomorrow. */
enum err demo_rates_put(struct op *op, const struct demo_conns *conns,
                        const struct demo_store *store) MUST_CHECK;

#endif
