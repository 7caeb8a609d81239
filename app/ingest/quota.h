/* Limits that protect a tenant's neighbours: posts a second of a token and of a tenant, and rows a
 * day. The counts lie in memory that the processes of an installation share, so that any number of
 * them keeps one limit; of a tenant without limits they cost a comparison. How many series a
 * tenant may have is the database's to know (resolve asks it). */
#ifndef TIDEMARK_INGEST_QUOTA_H
#define TIDEMARK_INGEST_QUOTA_H

#include "auth/identity.h"
#include "base/op.h"

#include <stdint.h>

struct db_conn;
struct ingest_columns;
struct quotas;

/* Zeroed memory shared with children forked later, and the limits of tenants that have none of
 * their own (0: none). NULL when it is not to be had. Lives as long as the process. */
struct quotas *quotas_new(const struct identity_limits *defaults);

/* What holds for a tenant: its own limits where it has some. All 0 for a NULL. */
struct identity_limits quotas_limits(const struct quotas *quotas,
                                     const struct identity_limits *own);

/* Lets a post of `who` in, at these times (monotonic, and of the calendar). ERR_RATE_LIMITED beyond
 * a limit; `*retry_s` is then the seconds until it makes sense to try again. */
enum err quotas_admit(struct quotas *quotas, struct op *op, const struct identity *who,
                      int64_t monotonic_us, int64_t now_us, int *retry_s) MUST_CHECK;

/* Takes back that a post was let in: it will be asked for again. */
void quotas_undo(struct quotas *quotas, const struct identity *who);

/* Counts the rows of a stored request: samples that are new or changed, and such events as have
 * a row of their own. NULL is allowed. */
void quotas_count(struct quotas *quotas, int32_t tenant_id, const struct ingest_columns *columns);

/* Series were refused because the tenant has all it may: until a few seconds later nobody need
 * count them again. */
void quotas_note_full(struct quotas *quotas, int32_t tenant_id, int64_t monotonic_us);
bool quotas_is_full(struct quotas *quotas, int32_t tenant_id, int64_t monotonic_us);

/* Adds to the database what was counted since the last time, and learns what that makes of each
 * tenant's day. Failures are left in the op; nothing is lost by them. */
void quotas_sync(struct quotas *quotas, struct op *op, struct db_conn *conn, int64_t now_us);

/* Refused posts and events since the start, by limit. */
enum quota_limit { QUOTA_TOKEN_RATE, QUOTA_REQUEST_RATE, QUOTA_ROWS, QUOTA_SERIES, QUOTA_LIMITS };
uint64_t quotas_refused(const struct quotas *quotas, enum quota_limit limit);

#endif
