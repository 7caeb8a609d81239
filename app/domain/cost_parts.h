/* Between cost.c (rating an account) and cost_account.c (which accounts there are). For nobody
 * else. */
#ifndef TIDEMARK_DOMAIN_COST_PARTS_H
#define TIDEMARK_DOMAIN_COST_PARTS_H

#include "domain/cost.h"

/* The accounts of what was asked for, with their meters and site_zone's name; nothing read of them
 * yet. ERR_NOT_FOUND. */
enum err cost_accounts_find(struct db_tx *tx, const struct cost_query *query,
                            struct cost_accounts *out) MUST_CHECK;

#endif
