/* What would become of a request: its names are resolved in a transaction that is rolled back, and
 * what is there is only looked at. One dry run of a tenant at a time, and few of all: they hold
 * connections that others wait for. */
#ifndef TIDEMARK_INGEST_DRY_RUN_H
#define TIDEMARK_INGEST_DRY_RUN_H

#include "ingest/resolve.h"
#include "ingest/ticket.h"

#include <pthread.h>

#define DRY_RUNS_AT_ONCE 4 /* a quarter of the threads */

/* The tenants that have one under way. */
struct dry_runs {
    pthread_mutex_t lock;
    int32_t tenants[DRY_RUNS_AT_ONCE]; /* 0: a free place */
};

/* Nobody has one. */
void dry_runs_init(struct dry_runs *runs);

/* Enters one of the tenant, until the op's arena is reset. ERR_UNAVAILABLE where it has one or all
 * places are taken, and, with op->would_wait, for an operation that must not wait. */
enum err dry_runs_enter(struct dry_runs *runs, struct op *op, int32_t tenant_id) MUST_CHECK;

/* Notes the outcomes in the ticket's columns, stores nothing. Errors as ingest_resolve. */
enum err ingest_dry_run(const struct resolve *resolve, struct ingest_ticket *ticket,
                        struct db_pool *pool) MUST_CHECK;

#endif
