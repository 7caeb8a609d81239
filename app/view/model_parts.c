/* Moments, rows of devices, ticks and names of spans. Called by the models of the pages. */
#include "view/model_parts.h"

#include "domain/span.h"

#include <math.h>

#define NEAR_CHANGE_US (3 * US_PER_HOUR) /* where the clock is set, hours say their offset */

struct moment_view moment_view(struct arena *arena, const struct zone *zone, int64_t now_us,
                               int64_t time_us)
{
    if (time_us == DEVICE_NEVER) {
        return (struct moment_view){ .relative = "never", .absolute = "never" };
    }
    return (struct moment_view){
        .relative = format_relative(arena, now_us, time_us),
        .absolute = format_moment(arena, zone, time_us),
        .machine = format_machine(arena, zone, time_us),
    };
}

const char *freshness_word(enum freshness freshness)
{
    static const char *const words[] = {
        [FRESH_LIVE] = "Live", [FRESH_LATE] = "Late", [FRESH_SILENT] = "Silent",
        [FRESH_NEVER] = "Waiting",
    };
    return words[freshness];
}

const char *freshness_class(enum freshness freshness)
{
    static const char *const classes[] = {
        [FRESH_LIVE] = "live", [FRESH_LATE] = "late", [FRESH_SILENT] = "silent",
        [FRESH_NEVER] = "waiting",
    };
    return classes[freshness];
}

struct device_row device_row(struct arena *arena, const struct zone *zone, int64_t now_us,
                             const struct latest *latest)
{
    enum freshness freshness = freshness_of(now_us, latest->last_seen_us);
    return (struct device_row){
        .key = latest->key,
        .name = latest->name != NULL && latest->name[0] != '\0' ? latest->name : latest->key,
        .model = latest->model == NULL ? "" : latest->model,
        .metric = latest->metric == NULL ? "" : latest->metric,
        .value = format_figure(arena, latest->last_value, latest->unit),
        .seen = moment_view(arena, zone, now_us, latest->last_seen_us),
        .state = freshness_word(freshness),
        .state_class = freshness_class(freshness),
    };
}

const char *counts_view(struct arena *arena, const struct latest_counts *counts)
{
    const struct { int64_t n; const char *word; } parts[] = {
        { counts->live, "live" }, { counts->late, "late" }, { counts->silent, "silent" },
    };
    const char *text = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts && text != NULL; i++) {
        if (parts[i].n > 0) {
            text = arena_printf(arena, "%s%s%lld %s", text, text[0] == '\0' ? "" : ", ",
                                (long long)parts[i].n, parts[i].word);
        }
    }
    return text;
}

const struct chart_tick *span_ticks(struct arena *arena, const struct zone *zone, int64_t from_us,
                                    int64_t to_us, int target, int *n)
{
    struct tick ticks[TICKS_MAX];
    *n = ticks_time(arena, zone, from_us, to_us, target, ticks);
    struct chart_tick *out = arena_array(arena, (size_t)*n, sizeof *out);
    if (out == NULL) {
        *n = 0;
        return NULL;
    }
    for (int i = 0; i < *n; i++) {
        out[i] = (struct chart_tick){
            .at = 100.0 * (double)(ticks[i].time_us - from_us) / (double)(to_us - from_us),
            .label = ticks[i].label,
            .is_minor = ticks[i].is_minor,
            .is_day = ticks[i].is_day,
        };
    }
    return out;
}

const char *span_name(struct arena *arena, const struct zone *zone, int64_t from_us,
                      int64_t to_us, bool is_offset_shown)
{
    const char *day = format_day(arena, zone, from_us);
    const char *from = format_clock(arena, zone, from_us);
    const char *to = format_clock(arena, zone, to_us);
    if (day == NULL || from == NULL || to == NULL) {
        return NULL;
    }
    if (!is_offset_shown) {
        return arena_printf(arena, "%s, %s–%s", day, from, to);
    }
    const char *offset = format_offset(arena, zone_offset_at(zone, from_us));
    return offset == NULL ? NULL : arena_printf(arena, "%s, %s–%s (%s)", day, from, to, offset);
}

bool zone_changes(const struct zone *zone, int64_t from_us, int64_t to_us)
{
    return zone_offset_at(zone, from_us) != zone_offset_at(zone, to_us - 1);
}

const char *bucket_name(struct arena *arena, const struct zone *zone, enum sample_bucket bucket,
                        int64_t from_us, int64_t to_us)
{
    if (bucket <= SAMPLE_1H) {
        bool is_changing = zone_changes(zone, from_us - NEAR_CHANGE_US, to_us + NEAR_CHANGE_US);
        return span_name(arena, zone, from_us, to_us, is_changing);
    }
    struct clock_fields at = format_local(zone, from_us);
    const char *month = format_months[at.month - 1];
    if (bucket == SAMPLE_1MO) {
        return arena_printf(arena, "%s %d", month, at.year);
    }
    if (bucket == SAMPLE_1W) {
        return arena_printf(arena, "Week from %d %s %d", at.day, month, at.year);
    }
    const char *day = format_day(arena, zone, from_us);
    return day == NULL ? NULL : arena_printf(arena, "%s %d", day, at.year);
}

const char *bucket_word(enum sample_bucket bucket)
{
    static const char *const words[] = {
        [SAMPLE_RAW] = "reading", [SAMPLE_15M] = "quarter hour", [SAMPLE_1H] = "hour",
        [SAMPLE_1D] = "day",      [SAMPLE_1W] = "week",          [SAMPLE_1MO] = "month",
    };
    return words[bucket];
}

static const char *day_name(struct arena *arena, int64_t day, bool has_year)
{
    struct clock_fields at = clock_split(day * US_PER_DAY);
    const char *month = format_months[at.month - 1];
    return has_year ? arena_printf(arena, "%d %s %d", at.day, month, at.year)
                    : arena_printf(arena, "%d %s", at.day, month);
}

const char *days_name(struct arena *arena, int64_t from_day, int64_t to_day)
{
    if (from_day == to_day) {
        return day_name(arena, from_day, true);
    }
    bool is_one_year =
        clock_split(from_day * US_PER_DAY).year == clock_split(to_day * US_PER_DAY).year;
    return arena_printf(arena, "%s to %s", day_name(arena, from_day, !is_one_year),
                        day_name(arena, to_day, true));
}
