/* Turns a device's facts into what it is, the ways to see the chosen metric, and its latest
 * events. Called by the device's page. */
#include "view/model_device.h"

#include "view/link.h"
#include "view/model_events.h"
#include "view/model_parts.h"

/* ---- addresses ---- */

struct device_place device_here(struct arena *arena, const struct device_facts *facts)
{
    const struct device_series *chosen = facts->chosen;
    bool is_dates = facts->query.range == SPAN_DATES;
    bool has_labels = chosen != NULL && strcmp(chosen->labels, "{}") != 0;
    return (struct device_place){
        .range = facts->query.range == SPAN_24H ? NULL : span_range_name(facts->query.range),
        .from = is_dates ? span_day_text(arena, facts->query.from_day) : NULL,
        .to = is_dates ? span_day_text(arena, facts->query.to_day) : NULL,
        .metric = chosen != NULL ? chosen->metric : NULL,
        .labels = has_labels ? chosen->labels : NULL,
        .bucket = facts->query.is_auto ? NULL : sample_bucket_name(facts->query.bucket),
        .page = facts->page > 0 ? arena_printf(arena, "%d", facts->page + 1) : NULL,
    };
}

const char *device_link(struct arena *arena, const struct device_facts *facts,
                        const struct device_place *place)
{
    const struct link_param params[] = {
        { "metric", place->metric }, { "labels", place->labels }, { "range", place->range },
        { "from", place->from },     { "to", place->to },         { "bucket", place->bucket },
        { "page", place->page },
    };
    return link_to(arena, facts->path, params, sizeof params / sizeof *params);
}

static const char *dates_link(struct arena *arena, const struct device_facts *facts,
                              int64_t from_day, int64_t to_day)
{
    struct device_place place = device_here(arena, facts);
    place.range = NULL;
    place.from = span_day_text(arena, from_day);
    place.to = span_day_text(arena, to_day);
    return device_link(arena, facts, &place);
}

static void add_ranges(struct arena *arena, const struct device_facts *facts,
                       struct device_view *out)
{
    static const struct { enum span_range range; const char *label; } ways[DEVICE_RANGES] = {
        { SPAN_24H, "24 hours" }, { SPAN_7D, "7 days" }, { SPAN_30D, "30 days" },
        { SPAN_90D, "90 days" },  { SPAN_1Y, "1 year" },
    };
    for (int i = 0; i < DEVICE_RANGES; i++) {
        struct device_place place = device_here(arena, facts);
        place.range = ways[i].range == SPAN_24H ? NULL : span_range_name(ways[i].range);
        place.from = place.to = place.bucket = NULL;
        out->ranges[i] = (struct choice_link){
            ways[i].label, device_link(arena, facts, &place), facts->query.range == ways[i].range,
        };
    }
}

static void add_buckets(struct arena *arena, const struct device_facts *facts,
                        struct device_view *out)
{
    static const char *const labels[] = {
        "Every reading", "15 min", "Hour", "Day", "Week", "Month",
    };
    struct device_place place = device_here(arena, facts);
    place.bucket = NULL;
    out->buckets[0] = (struct choice_link){
        "Auto", device_link(arena, facts, &place), facts->query.is_auto,
    };
    for (int b = SAMPLE_RAW; b <= SAMPLE_1MO; b++) {
        place.bucket = sample_bucket_name((enum sample_bucket)b);
        out->buckets[b + 1] = (struct choice_link){
            labels[b], device_link(arena, facts, &place),
            !facts->query.is_auto && (int)facts->query.bucket == b,
        };
    }
}

/* The spans before and after this one, as long as it. */
static void add_neighbours(struct arena *arena, const struct device_facts *facts,
                           struct device_view *out)
{
    const struct span *span = &facts->trace.span;
    int64_t today = span_day_of(&facts->zone, facts->now_us);
    if (span->range == SPAN_24H) {
        out->previous = dates_link(arena, facts, today - 1, today - 1);
        return;
    }
    int64_t days = span->to_day - span->from_day + 1;
    out->previous = dates_link(arena, facts, span->from_day - days, span->from_day - 1);
    if (span->to_day < today) {
        out->next = dates_link(arena, facts, span->to_day + 1, span->to_day + days);
    }
}

static const char *csv_link(struct arena *arena, const struct device_facts *facts)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    const struct span *span = &facts->trace.span;
    const struct link_param params[] = {
        { "format", "csv" },
        { "metric", facts->chosen->metric },
        { "bucket", sample_bucket_name(span->bucket) },
        { "from", clock_format(span->from_us, from) },
        { "to", clock_format(span->to_us, to) },
    };
    const char *device = link_path(arena, "/v1/devices/", facts->device.key);
    if (device == NULL) {
        return NULL;
    }
    return link_to(arena, arena_printf(arena, "%s/samples", device), params, 5);
}

/* ---- words ---- */

static const char *span_words(struct arena *arena, const struct span *span)
{
    return span->range == SPAN_24H ? "The last 24 hours"
                                   : days_name(arena, span->from_day, span->to_day);
}

static const char *notice(const struct device_facts *facts)
{
    if (facts->is_cut) {
        return "There are too many readings to draw each of them: these are quarter hours.";
    }
    if (facts->trace.span.is_coarser && !facts->query.is_auto) {
        return "That would be too many to draw over this span: a coarser step is shown.";
    }
    return NULL;
}

static bool add_chosen(struct arena *arena, const struct device_facts *facts,
                       struct device_view *out)
{
    const struct device_series *chosen = facts->chosen;
    struct device_place here = device_here(arena, facts);
    out->metric = chosen->metric;
    out->labels = here.labels;
    out->bucket = here.bucket;
    out->about = series_about(arena, chosen);
    out->value = series_value(arena, chosen);
    out->at = moment_view(arena, &facts->zone, facts->now_us, chosen->last_us);
    out->span = span_words(arena, &facts->trace.span);
    out->notice = notice(facts);
    out->action = facts->path;
    const struct span *span = &facts->trace.span;
    out->from = facts->from != NULL ? facts->from : span_day_text(arena, span->from_day);
    out->to = facts->to != NULL ? facts->to : span_day_text(arena, span->to_day);
    out->span_error = facts->span_error;
    add_ranges(arena, facts, out);
    add_buckets(arena, facts, out);
    add_neighbours(arena, facts, out);
    out->csv = facts->is_shared ? NULL : csv_link(arena, facts);
    if (chosen->last_us != DEVICE_NEVER && facts->trace.trace.n == 0) {
        int64_t day = span_day_of(&facts->zone, chosen->last_us);
        out->last_href = dates_link(arena, facts, day, day);
    }
    return trace_view(arena, &facts->trace, &out->trace);
}

/* ---- the device ---- */

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

bool device_view(struct arena *arena, const struct device_facts *facts, struct device_view *out)
{
    const struct device *device = &facts->device;
    enum freshness freshness = freshness_of(facts->now_us, device->last_seen_us);
    bool is_retired = device->retired_us != DEVICE_NEVER;
    *out = (struct device_view){
        .key = device->key,
        .name = or_null(device->name) != NULL ? device->name : device->key,
        .model = or_null(device->model),
        .site = or_null(device->site),
        .zone = facts->zone.name,
        .state = is_retired ? "Retired" : freshness_word(freshness),
        .state_class = is_retired ? "retired" : freshness_class(freshness),
        .seen = moment_view(arena, &facts->zone, facts->now_us, device->last_seen_us),
        .since = moment_view(arena, &facts->zone, facts->now_us, device->created_us),
        .retired = moment_view(arena, &facts->zone, facts->now_us, device->retired_us),
    };
    if (facts->chosen != NULL && !add_chosen(arena, facts, out)) {
        return false;
    }
    const struct link_param only[] = { { "device", device->key } };
    out->events_href = facts->is_shared ? NULL : link_to(arena, "/events", only, 1);
    out->files_href = facts->is_shared ? NULL : link_to(arena, "/uploads", only, 1);
    out->n_events = facts->look.events.n;
    out->events = event_lines(arena, &facts->zone, facts->now_us, &facts->look.events);
    return series_rows(arena, facts, out) && (out->events != NULL || out->n_events == 0);
}
