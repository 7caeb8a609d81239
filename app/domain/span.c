/* Days of a zone, spans, and buckets for them. Called by the pages that draw. */
#include "domain/span.h"

static const struct { const char *name; int days; } ranges[] = {
    [SPAN_24H] = { "24h", 1 },   [SPAN_7D] = { "7d", 7 },   [SPAN_30D] = { "30d", 30 },
    [SPAN_90D] = { "90d", 90 }, [SPAN_1Y] = { "1y", 365 }, [SPAN_DATES] = { "", 0 },
};

const char *span_range_name(enum span_range range)
{
    return ranges[range].name;
}

/* ---- days ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t span_day_of(const struct zone *zone, int64_t time_us)
{
    return floor_div(time_us + zone_offset_at(zone, time_us) * US_PER_SECOND, US_PER_DAY);
}

int64_t span_day_near(const struct zone *zone, int64_t time_us, int *hint)
{
    int64_t offset_us = zone_offset_near(zone, time_us, hint) * US_PER_SECOND;

    return floor_div(time_us + offset_us, US_PER_DAY);
}

int64_t span_day_start(const struct zone *zone, int64_t day)
{
    int64_t local_us = day * US_PER_DAY;
    for (int z = 0; z < zone->n_offsets; z++) {
        int64_t time_us = local_us - zone->offsets[z].offset_s * US_PER_SECOND;
        int64_t from_us = zone->offsets[z].from_us;
        bool is_last = z + 1 == zone->n_offsets;
        if (is_last || time_us < zone->offsets[z + 1].from_us) {
            return z > 0 && time_us < from_us ? from_us : time_us;
        }
    }
    return local_us;
}

bool span_day_parse(struct str text, int64_t *out)
{
    const char shape[] = "dddd-dd-dd";
    int64_t time_us;
    if (text.len != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (shape[i] == 'd' ? !is_digit : text.ptr[i] != '-') {
            return false;
        }
    }
    if (!clock_parse(text, &time_us) || time_us < 0 || text.ptr[0] > '2') {
        return false;
    }
    *out = time_us / US_PER_DAY;
    return true;
}

const char *span_day_text(struct arena *arena, int64_t day)
{
    struct clock_fields at = clock_split(day * US_PER_DAY);
    return arena_printf(arena, "%04d-%02d-%02d", at.year, at.month, at.day);
}

int64_t span_week_of(int64_t day)
{
    return day - clock_split(day * US_PER_DAY).weekday;
}

int64_t span_month_of(int64_t day)
{
    return day - clock_split(day * US_PER_DAY).day + 1;
}

/* ---- spans ---- */

/* Up to so many days a bucket is drawn: as bars, and as a line. */
static const struct { int bars, line; } most_days[] = {
    [SAMPLE_RAW] = { 0, 8 },      [SAMPLE_15M] = { 4, 92 },     [SAMPLE_1H] = { 16, 400 },
    [SAMPLE_1D] = { 400, 3700 }, [SAMPLE_1W] = { 3700, 3700 }, [SAMPLE_1MO] = { 3700, 3700 },
};

static enum sample_bucket best_bucket(int64_t days, bool is_sum)
{
    if (is_sum) {
        return days <= 8      ? SAMPLE_1H
               : days <= 92   ? SAMPLE_1D
               : days <= 1100 ? SAMPLE_1W
                              : SAMPLE_1MO;
    }
    return days <= 2     ? SAMPLE_RAW
           : days <= 32  ? SAMPLE_1H
           : days <= 400 ? SAMPLE_1D
                         : SAMPLE_1W;
}

/* For when a bucket would be too many. */
static enum sample_bucket span_coarser(enum sample_bucket bucket)
{
    return bucket < SAMPLE_1MO ? bucket + 1 : SAMPLE_1MO;
}

static void choose_bucket(const struct span_query *query, bool is_sum, struct span *span)
{
    int64_t days = span->to_day - span->from_day + 1;
    if (span->range == SPAN_24H) {
        days = 1;
    }
    span->bucket = query->is_auto ? best_bucket(days, is_sum) : query->bucket;
    while (span->bucket < SAMPLE_1MO &&
           days > (is_sum ? most_days[span->bucket].bars : most_days[span->bucket].line)) {
        span->bucket = span_coarser(span->bucket);
        span->is_coarser = true;
    }
}

struct span span_resolve(const struct span_query *query, const struct zone *zone, int64_t now_us,
                         bool is_sum)
{
    struct span span = { .range = query->range };
    int64_t today = span_day_of(zone, now_us);
    if (query->range == SPAN_24H) {
        span.to_us = floor_div(now_us, US_PER_HOUR) * US_PER_HOUR + US_PER_HOUR;
        span.from_us = span.to_us - US_PER_DAY;
        span.from_day = span_day_of(zone, span.from_us);
        span.to_day = today;
        choose_bucket(query, is_sum, &span);
        return span;
    }
    bool is_dates = query->range == SPAN_DATES;
    span.to_day = is_dates ? query->to_day : today;
    span.from_day = is_dates ? query->from_day : today - ranges[query->range].days + 1;
    choose_bucket(query, is_sum, &span);
    /* Weeks and months are shown whole. */
    if (span.bucket == SAMPLE_1W) {
        span.from_day = span_week_of(span.from_day);
    } else if (span.bucket == SAMPLE_1MO) {
        span.from_day = span_month_of(span.from_day);
    }
    span.from_us = span_day_start(zone, span.from_day);
    span.to_us = span_day_start(zone, span.to_day + 1);
    return span;
}

/* ---- edges ---- */

static int64_t next_day(int64_t day, enum sample_bucket bucket)
{
    if (bucket == SAMPLE_1D) {
        return day + 1;
    }
    return bucket == SAMPLE_1W ? span_week_of(day) + 7 : span_month_of(span_month_of(day) + 31);
}

/* The start of the bucket that follows the one which `edge_us` begins. */
static int64_t next_edge(const struct zone *zone, enum sample_bucket bucket, int64_t edge_us)
{
    if (bucket <= SAMPLE_1H) {
        return edge_us + (bucket == SAMPLE_1H ? US_PER_HOUR : US_PER_HOUR / 4);
    }
    return span_day_start(zone, next_day(span_day_of(zone, edge_us), bucket));
}

static int64_t first_edge(const struct zone *zone, enum sample_bucket bucket, int64_t from_us)
{
    if (bucket <= SAMPLE_1H) {
        int64_t width_us = bucket == SAMPLE_1H ? US_PER_HOUR : US_PER_HOUR / 4;
        return -floor_div(-from_us, width_us) * width_us;
    }
    int64_t day = span_day_of(zone, from_us);
    int64_t start = bucket == SAMPLE_1D   ? day
                     : bucket == SAMPLE_1W ? span_week_of(day)
                                           : span_month_of(day);
    int64_t edge_us = span_day_start(zone, start);
    return edge_us < from_us ? next_edge(zone, bucket, edge_us) : edge_us;
}

const int64_t *span_edges(struct arena *arena, const struct zone *zone, enum sample_bucket bucket,
                          int64_t from_us, int64_t to_us, int *n)
{
    int64_t least_us = bucket == SAMPLE_1MO   ? 28 * US_PER_DAY
                       : bucket == SAMPLE_1W  ? 6 * US_PER_DAY
                       : bucket == SAMPLE_1D  ? 20 * US_PER_HOUR
                       : bucket == SAMPLE_1H  ? US_PER_HOUR
                                              : US_PER_HOUR / 4;
    size_t most = (size_t)((to_us - from_us) / least_us) + 3;
    int64_t *edges = arena_array(arena, most, sizeof *edges);
    *n = 0;
    if (edges == NULL) {
        return NULL;
    }
    int64_t edge_us = first_edge(zone, bucket, from_us);
    while (edge_us < to_us) {
        edges[(*n)++] = edge_us;
        edge_us = next_edge(zone, bucket, edge_us);
    }
    edges[*n] = edge_us;
    return edges;
}
