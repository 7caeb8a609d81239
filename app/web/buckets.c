/* What the handlers of samples and of rollups share. */
#include "web/buckets.h"

#include "domain/cost.h"
#include "domain/span.h"
#include "domain/zone.h"
#include "web/list_stream.h"

#define N_COLUMNS 12

static const struct parquet_column columns[N_COLUMNS] = {
    { "time", PARQUET_TIME, false },    { "device", PARQUET_STRING, false },
    { "metric", PARQUET_STRING, false }, { "count", PARQUET_INT64, false },
    { "min", PARQUET_DOUBLE, false },   { "max", PARQUET_DOUBLE, false },
    { "avg", PARQUET_DOUBLE, false },   { "sum", PARQUET_DOUBLE, false },
    { "first", PARQUET_DOUBLE, false }, { "last", PARQUET_DOUBLE, false },
    { "unit", PARQUET_STRING, true },   { "labels", PARQUET_STRING, false },
};
const struct parquet_schema buckets_schema = { columns, N_COLUMNS };

enum err buckets_query(struct web *web, enum sample_bucket fallback, enum sample_bucket *out)
{
    struct str bucket = web_query_text(web, "bucket");

    *out = fallback;
    if (bucket.ptr == NULL) {
        return OK;
    }
    if (!sample_bucket_parse(bucket, out) || (*out == SAMPLE_RAW && fallback != SAMPLE_RAW)) {
        return fail(web->op, ERR_INVALID, "bucket: must be %s15m, 1h, 1d, 1w or 1mo",
                    fallback == SAMPLE_RAW ? "raw, " : "");
    }
    return OK;
}

enum err buckets_bad_zone(struct web *web)
{
    op_clear_fault(web->op);
    return fail(web->op, ERR_INVALID, "tz: is not the name of a time zone (IANA, as Europe/Paris)");
}

enum err buckets_query_zone(struct web *web, const char **out)
{
    struct str zone = web_query_text(web, "tz");

    *out = NULL;
    if (zone.ptr == NULL) {
        return OK;
    }
    if (!zone_is_name(zone)) {
        return buckets_bad_zone(web);
    }
    *out = arena_copy(web->op->arena, zone);
    return *out ? OK : fail_memory(web->op);
}

/* A bound that is a date, as the beginning of that day by the zone's clock; others are left. */
static enum err local_day(struct web *web, const char *name, const char *zone_name, int64_t *out)
{
    struct zone zone;
    int64_t day;

    if (!span_day_parse(web_query_text(web, name), &day)) {
        return OK;
    }
    enum err err = zone_load(web->tx, zone_name, (day - 2) * US_PER_DAY, (day + 2) * US_PER_DAY,
                             &zone);
    if (err != OK) {
        return err == ERR_INVALID ? buckets_bad_zone(web) : err;
    }
    *out = span_day_start(&zone, day);
    return OK;
}

enum err buckets_query_span(struct web *web, const struct buckets_place *place, int64_t *from_us,
                            int64_t *to_us)
{
    const struct cost_query of = { .site = place->site, .device = place->device };
    const char *zone_name = place->zone_name;
    int64_t day;
    bool has_day = span_day_parse(web_query_text(web, "from"), &day) ||
                   span_day_parse(web_query_text(web, "to"), &day);
    enum err err = web_query_span(web, from_us, to_us);

    if (err != OK || !has_day) {
        return err;
    }
    err = zone_name ? OK : cost_zone(web->tx, &of, &zone_name);
    err = err == OK ? local_day(web, "from", zone_name, from_us) : err;
    err = err == OK ? local_day(web, "to", zone_name, to_us) : err;
    if (err == OK && *to_us < *from_us) {
        err = fail(web->op, ERR_INVALID, "to: must not be before from");
    }
    return err;
}

enum err buckets_position(struct web *web, const struct cursor *after, int32_t *series_id)
{
    long long series = 0;

    if (!str_to_int64(after->key, &series) || series < 0 || series > INT32_MAX) {
        return list_bad_cursor(web);
    }
    *series_id = (int32_t)series;
    return OK;
}

enum err buckets_end(struct web *web, int64_t time_us, int32_t series_id, struct cursor *out)
{
    char *key = arena_printf(web->op->arena, "%d", (int)series_id);

    *out = (struct cursor){ .time_us = time_us, .key = str_of(key) };
    return key ? OK : fail_memory(web->op);
}

void buckets_write(struct list_writer *list, const struct sample_rollup *rollup)
{
    list_int(list, rollup->count);
    list_double(list, rollup->min);
    list_double(list, rollup->max);
    list_double(list, rollup->avg);
    list_double(list, rollup->sum);
    list_double(list, rollup->first);
    list_double(list, rollup->last);
}
