/* Buckets of what the archive has, as rollups would have them: made of quarter hours, or of days
 * where they are weeks and months of a site's own zone, added up in the order of time. Called by
 * the lists of web/ for buckets that the database does not have any more. */
#ifndef TIDEMARK_ARCHIVE_REACH_FOLD_H
#define TIDEMARK_ARCHIVE_REACH_FOLD_H

#include "archive/reach.h"

struct reach_bucket {
    int64_t start_us;
    int32_t series_id;
    int64_t count;
    double sum, min, max;
    double first, last; /* by time */
};

/* Which buckets. */
struct reach_fold {
    const char *grain;      /* "15m", "1h", "1d", "1w" or "1mo" */
    const char *zone_name;  /* NULL: the site's, of hours and quarter hours UTC's */
    int64_t from_us, to_us; /* that start in [from_us, to_us) */
    int64_t end_us;         /* and end then at the latest */
    bool is_after;          /* only what follows (after_us, after_series) */
    int64_t after_us;
    int32_t after_series;
    int limit;
};

struct reach_buckets {
    struct reach_bucket *items; /* by start and then series; in the transaction's memory */
    int n;
    bool is_read; /* days of the archive were looked for */
    bool is_late; /* one less than the limit, or it took long enough: there may be more that start
                   * at late_us or later */
    int64_t late_us;
};

/* What of a grain's buckets the transaction's tenant has. */
struct reach_kept {
    int64_t kept_us;  /* since when the database has all of them */
    int64_t whole_us; /* up to when the archive has all days that it has to; INT64_MIN: none */
    int64_t first_us; /* when the archive begins */
    int64_t shown_us; /* from when on the tenant sees them */
};

/* is_zoned: of any zone. */
enum err reach_kept(struct db_tx *tx, const char *grain, bool is_zoned,
                    struct reach_kept *out) MUST_CHECK;

/* At most so many buckets. Failures of reach_next; ERR_INVALID for an unknown zone, and where not
 * even one bucket is made within the patience. */
enum err reach_fold_list(struct reach *reach, struct db_tx *tx, const struct reach_fold *fold,
                         struct reach_buckets *out) MUST_CHECK;

#endif
