/* The span of time that a page shows: what was asked for in words and local dates, as instants,
 * and the bucket to show it in. Pure arithmetic: the zone's rules come with it. */
#ifndef TIDEMARK_DOMAIN_SPAN_H
#define TIDEMARK_DOMAIN_SPAN_H

#include "base/arena.h"
#include "base/clock.h"
#include "domain/sample.h"

enum span_range { SPAN_24H, SPAN_7D, SPAN_30D, SPAN_90D, SPAN_1Y, SPAN_DATES };
#define SPAN_MAX_DAYS 3660   /* ten years: for so long a zone's rules are read */

/* "24h", "7d", …; SPAN_DATES is "". */
const char *span_range_name(enum span_range range);

/* Local days are counted from 1970-01-01. The one that the zone's clock shows at an instant. */
int64_t span_day_of(const struct zone *zone, int64_t time_us);
/* The same, for times that follow one another (zone_offset_near). */
int64_t span_day_near(const struct zone *zone, int64_t time_us, int *hint);
/* The instant at which the day begins: the first of two midnights, or, of one that the clock
 * jumps over, the jump. */
int64_t span_day_start(const struct zone *zone, int64_t day);
/* "2026-11-20"; false for anything else and for years outside 1970 to 2999. */
bool span_day_parse(struct str text, int64_t *out);
const char *span_day_text(struct arena *arena, int64_t day);
/* The Monday of its week, the first of its month. */
int64_t span_week_of(int64_t day);
int64_t span_month_of(int64_t day);

/* What was asked for. */
struct span_query {
    enum span_range range;
    int64_t from_day, to_day;     /* of SPAN_DATES, both inclusive */
    bool is_auto;                  /* the bucket is chosen by the span */
    enum sample_bucket bucket;     /* where it is not */
};

struct span {
    enum span_range range;
    int64_t from_us, to_us;
    int64_t from_day, to_day;     /* the local days that it touches, inclusive */
    enum sample_bucket bucket;
    bool is_coarser;               /* than asked for: there would be too many */
};

/* The instants, up to whole days or, for 24 hours, to the hour that is not over. `is_sum`: the
 * buckets are bars. The zone must be known from a month before to a day behind. */
struct span span_resolve(const struct span_query *query, const struct zone *zone, int64_t now_us,
                         bool is_sum);

/* Where the buckets begin that start in [from_us, to_us), and where the last one ends: *n + 1
 * instants. Quarter hours and hours are those of UTC. NULL beyond the arena's cap. */
const int64_t *span_edges(struct arena *arena, const struct zone *zone, enum sample_bucket bucket,
                          int64_t from_us, int64_t to_us, int *n);

#endif
