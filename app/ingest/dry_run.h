/* What would become of a request: everything is done in one transaction that is rolled back. */
#ifndef TIDEMARK_INGEST_DRY_RUN_H
#define TIDEMARK_INGEST_DRY_RUN_H

#include "ingest/resolve.h"
#include "ingest/ticket.h"

/* Notes the outcomes in the ticket's columns, stores nothing. Errors as ingest_resolve. */
enum err ingest_dry_run(const struct resolve *resolve, struct ingest_ticket *ticket,
                        struct db_pool *pool) MUST_CHECK;

#endif
