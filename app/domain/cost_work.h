/* The ledger's making: rates a place again where it is to be. Called by work/job_costs.c. */
#ifndef TIDEMARK_DOMAIN_COST_WORK_H
#define TIDEMARK_DOMAIN_COST_WORK_H

#include "base/op.h"

struct db_tx;

/* Where the work stands, and what was done. */
struct cost_work {
    int32_t tenant_id, site_id; /* the place taken last; 0: begin with the first */
    bool is_taken;              /* the last step found one */
    int64_t n_days, n_rows;     /* rated; written or removed */
};

/* Takes the next place of any tenant that is to be rated again, and rates its billing cycles from
 * there on, as many as one step should; adds to `work`. The transaction must be bound to no tenant,
 * and is to be committed by the caller: until then nobody else takes the place, and if it is not,
 * nothing was done. */
enum err cost_work_step(struct db_tx *tx, struct cost_work *work) MUST_CHECK;

#endif
