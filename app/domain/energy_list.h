/* Energy of a tenant, a site or a device in local buckets, exact. Called by GET /v1/energy. */
#ifndef TIDEMARK_DOMAIN_ENERGY_LIST_H
#define TIDEMARK_DOMAIN_ENERGY_LIST_H

#include "domain/sample.h"

/* Whose, of when, by whose clock. Views with ptr NULL: all. */
struct energy_filter {
    enum sample_bucket bucket; /* none but SAMPLE_RAW */
    struct str device, site;   /* keys */
    const char *zone_name;     /* IANA; NULL: the device's site's, the site's, else the tenant's */
    int64_t from_us;           /* inclusive, of the bucket's start */
    int64_t to_us;             /* exclusive */
    int limit;
};

/* kWh as decimals, "0.25"; NULL: nothing of it is known. */
struct energy_bucket {
    int64_t time_us;           /* where it starts */
    const char *used_kwh;      /* as flow_used (flow.h) says */
    const char *consumption_kwh, *generation_kwh, *grid_import_kwh, *grid_export_kwh;
};

struct energy_bucket_list {
    struct energy_bucket *items; /* ascending; buckets without data are left out */
    int n;
};

/* In the operation's arena. ERR_INVALID for an unknown zone. */
enum err energy_bucket_list(struct db_tx *tx, const struct energy_filter *filter,
                            struct energy_bucket_list *out) MUST_CHECK;

#endif
