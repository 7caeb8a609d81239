/* Why a day costs what it costs: which series were counted. Called by the API. */
#ifndef TIDEMARK_DOMAIN_COST_EXPLAIN_H
#define TIDEMARK_DOMAIN_COST_EXPLAIN_H

#include "domain/cost.h"

/* A series that told something of a span. */
struct cost_source {
    const struct cost_meter *meter;
    struct quantity energy; /* nano-kWh */
    int n_quarters;         /* in which it told something */
    bool is_counted;        /* else a better one of the device's role was, or a grid meter */
};

struct cost_sources {
    struct cost_source *items;
    int n;
};

/* Those of the account over [from_us, to_us), a local day of its site's; its meters are read where
 * they are not. In the operation's arena. */
enum err cost_explain(struct db_tx *tx, struct cost_account *account, int64_t from_us,
                      int64_t to_us, struct cost_sources *out) MUST_CHECK;

#endif
