/* Energy and what it costs in local buckets of a tenant, a site or a device: a page at a time.
 * Called by the API and by pages. */
#ifndef TIDEMARK_DOMAIN_COST_LIST_H
#define TIDEMARK_DOMAIN_COST_LIST_H

#include "domain/cost_bucket.h"
#include "domain/sample.h"

#define COST_LIST_DAYS 370  /* most of one page: what is rated at once */
#define COST_LAST_DAY 80000 /* 2189: calendars of schedules are not known much longer */

struct cost_list_query {
    struct cost_query costs;    /* place, as_of_us, now_us; from, to and needs_slots are ignored */
    enum sample_bucket bucket;  /* none but SAMPLE_RAW */
    const char *zone_name;      /* that buckets are local by; NULL: the place's (cost_zone) */
    int64_t from_us, to_us;     /* of the starts of buckets; to exclusive */
    int limit;                  /* buckets; 1 at least */
};

struct cost_list {
    struct cost_buckets buckets; /* those of which nothing is known too: see is_known */
    const char *currency;        /* NULL where no schedule is in force */
    int decimals;                /* of the currency */
    int64_t next_us;             /* from there on buckets follow; INT64_MAX: none do */
    bool is_short;               /* it ends there because so many accounts are rated at once, or
                                  * as another currency or zone of a schedule begins */
};

/* The first buckets that begin in the span: as many as the limit, COST_LIST_DAYS and the number of
 * accounts and meters allow, one at least; none before 1970 or after COST_LAST_DAY. In the
 * operation's arena. ERR_NOT_FOUND for a site or device that there is not; ERR_INVALID for an
 * unknown zone, where accounts differ in currency, and where schedules in force in the first bucket
 * differ in zone or currency: then next_us is the bucket's end. */
enum err cost_list_load(struct db_tx *tx, const struct cost_list_query *query,
                        struct cost_list *out) MUST_CHECK;

#endif
