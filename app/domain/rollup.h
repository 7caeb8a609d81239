/* Buckets of samples across a tenant's devices. Those of one device: sample.h. All text lives in
 * the operation's arena. */
#ifndef TIDEMARK_DOMAIN_ROLLUP_H
#define TIDEMARK_DOMAIN_ROLLUP_H

#include "domain/sample.h"

/* Whose buckets, of when, and where the list goes on; views with ptr NULL: all. */
struct rollup_filter {
    enum sample_bucket bucket; /* none but SAMPLE_RAW */
    struct str device, site;   /* keys */
    struct str metric;
    const char *zone_name;     /* IANA; NULL: each device's own */
    int64_t from_us;           /* inclusive, of the bucket's start */
    int64_t to_us;             /* exclusive */
    bool is_after;             /* only what follows (after_us, after_series) */
    int64_t after_us;
    int32_t after_series;
    int limit;
};

struct rollup {
    const char *device;        /* key */
    const char *unit;          /* or NULL */
    struct sample_rollup bucket;
};

struct rollup_list {
    struct rollup *items;
    int n;
};

/* Where no zone was asked for and hours are those of a zone that is not whole hours off UTC, names
 * that zone in the filter: the device's, else the site's, else the tenant's. Kept hours are
 * UTC's. */
enum err rollup_choose_zone(struct db_tx *tx, struct rollup_filter *filter) MUST_CHECK;

/* Buckets that start in [from_us, to_us), whole, by start and then series; empty ones are left out.
 * ERR_INVALID for an unknown zone. */
enum err rollup_list(struct db_tx *tx, const struct rollup_filter *filter,
                     struct rollup_list *out) MUST_CHECK;

#endif
