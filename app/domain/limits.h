/* How much a tenant may send: the limits that operators set, as the command line, the API and the
 * pages name them. Ingest keeps them (ingest/quota.h). */
#ifndef TIDEMARK_DOMAIN_LIMITS_H
#define TIDEMARK_DOMAIN_LIMITS_H

#include "base/config.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

enum tenant_limit { LIMIT_REQUEST_RATE, LIMIT_TOKEN_RATE, LIMIT_SERIES, LIMIT_ROWS, TENANT_LIMITS };

struct limit_row {
    const char *name;  /* in the API and the database: "request_rate" */
    const char *label; /* for people: "Posts a second" */
    int64_t max;
};
extern const struct limit_row LIMIT_ROWS_OF[TENANT_LIMITS];

#define LIMIT_DEFAULT INT64_C(-1) /* as the installation's settings say; 0: no limit */
#define LIMIT_KEEP INT64_C(-2)    /* of a change: as it is */

struct tenant_limits {
    int64_t values[TENANT_LIMITS];
};

/* The installation's own, from its settings. */
struct tenant_limits limits_of_config(const struct config *config);

/* What holds: the tenant's, where it has its own. */
struct tenant_limits limits_effective(const struct tenant_limits *own, const struct config *config);

/* Changes those that are not LIMIT_KEEP. ERR_NOT_FOUND for an unknown slug. Over the operator
 * role's connection. */
enum err limits_change(struct db_tx *tx, struct str slug,
                       const struct tenant_limits *limits) MUST_CHECK;

/* The transaction's tenant: its own limits, and what it has used of them. */
struct limits_used {
    struct tenant_limits own;
    int64_t series, rows_today;
};
enum err limits_load(struct db_tx *tx, struct limits_used *out) MUST_CHECK;

#endif
