/* Turns events into rows, and their counts into bars. Called by the pages of events and of
 * devices. */
#include "view/model_events.h"

#include "base/json.h"
#include "base/limits.h"
#include "view/link.h"
#include "view/model_parts.h"

#include <math.h>

#define FACT_BYTES 60   /* of a value that is shown at once */

/* The text, cut after whole characters where it is long. */
static const char *shortened(struct arena *arena, struct str text)
{
    if (text.len <= FACT_BYTES) {
        return arena_copy(arena, text);
    }
    size_t len = FACT_BYTES;
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return arena_printf(arena, "%.*s…", (int)len, text.ptr);
}

/* The first members of the data: strings as they are, all else as JSON. */
static void add_facts(struct arena *arena, const char *data, struct event_line *row)
{
    struct json_reader reader;
    struct str name, value;
    json_reader_init(&reader, str_of(data), arena, MAX_JSON_DEPTH);
    if (!json_enter_object(&reader)) {
        return;
    }
    while (json_next_member(&reader, &name)) {
        bool is_read = json_peek(&reader) == JSON_STRING ? json_read_string(&reader, &value)
                                                         : json_skip(&reader, &value);
        if (!is_read) {
            return;
        }
        if (row->n_facts == EVENT_FACTS) {
            row->n_more++;
            continue;
        }
        row->facts[row->n_facts++] = (struct event_fact){
            shortened(arena, name), shortened(arena, value),
        };
    }
}

const char *event_gist(struct arena *arena, const char *data)
{
    struct event_line line = { .n_facts = 0 };
    const char *gist = "";
    if (data != NULL) {
        add_facts(arena, data, &line);
    }
    for (int i = 0; gist != NULL && i < line.n_facts; i++) {
        const struct event_fact *fact = &line.facts[i];
        gist = arena_printf(arena, "%s%s%s %s", gist, i > 0 ? " · " : "", fact->name, fact->value);
    }
    return gist == NULL ? "" : gist;
}

const struct event_line *event_lines(struct arena *arena, const struct zone *zone, int64_t now_us,
                                   const struct event_list *list)
{
    struct event_line *rows = arena_array(arena, (size_t)list->n, sizeof *rows);
    for (int i = 0; rows != NULL && i < list->n; i++) {
        const struct event *event = &list->items[i];
        struct clock_fields at = format_local(zone, event->time_us);
        bool has_data = event->data != NULL && strcmp(event->data, "{}") != 0;
        rows[i] = (struct event_line){
            .at = moment_view(arena, zone, now_us, event->time_us),
            .clock = arena_printf(arena, "%d %s %d, %02d:%02d:%02d", at.day,
                                  format_months[at.month - 1], at.year, at.hour, at.minute,
                                  at.second),
            .type = event->type,
            .device = event->device,
            .device_href = event->device ? link_path(arena, "/devices/", event->device) : NULL,
            .site = event->site,
            .json = has_data ? event->data : NULL,
        };
        if (event->has_files) {
            const struct link_param only[] = { { "event", event->id } };
            rows[i].files_href = link_to(arena, "/uploads", only, 1);
        }
        if (has_data) {
            add_facts(arena, event->data, &rows[i]);
        }
    }
    return rows;
}

/* ---- counts ---- */

#define TYPES_SHOWN (CHART_MAX_BANDS - 1)   /* the last band is all the others */

static const char *const tones[CHART_MAX_BANDS] = {
    "used", "made", "grid", "night", "peak", "plain",
};

/* A type and how often it occurred. */
struct tally {
    const char *type;
    int64_t count;
};

/* The types by how often they occur, the most frequent first; how many there are. */
static int tally_types(const struct event_count_list *counts, struct tally *tallies)
{
    int n = 0;
    for (int i = 0; i < counts->n; i++) {
        int t = 0;
        while (t < n && strcmp(tallies[t].type, counts->items[i].type) != 0) {
            t++;
        }
        if (t == n) {
            tallies[n++] = (struct tally){ counts->items[i].type, 0 };
        }
        tallies[t].count += counts->items[i].count;
    }
    for (int i = 1; i < n; i++) {
        for (int t = i; t > 0 && tallies[t].count > tallies[t - 1].count; t--) {
            struct tally other = tallies[t];
            tallies[t] = tallies[t - 1];
            tallies[t - 1] = other;
        }
    }
    return n;
}

static int band_of(const struct tally *tallies, int n_bands, const char *type)
{
    for (int b = 0; b < n_bands - 1; b++) {
        if (strcmp(tallies[b].type, type) == 0) {
            return b;
        }
    }
    return n_bands - 1;
}

static void add_bands(struct arena *arena, const struct tally *tallies, int n,
                      struct events_view *out)
{
    struct bar_chart *chart = &out->counts;
    chart->n_bands = n < CHART_MAX_BANDS ? n : CHART_MAX_BANDS;
    for (int b = 0; b < chart->n_bands; b++) {
        bool is_rest = n > CHART_MAX_BANDS && b == TYPES_SHOWN;
        int64_t count = tallies[b].count;
        for (int t = b + 1; is_rest && t < n; t++) {
            count += tallies[t].count;
        }
        chart->bands[b] = (struct chart_band){ is_rest ? "all others" : tallies[b].type, tones[b] };
        out->totals[b] = (struct total_view){
            chart->bands[b].name, tones[b], format_number(arena, (double)count, 0),
        };
    }
}

bool event_counts_view(struct arena *arena, const struct zone *zone, int64_t now_us,
                       const int64_t *starts, const struct event_count_list *counts,
                       struct events_view *out)
{
    struct tally *tallies = arena_array(arena, (size_t)counts->n, sizeof *tallies);
    struct chart_slot *slots = arena_array(arena, EVENT_COUNT_DAYS, sizeof *slots);
    struct chart_tick *ticks = arena_array(arena, EVENT_COUNT_DAYS, sizeof *ticks);
    if (counts->n == 0) {
        return true;
    }
    if (tallies == NULL || slots == NULL || ticks == NULL) {
        return false;
    }
    int n = tally_types(counts, tallies);
    int64_t sum = 0;
    out->counts = (struct bar_chart){
        .id = "counts", .title = "Events by day and type", .unit = "", .slot_heading = "Day",
        .slots = slots, .n_slots = EVENT_COUNT_DAYS, .ticks = ticks, .n_ticks = EVENT_COUNT_DAYS,
        .is_stacked = true,
    };
    add_bands(arena, tallies, n, out);
    for (int d = 0; d < EVENT_COUNT_DAYS; d++) {
        struct clock_fields at = format_local(zone, starts[d] + US_PER_DAY / 2);
        slots[d] = (struct chart_slot){
            .from = 100.0 * d / EVENT_COUNT_DAYS,
            .to = 100.0 * (d + 1) / EVENT_COUNT_DAYS,
            .name = format_day(arena, zone, starts[d] + US_PER_DAY / 2),
            .is_open = starts[d + 1] > now_us,
        };
        ticks[d] = (struct chart_tick){
            .at = 100.0 * (d + 0.5) / EVENT_COUNT_DAYS,
            .label = arena_printf(arena, "%d %s", at.day, format_months[at.month - 1]),
            .is_minor = (EVENT_COUNT_DAYS - 1 - d) % 3 != 0,
        };
    }
    for (int i = 0; i < counts->n; i++) {
        const struct event_count *count = &counts->items[i];
        int b = band_of(tallies, out->counts.n_bands, count->type);
        slots[count->stretch].values[b] += (double)count->count;
        sum += count->count;
    }
    out->counts.summary = arena_printf(arena, "%s events in the last %d days.",
                                       format_number(arena, (double)sum, 0), EVENT_COUNT_DAYS);
    return true;
}
