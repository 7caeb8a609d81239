/* What the lists of samples and of rollups share: parameters, positions, a bucket's columns, and
 * those of both in Parquet. */
#ifndef TIDEMARK_WEB_BUCKETS_H
#define TIDEMARK_WEB_BUCKETS_H

#include "domain/sample.h"
#include "web/list.h"

/* time, device, metric, count, min, max, avg, sum, first, last, unit, labels. */
extern const struct parquet_schema buckets_schema;

/* `bucket`, one of the names that sample_bucket_parse knows, else `fallback` where it is absent. */
enum err buckets_query(struct web *web, enum sample_bucket fallback,
                       enum sample_bucket *out) MUST_CHECK;

/* `tz`: a zone's name, NULL where it is absent. ERR_INVALID for what can be none. */
enum err buckets_query_zone(struct web *web, const char **out) MUST_CHECK;

/* Whose local days the bounds are. */
struct buckets_place {
    struct str site, device; /* keys; ptr NULL: of all */
    const char *zone_name;   /* that was asked for; NULL: the device's, else the site's, else the
                              * tenant's */
};

/* `from` and `to` as web_query_span, but a date alone is the beginning of that day of the place. */
enum err buckets_query_span(struct web *web, const struct buckets_place *place, int64_t *from_us,
                            int64_t *to_us) MUST_CHECK;

/* What an ERR_INVALID of the database means where a zone was asked for: that it knows none such. */
enum err buckets_bad_zone(struct web *web) MUST_CHECK;

/* The series of a position; ERR_MALFORMED for a position of another list. */
enum err buckets_position(struct web *web, const struct cursor *after,
                          int32_t *series_id) MUST_CHECK;

/* The position of an item, its key in the arena. */
enum err buckets_end(struct web *web, int64_t time_us, int32_t series_id,
                     struct cursor *out) MUST_CHECK;

/* The values of count, min, max, avg, sum, first, last. */
void buckets_write(struct list_writer *list, const struct sample_rollup *rollup);

#endif
