/* Turns a device's facts into cards of its series: lines for what is measured, hourly bars for
 * what is added up. Called by the device's page. */
#include "view/model_device.h"

#include "view/model_parts.h"

#include <inttypes.h>
#include <math.h>

/* A line parts where this many slots in a row hold nothing: devices report every minute to
 * every quarter of an hour, and one missed report is no gap. */
#define GAP_SLOTS 6
#define READOUT_SLOTS 4 /* points that share a read-out: 72 a day are enough to point at */
#define SLOT_US (DEVICE_SLOT_S * US_PER_SECOND)

struct span {
    int64_t from_us, to_us;
    const struct chart_tick *ticks;
    int n_ticks;
};

static double place(const struct span *span, int64_t time_us)
{
    return 100.0 * (double)(time_us - span->from_us) / (double)(span->to_us - span->from_us);
}

/* The trace's points of one series: [*first, end). */
static int find_points(const struct trace *trace, int32_t series_id, int *first)
{
    int i = 0;
    while (i < trace->n && trace->points[i].series_id != series_id) {
        i++;
    }
    *first = i;
    while (i < trace->n && trace->points[i].series_id == series_id) {
        i++;
    }
    return i;
}

/* What a counter rose by; a fall is a restart and adds nothing. */
static const char *rise_text(struct arena *arena, const struct trace_point *points, int n,
                             const char *unit)
{
    double rise = points[0].most - points[0].least;
    for (int i = 1; i < n; i++) {
        rise += fmax(0, points[i].most - points[i - 1].most);
    }
    return arena_printf(arena, "%s more in the last 24 hours", format_quantity(arena, rise, unit));
}

static const char *range_text(struct arena *arena, const struct trace_point *points, int n,
                              const char *unit)
{
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < n; i++) {
        least = fmin(least, points[i].least);
        most = fmax(most, points[i].most);
    }
    const char *low = format_quantity(arena, least, unit);
    const char *high = format_quantity(arena, most, unit);
    if (low == NULL || high == NULL) {
        return NULL;
    }
    return arena_printf(arena, "%s to %s in the last 24 hours", low, high);
}

/* ---- lines ---- */

/* What a pointer reads: the first point of every few minutes. */
static bool add_readouts(struct arena *arena, const struct device_facts *facts,
                         const struct span *span, const struct trace_point *points, int n,
                         struct series_card *card)
{
    struct chart_slot *slots = arena_array(arena, (size_t)n, sizeof *slots);
    int n_slots = 0;
    int64_t until_us = INT64_MIN;
    for (int i = 0; slots != NULL && i < n; i++) {
        if (points[i].slot_us < until_us) {
            continue;
        }
        until_us = points[i].slot_us + READOUT_SLOTS * SLOT_US;
        slots[n_slots++] = (struct chart_slot){
            .from = place(span, points[i].slot_us),
            .to = place(span, until_us),
            .name = format_clock(arena, &facts->zone, points[i].slot_us),
            .values = { points[i].mean },
        };
    }
    card->line.slots = slots;
    card->line.n_slots = n_slots;
    return slots != NULL;
}

static bool add_line(struct arena *arena, const struct device_facts *facts,
                     const struct span *span, const struct trace_point *points, int n,
                     struct series_card *card)
{
    struct chart_point *line = arena_array(arena, (size_t)n * 2, sizeof *line);
    if (line == NULL) {
        return false;
    }
    int n_line = 0;
    for (int i = 0; i < n; i++) {
        int64_t middle_us = points[i].slot_us + SLOT_US / 2;
        if (i > 0 && points[i].slot_us - points[i - 1].slot_us > GAP_SLOTS * SLOT_US) {
            line[n_line++] = (struct chart_point){ place(span, middle_us), NAN };
        }
        line[n_line++] = (struct chart_point){ place(span, middle_us), points[i].mean };
    }
    card->line.points = line;
    card->line.n_points = n_line;
    card->range = card->is_counter ? rise_text(arena, points, n, card->line.unit)
                                   : range_text(arena, points, n, card->line.unit);
    return add_readouts(arena, facts, span, points, n, card);
}

/* ---- bars ---- */

static bool add_bars(struct arena *arena, const struct device_facts *facts,
                     const struct span *span, const struct trace_point *points, int n,
                     struct series_card *card)
{
    struct chart_slot *slots = arena_array(arena, DEVICE_SPAN_HOURS, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    bool is_offset_shown = zone_changes(&facts->zone, span->from_us, span->to_us);
    for (int i = 0; i < DEVICE_SPAN_HOURS; i++) {
        int64_t from_us = span->from_us + i * US_PER_HOUR, to_us = from_us + US_PER_HOUR;
        slots[i] = (struct chart_slot){
            .from = place(span, from_us),
            .to = place(span, to_us),
            .name = span_name(arena, &facts->zone, from_us, to_us, is_offset_shown),
            .values = { NAN },
            .is_open = to_us > facts->now_us,
        };
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
        int64_t hour = (points[i].slot_us - span->from_us) / US_PER_HOUR;
        if (hour < 0 || hour >= DEVICE_SPAN_HOURS) {
            continue;
        }
        double *value = &slots[hour].values[0];
        *value = isnan(*value) ? points[i].sum : *value + points[i].sum;
        sum += points[i].sum;
    }
    card->bars.slots = slots;
    card->bars.n_slots = DEVICE_SPAN_HOURS;
    card->range = arena_printf(arena, "%s in the last 24 hours",
                               format_quantity(arena, sum, card->bars.unit));
    return true;
}

/* ---- cards ---- */

static const char *tone_of(const char *role)
{
    if (strcmp(role, "generation") == 0) {
        return "made";
    }
    if (strcmp(role, "grid_import") == 0 || strcmp(role, "grid_export") == 0) {
        return "grid";
    }
    return strcmp(role, "none") == 0 ? "plain" : "used";
}

/* "gauge · generation · {"phase":"1"}" */
static const char *about(struct arena *arena, const struct device_series *series)
{
    bool has_role = strcmp(series->role, "none") != 0;
    bool has_labels = strcmp(series->labels, "{}") != 0;
    /* Words for people: grid_import is "grid import". */
    char *role = arena_copy(arena, str_of(series->role));
    for (char *at = role; at != NULL && *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    return arena_printf(arena, "%s%s%s%s%s", series->kind, has_role ? " · " : "",
                        has_role && role != NULL ? role : "", has_labels ? " · " : "",
                        has_labels ? series->labels : "");
}

/* As the meter itself shows it, not in the unit that reads best. */
static struct figure meter_reading(struct arena *arena, const struct device_series *series)
{
    const char *unit = series->unit != NULL && !isnan(series->last_value) ? series->unit : "";
    return (struct figure){ format_number(arena, series->last_value, 1), unit };
}

static bool add_card(struct arena *arena, const struct device_facts *facts,
                     const struct span *span, const struct device_series *series, int i,
                     struct series_card *card)
{
    int first;
    int end = find_points(&facts->trace, series->id, &first);
    const char *id = arena_printf(arena, "series-%d", i);
    const char *tone = tone_of(series->role);
    bool is_counter = strcmp(series->kind, "counter") == 0;
    *card = (struct series_card){
        .metric = series->metric,
        .about = about(arena, series),
        .value = is_counter ? meter_reading(arena, series)
                            : format_figure(arena, series->last_value, series->unit),
        .at = moment_view(arena, &facts->zone, facts->now_us, series->last_us),
        .is_bars = strcmp(series->kind, "delta") == 0,
        .is_counter = is_counter,
        .line = {
            .id = id, .title = series->metric, .unit = series->unit, .tone = tone,
            .ticks = span->ticks, .n_ticks = span->n_ticks,
            .is_from_zero = strcmp(series->kind, "gauge") == 0 && strcmp(series->role, "none") != 0,
        },
        .bars = {
            .id = id, .title = series->metric, .unit = series->unit, .slot_heading = "Hour",
            .bands = { { series->metric, tone } }, .n_bands = 1,
            .ticks = span->ticks, .n_ticks = span->n_ticks,
        },
    };
    if (first == end) {
        return true;
    }
    const struct trace_point *points = facts->trace.points + first;
    bool is_done = card->is_bars ? add_bars(arena, facts, span, points, end - first, card)
                                 : add_line(arena, facts, span, points, end - first, card);
    card->line.summary = card->bars.summary = card->range;
    return is_done && card->range != NULL;
}

/* Power comes first, then energy, then the rest, each by name as they come. */
static int rank_of(const struct device_series *series)
{
    const char *unit = series->unit == NULL ? "" : series->unit;
    if (strcmp(unit, "W") == 0 || strcmp(unit, "kW") == 0) {
        return 0;
    }
    return strcmp(unit, "kWh") == 0 || strcmp(unit, "Wh") == 0 ? 1 : 2;
}

static bool add_cards(struct arena *arena, const struct device_facts *facts,
                      struct device_view *out)
{
    struct span span = {
        .from_us = facts->from_us, .to_us = facts->from_us + DEVICE_SPAN_HOURS * US_PER_HOUR,
    };
    int n = facts->series.n < DEVICE_SERIES_SHOWN ? facts->series.n : DEVICE_SERIES_SHOWN;
    struct series_card *cards = arena_array(arena, (size_t)n, sizeof *cards);
    span.ticks = span_ticks(arena, &facts->zone, span.from_us, span.to_us, 4, &span.n_ticks);
    if (cards == NULL || span.ticks == NULL) {
        return n == 0;
    }
    int n_cards = 0;
    for (int rank = 0; rank <= 2; rank++) {
        for (int i = 0; i < facts->series.n && n_cards < n; i++) {
            const struct device_series *series = &facts->series.items[i];
            if (rank_of(series) != rank) {
                continue;
            }
            if (!add_card(arena, facts, &span, series, n_cards, &cards[n_cards])) {
                return false;
            }
            n_cards++;
        }
    }
    out->series = cards;
    out->n_series = n_cards;
    out->n_more = facts->series.n - n;
    return true;
}

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

bool device_view(struct arena *arena, const struct device_facts *facts, struct device_view *out)
{
    const struct device *device = &facts->device;
    enum freshness freshness = freshness_of(facts->now_us, device->last_seen_us);
    *out = (struct device_view){
        .key = device->key,
        .name = or_null(device->name) != NULL ? device->name : device->key,
        .model = or_null(device->model),
        .site = or_null(device->site),
        .zone = facts->zone.name,
        .state = freshness_word(freshness),
        .state_class = freshness_class(freshness),
        .seen = moment_view(arena, &facts->zone, facts->now_us, device->last_seen_us),
        .since = moment_view(arena, &facts->zone, facts->now_us, device->created_us),
    };
    return add_cards(arena, facts, out);
}
