/* Puts the demo into the database: tenants, persons, devices, and their past, filled from
 * the last sample up to now. */
#ifndef TIDEMARK_DOMAIN_DEMO_SEED_H
#define TIDEMARK_DOMAIN_DEMO_SEED_H

#include "domain/account.h"
#include "domain/demo.h"

struct db_conn;

#define DEMO_MAX_DEVICES 4

/* The connections that the roles' rights ask for; the caller's. */
struct demo_conns {
    struct db_conn *operator_conn; /* tenants, persons, devices, tokens */
    struct db_conn *ingest_conn;   /* series, samples, events */
    struct db_conn *web_conn;      /* zones */
};

/* A demo tenant as the database has it. */
struct demo_store {
    const struct demo_tenant *tenant;
    int32_t tenant_id;
    int32_t site_id;
    int32_t device_ids[DEMO_MAX_DEVICES];
    int32_t series_ids[DEMO_MAX_DEVICES][DEMO_MAX_METRICS];
    int64_t last_us[DEMO_MAX_DEVICES]; /* newest sample; 0: none */
    struct zone zone;                  /* from before the demo's past to a year ahead */
};

/* Makes what is missing of the tenant, its persons, site, devices and series, and reads how
 * far its samples go. What exists keeps its names and passwords. Everything of `out` lives
 * in the op's arena. */
enum err demo_store_open(struct op *op, const struct demo_conns *conns,
                         const struct demo_tenant *tenant, struct demo_store *out) MUST_CHECK;

/* The operator's person, who belongs to no tenant. */
enum err demo_operator_put(struct op *op, const struct demo_conns *conns) MUST_CHECK;

/* Stores a device's token for the poster of live readings. */
enum err demo_token_put(struct op *op, const struct demo_conns *conns,
                        const struct new_token *token) MUST_CHECK;

/* Revokes the tenant's tokens of that name. */
enum err demo_tokens_revoke(struct op *op, const struct demo_conns *conns, const char *tenant_slug,
                            const char *name) MUST_CHECK;

/* Fills each device from its last sample (at most DEMO_DAYS back) up to now at DEMO_STEP_US,
 * week by week, each in a transaction of its own, and moves store->last_us on.
 * `out_samples` gets how many were stored. */
enum err demo_store_fill(struct op *op, const struct demo_conns *conns, struct demo_store *store,
                         int64_t now_us, int64_t *out_samples) MUST_CHECK;

#endif
