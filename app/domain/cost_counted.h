/* Which series an account's bill is made of, by the rules of cost_energy.h, as far as that can be
 * said of whole days. Called by the API and pages. */
#ifndef TIDEMARK_DOMAIN_COST_COUNTED_H
#define TIDEMARK_DOMAIN_COST_COUNTED_H

#include "domain/cost.h"

/* What a device tells as a metric in a role. */
struct cost_counted {
    const char *device, *metric, *role;
    int n_days;         /* closed local days of the site on which it told something; at least 1 */
    int n_counted_days; /* of them, on which it counted */
};

struct cost_counted_list {
    struct cost_counted *items; /* by account, device, role, and of these the best first */
    int n;
};

#define COST_COUNTED_DAYS 500000 /* days of all series together that are looked at */

/* Those of all accounts on the days that were asked for; none where these are too many. In the
 * operation's arena. */
enum err cost_counted_load(struct db_tx *tx, const struct cost_accounts *accounts,
                           struct cost_counted_list *out) MUST_CHECK;

#endif
