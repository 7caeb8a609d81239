/* Between cost.c (rating an account), cost_account.c (which accounts there are) and cost_device.c
 * (what each device's energy costs). For nobody else. */
#ifndef TIDEMARK_DOMAIN_COST_PARTS_H
#define TIDEMARK_DOMAIN_COST_PARTS_H

#include "domain/cost.h"

/* The accounts of what was asked for, with their meters and site_zone's name; nothing read of them
 * yet. ERR_NOT_FOUND. */
enum err cost_accounts_find(struct db_tx *tx, const struct cost_query *query,
                            struct cost_accounts *out) MUST_CHECK;

/* Keeps those of a device's meters that say what it takes: at the grid, else what it consumes, else
 * what a sub-meter says; what it generates has no cost. */
void cost_keep_device(struct cost_account *account);

/* Makes the input's intervals of the account's energy. */
enum err cost_set_intervals(struct op *op, struct cost_account *account) MUST_CHECK;

#endif
