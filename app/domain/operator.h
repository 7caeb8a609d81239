/* What operators see of the installation, and what they change: tenants. Over the operator role's
 * connection. Texts live in the operation's arena, times are in µs. */
#ifndef TIDEMARK_DOMAIN_OPERATOR_H
#define TIDEMARK_DOMAIN_OPERATOR_H

#include "base/str.h"
#include "domain/account.h"

struct tenant_list {
    struct tenant_record *items;
    int n;
};

/* Tenants after the slug `after` (ptr NULL: from the first), in the order of their slugs. */
enum err operator_tenant_list(struct db_tx *tx, struct str after, int limit,
                              struct tenant_list *out) MUST_CHECK;

/* ERR_NOT_FOUND where there is none of this slug. */
enum err operator_tenant_find(struct db_tx *tx, struct str slug,
                              struct tenant_record *out) MUST_CHECK;

/* What is to be changed of a tenant; a NULL leaves as it is. */
struct tenant_change {
    const char *name, *timezone, *currency;
    const char *status; /* "active", or "suspended": shut out within seconds, nothing is lost */
};

/* ERR_NOT_FOUND for an unknown slug, ERR_INVALID for an unknown zone or another currency. */
enum err operator_tenant_patch(struct db_tx *tx, struct str slug,
                               const struct tenant_change *change) MUST_CHECK;

#endif
