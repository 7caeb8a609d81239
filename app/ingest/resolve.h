/* From names to numbers: fills in the devices, sites and series of a request, from the cache or
 * by asking the database once, which registers what is new where the tenant allows it. */
#ifndef TIDEMARK_INGEST_RESOLVE_H
#define TIDEMARK_INGEST_RESOLVE_H

#include "db/conn.h"
#include "ingest/series_cache.h"

struct resolve {
    struct op *op;
    struct ingest_columns *columns;
    struct series_cache *cache;
    struct quotas *quotas; /* or NULL */
    int32_t tenant_id;
    bool may_register;   /* devices and sites that are not known */
};

/* Resolves; the events of devices, sites and series that are not to be had are rejected.
 * Connections come from `pool`. ERR_UNAVAILABLE when the database or a connection is not to be
 * had. */
enum err ingest_resolve(const struct resolve *resolve, struct db_pool *pool) MUST_CHECK;

/* The same inside the caller's transaction, by the database alone, which it may roll back:
 * nothing is remembered. */
enum err ingest_resolve_in(const struct resolve *resolve, struct db_tx *tx) MUST_CHECK;

#endif
