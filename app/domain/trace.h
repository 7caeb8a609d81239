/* What one series did over a span, as buckets or as it came, and the same folded into fewer
 * pieces; the last hours of several series. */
#ifndef TIDEMARK_DOMAIN_TRACE_H
#define TIDEMARK_DOMAIN_TRACE_H

#include "base/op.h"
#include "domain/closed.h"
#include "domain/sample.h"

#include <stdint.h>

struct db_rows;

/* Samples of a stretch of time: one sample, a bucket, or several of them. */
struct trace_point {
    int64_t time_us;             /* where it begins */
    int64_t count;               /* 0: nothing, and the rest says nothing */
    double sum, least, most;
    int64_t least_us, most_us;   /* when; of a bucket, where it begins */
    double first, last;
    int64_t last_us;
    double rise;                 /* of a counter: what it rose by since the point before */
};

struct trace {
    struct trace_point *points;  /* by time; what holds nothing is left out */
    int n;
};

/* Whose points, of when. */
struct trace_filter {
    int32_t series_id;
    int64_t from_us, to_us;
};

#define TRACE_MAX_SAMPLES 20000

/* The samples in [from_us, to_us). *is_cut: there are more than TRACE_MAX_SAMPLES, and these are
 * not all. */
enum err trace_samples(struct db_tx *tx, const struct trace_filter *filter, struct trace *out,
                       bool *is_cut) MUST_CHECK;

/* All hours that are not closed, of several series: asked for once for all that a page draws. */
struct trace_open {
    const struct db_rows *rows;  /* in the operation's arena; NULL: there are none */
};

/* The buckets (not SAMPLE_RAW) that start in [from_us, to_us), of the site's zone. `hours`: NULL,
 * or as trace_sparks told them, of this series too. */
enum err trace_buckets(struct db_tx *tx, const struct closed *closed,
                       const struct trace_open *hours, const struct trace_filter *filter,
                       enum sample_bucket bucket, struct trace *out) MUST_CHECK;

/* Sums up the points in the `n` pieces of time between `edges` (n + 1 of them, ascending); what
 * lies outside is left out. `out` has n places, each of count 0 where nothing is known. */
void trace_fold(const struct trace *trace, const int64_t *edges, int n, struct trace_point *out);

/* All of it as one point; count 0 where it is empty. */
struct trace_point trace_total(const struct trace *trace);

double trace_mean(const struct trace_point *point);   /* NaN where nothing is known */

/* How long after a point a line goes on to the next one: two and a half times what is usual
 * between points, and `least_us` at least. */
int64_t trace_patience(struct arena *arena, const struct trace *trace, int64_t least_us);

/* Hours of several series, for small drawings. */
struct spark_point {
    int32_t series_id;
    int64_t hour_us;
    double sum, mean, last;
};
struct sparks {
    struct spark_point *points;  /* by series, then time */
    int n;
};
/* Of which series, and when: hours that begin in [from_us, to_us). */
struct spark_filter {
    const int32_t *series_ids;
    int n;
    int64_t from_us, to_us;
};
/* `open`: NULL, or filled for trace_buckets; hours before and after those asked for may be among
 * the sparks then. */
enum err trace_sparks(struct db_tx *tx, const struct closed *closed,
                      const struct spark_filter *filter, struct sparks *out,
                      struct trace_open *open) MUST_CHECK;

#endif
