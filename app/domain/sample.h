/* Samples of a device as a tenant reads them: as they came, or in buckets. All text lives
 * in the operation's arena. Writing samples is ingest's business. */
#ifndef TIDEMARK_DOMAIN_SAMPLE_H
#define TIDEMARK_DOMAIN_SAMPLE_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

/* The spans of local time that rollups are kept in. SAMPLE_RAW is none: every sample. */
enum sample_bucket {
    SAMPLE_RAW, SAMPLE_15M, SAMPLE_1H, SAMPLE_1D, SAMPLE_1W, SAMPLE_1MO
};

/* By its name in URLs ("raw", "15m", … "1mo"); false for another. */
bool sample_bucket_parse(struct str text, enum sample_bucket *out);
const char *sample_bucket_name(enum sample_bucket bucket);

/* Whose samples, of when, and where the list goes on. */
struct sample_filter {
    const char *device;      /* key */
    const char *site_zone;   /* IANA; for buckets: the zone of the device's site */
    struct str metric;       /* ptr NULL: all metrics */
    int64_t from_us;         /* inclusive */
    int64_t to_us;           /* exclusive */
    bool is_after;           /* only what follows (after_us, after_series) */
    int64_t after_us;
    int32_t after_series;
    bool has_units;          /* the units of raw samples, too */
    int limit;
};

struct sample {
    int64_t time_us;
    int32_t series_id;
    const char *metric;
    const char *labels;      /* JSON object, {} without labels */
    const char *unit;        /* or NULL: unknown, or not asked for */
    double value;
};

struct sample_list {
    struct sample *items;
    int n;
};

/* Raw samples, by time and then series. */
enum err sample_list(struct db_tx *tx, const struct sample_filter *filter,
                     struct sample_list *out) MUST_CHECK;

struct sample_rollup {
    int64_t time_us;         /* the bucket's start */
    int32_t series_id;
    const char *metric;
    const char *labels;
    const char *unit;        /* or NULL; of sample_rollup_list alone */
    int64_t count;
    double min, max, avg, sum;
    double first, last;      /* by time */
};

struct sample_rollup_list {
    struct sample_rollup *items;
    int n;
};

/* Where none was asked for (NULL) and hours are those of a site's zone that is not whole hours off
 * UTC, makes it that zone. Kept hours are UTC's. */
enum err sample_choose_zone(struct db_tx *tx, const struct sample_filter *filter,
                            enum sample_bucket bucket, const char **zone_name) MUST_CHECK;

/* Buckets that start in [from_us, to_us), whole, by start and then series. Empty buckets
 * are left out. Days, weeks (from Monday) and months are those of `zone_name` (IANA), or of the
 * device's site where it is NULL, hours then UTC's. ERR_INVALID for an unknown zone. */
enum err sample_rollup_list(struct db_tx *tx, const struct sample_filter *filter,
                            enum sample_bucket bucket, const char *zone_name,
                            struct sample_rollup_list *out) MUST_CHECK;

/* True when any series that the filter's device and metric name carries labels. */
enum err sample_has_labels(struct db_tx *tx, const struct sample_filter *filter,
                           bool *out) MUST_CHECK;

#endif
