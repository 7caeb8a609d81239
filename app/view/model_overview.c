/* Turns the overview's facts into figures, charts and rows. Called by the overview's page. */
#include "view/model_overview.h"

#include "view/model_events.h"
#include "view/model_month.h"
#include "view/model_parts.h"

#include <math.h>

static const struct chart_band bands[] = { { "Used", "used" }, { "Generated", "made" } };
enum { USED, MADE, N_BANDS };

/* ---- charts ---- */

static struct chart_slot slot_view(const struct overview *overview,
                                   const struct overview_slot *slot)
{
    return (struct chart_slot){
        .values = { [USED] = flow_used(&slot->energy), [MADE] = slot->energy.generation },
        .is_open = slot->to_us > overview->now_us,
    };
}

static struct chart_slot *hour_slots(struct arena *arena, const struct overview *overview)
{
    struct chart_slot *slots = arena_array(arena, OVERVIEW_HOURS, sizeof *slots);
    const struct overview_slot *hours = overview->hours;
    int64_t start_us = hours[0].from_us, end_us = hours[OVERVIEW_HOURS - 1].to_us;
    bool is_offset_shown = zone_changes(&overview->zone, start_us, end_us);
    for (int i = 0; slots != NULL && i < OVERVIEW_HOURS; i++) {
        slots[i] = slot_view(overview, &hours[i]);
        slots[i].from = 100.0 * (double)(hours[i].from_us - start_us) / (double)(end_us - start_us);
        slots[i].to = 100.0 * (double)(hours[i].to_us - start_us) / (double)(end_us - start_us);
        slots[i].name = span_name(arena, &overview->zone, hours[i].from_us, hours[i].to_us,
                                  is_offset_shown);
    }
    return slots;
}

/* Days are drawn equally wide: a day of 23 hours is still a day. */
static struct chart_slot *day_slots(struct arena *arena, const struct overview *overview)
{
    struct chart_slot *slots = arena_array(arena, OVERVIEW_DAYS, sizeof *slots);
    const struct overview_slot *days = overview_drawn_days(overview);
    for (int i = 0; slots != NULL && i < OVERVIEW_DAYS; i++) {
        slots[i] = slot_view(overview, &days[i]);
        slots[i].from = 100.0 * i / OVERVIEW_DAYS;
        slots[i].to = 100.0 * (i + 1) / OVERVIEW_DAYS;
        slots[i].name = format_day(arena, &overview->zone, days[i].from_us);
    }
    return slots;
}

/* Mondays, and the first of a month: each below the middle of its day. */
static struct chart_tick *day_ticks(struct arena *arena, const struct overview *overview, int *n)
{
    struct chart_tick *ticks = arena_array(arena, OVERVIEW_DAYS, sizeof *ticks);
    *n = 0;
    const struct overview_slot *days = overview_drawn_days(overview);
    for (int i = 0; ticks != NULL && i < OVERVIEW_DAYS; i++) {
        int64_t from_us = days[i].from_us;
        /* Noon: midnight itself can be missing. */
        struct clock_fields at = format_local(&overview->zone, from_us + US_PER_DAY / 2);
        if (at.weekday != 0) {
            continue;
        }
        ticks[(*n)++] = (struct chart_tick){
            .at = 100.0 * (i + 0.5) / OVERVIEW_DAYS,
            .label = arena_printf(arena, "%d %s", at.day, format_months[at.month - 1]),
        };
    }
    return ticks;
}

static void add_totals(struct arena *arena, const struct overview_slot *slots, int n,
                       struct total_view totals[N_BANDS])
{
    double sums[N_BANDS] = { NAN, NAN };
    for (int i = 0; i < n; i++) {
        double values[] = { flow_used(&slots[i].energy), slots[i].energy.generation };
        for (int b = 0; b < N_BANDS; b++) {
            if (!isnan(values[b])) {
                sums[b] = isnan(sums[b]) ? values[b] : sums[b] + values[b];
            }
        }
    }
    for (int b = 0; b < N_BANDS; b++) {
        totals[b] = (struct total_view){
            bands[b].name, bands[b].tone,
            format_join(arena, format_figure_beside(arena, sums[b], "kWh", fmax(sums[0], sums[1]))),
        };
    }
}

static bool has_generation(const struct overview *overview)
{
    const struct overview_slot *days = overview_drawn_days(overview);
    for (int i = 0; i < OVERVIEW_DAYS; i++) {
        if (!isnan(days[i].energy.generation)) {
            return true;
        }
    }
    return !isnan(overview->power.generation);
}

static const char *summary(struct arena *arena, const struct overview_view *view,
                           const struct total_view *totals, const char *span)
{
    if (!view->has_generation) {
        return arena_printf(arena, "%s used in %s.", totals[USED].value, span);
    }
    return arena_printf(arena, "%s used and %s generated in %s.", totals[USED].value,
                        totals[MADE].value, span);
}

static bool add_charts(struct arena *arena, const struct overview *overview,
                       struct overview_view *out)
{
    out->n_totals = out->has_generation ? 2 : 1;
    add_totals(arena, overview->hours, OVERVIEW_HOURS, out->hour_totals);
    add_totals(arena, overview_drawn_days(overview), OVERVIEW_DAYS, out->day_totals);
    struct bar_chart chart = {
        .unit = "kWh", .bands = { bands[USED], bands[MADE] }, .n_bands = out->n_totals,
    };
    out->hours = out->days = chart;
    out->hours.id = "hours";
    out->hours.title = "Energy by hour, last 24 hours";
    out->hours.summary = summary(arena, out, out->hour_totals, "the last 24 hours");
    out->hours.slot_heading = "Hour";
    out->hours.slots = hour_slots(arena, overview);
    out->hours.n_slots = OVERVIEW_HOURS;
    out->hours.ticks = span_ticks(arena, &overview->zone, overview->hours[0].from_us,
                                  overview->hours[OVERVIEW_HOURS - 1].to_us, 8,
                                  &out->hours.n_ticks);
    out->days.id = "days";
    out->days.title = "Energy by day, last 30 days";
    out->days.summary = summary(arena, out, out->day_totals, "the last 30 days");
    out->days.slot_heading = "Day";
    out->days.slots = day_slots(arena, overview);
    out->days.n_slots = OVERVIEW_DAYS;
    out->days.ticks = day_ticks(arena, overview, &out->days.n_ticks);
    return out->hours.slots != NULL && out->days.slots != NULL && out->hours.ticks != NULL &&
           out->days.ticks != NULL;
}

/* The use of the last hours as a line without axes; the hour that is not over is left out. */
static bool add_tide(struct arena *arena, const struct overview *overview,
                     struct overview_view *out)
{
    struct chart_point *points = arena_array(arena, OVERVIEW_HOURS, sizeof *points);
    int n = 0;
    for (int i = 0; points != NULL && i < OVERVIEW_HOURS - 1; i++) {
        points[n++] = (struct chart_point){
            100.0 * i / (OVERVIEW_HOURS - 2), flow_used(&overview->hours[i].energy),
        };
    }
    out->tide = (struct line_chart){
        .tone = "tide", .points = points, .n_points = n, .is_from_zero = true, .is_smooth = true,
    };
    return points != NULL;
}

/* ---- figures ---- */

/* The mean power of the hour in which it was highest, of the last 24; NaN: none is known. The
 * hour that is not over counts by what it has so far. */
static double highest_hour(const struct overview *overview, bool is_generation)
{
    double most = NAN;
    for (int i = 0; i < OVERVIEW_HOURS; i++) {
        const struct overview_slot *hour = &overview->hours[i];
        double kwh = is_generation ? hour->energy.generation : flow_used(&hour->energy);
        double span_us = (double)(hour->to_us - hour->from_us);
        most = fmax(most, kwh * 1000 * (double)US_PER_HOUR / span_us);
    }
    return most;
}

static void add_gauge(struct arena *arena, struct overview_view *out, const char *label,
                      const char *tone, double watts, double most_watts)
{
    struct gauge_view *gauge = &out->gauges[out->n_gauges++];
    *gauge = (struct gauge_view){
        .label = label, .tone = tone, .value = format_figure(arena, watts, "W"), .percent = watts,
    };
    if (most_watts >= watts) {
        gauge->most = arena_printf(arena, "at most %s in 24 h",
                                   format_quantity(arena, most_watts, "W"));
    }
}

/* All gauges have one scale: that of the highest value that any of them has or had. */
static void add_power(struct arena *arena, const struct overview *overview,
                      struct overview_view *out)
{
    double used = flow_used(&overview->power), net = flow_net(&overview->power);
    double generated = overview->power.generation;
    double most_used = highest_hour(overview, false), most_made = highest_hour(overview, true);
    double full = fmax(fmax(fmax(used, generated), fabs(net)), fmax(most_used, most_made));
    out->has_power = !isnan(used) || !isnan(generated);
    if (!isnan(used)) {
        add_gauge(arena, out, "Using", "used", used, most_used);
    }
    if (!isnan(generated)) {
        add_gauge(arena, out, "Generating", "made", generated, most_made);
    }
    if (!isnan(net)) {
        add_gauge(arena, out, net < 0 ? "To the grid" : "From the grid", "grid", fabs(net), NAN);
    }
    for (int i = 0; i < out->n_gauges; i++) {
        double percent = full > 0 ? 100 * out->gauges[i].percent / full : 0;
        out->gauges[i].percent = fmin(fmax(percent, 0), 100);
    }
}

static void add_today(struct arena *arena, const struct overview *overview,
                      struct overview_view *out)
{
    const struct flow *today = &overview->days[overview->n_days - 1].energy;
    double used = flow_used(today), generated = today->generation;
    double before = flow_used(&overview->days[overview->n_days - 2].energy);
    out->today = format_day_long(arena, &overview->zone, overview->now_us);
    out->has_today = !isnan(used) || !isnan(generated);
    out->has_today_generation = !isnan(generated);
    out->today_used = format_figure_beside(arena, used, "kWh", fmax(used, generated));
    out->today_generated = format_figure_beside(arena, generated, "kWh", fmax(used, generated));
    if (used > 0 && !isnan(generated)) {
        double share = generated / used;
        out->today_share_percent = 100 * fmin(share, 1);
        out->today_share = format_share(arena, share);
    }
    out->yesterday = isnan(before) ? NULL : format_quantity(arena, before, "kWh");
}

/* ---- devices ---- */

static bool add_spark(struct arena *arena, const struct overview_device *device,
                      struct device_row *out)
{
    struct chart_point *points = arena_array(arena, OVERVIEW_HOURS, sizeof *points);
    bool is_known = false;
    if (points == NULL) {
        return false;
    }
    for (int i = 0; i < OVERVIEW_HOURS - 1; i++) {
        points[i] = (struct chart_point){
            100.0 * i / (OVERVIEW_HOURS - 2), device->hours_kwh[i],
        };
        is_known = is_known || !isnan(device->hours_kwh[i]);
    }
    bool is_made = device->latest.role != NULL && strcmp(device->latest.role, "generation") == 0;
    out->spark = (struct line_chart){
        .tone = is_made ? "made" : "used",
        .points = points,
        .n_points = is_known ? OVERVIEW_HOURS - 1 : 0,
        .is_from_zero = true,
    };
    return true;
}

static bool add_devices(struct arena *arena, const struct overview *overview,
                        struct overview_view *out)
{
    struct device_row *rows = arena_array(arena, (size_t)overview->n_devices, sizeof *rows);
    if (rows == NULL && overview->n_devices > 0) {
        return false;
    }
    double most_kwh = NAN;
    for (int i = 0; i < overview->n_devices; i++) {
        most_kwh = fmax(most_kwh, overview->devices[i].today_kwh);
    }
    for (int i = 0; i < overview->n_devices; i++) {
        const struct overview_device *device = &overview->devices[i];
        rows[i] = device_row(arena, &overview->zone, overview->now_us, &device->latest);
        struct figure today = format_figure_beside(arena, device->today_kwh, "kWh", most_kwh);
        rows[i].today = isnan(device->today_kwh) ? NULL : format_join(arena, today);
        if (!add_spark(arena, device, &rows[i])) {
            return false;
        }
    }
    out->devices = rows;
    out->n_devices = overview->n_devices;
    out->n_more = overview->counts.all - overview->n_devices;
    out->counts = counts_view(arena, &overview->counts);
    return true;
}

/* ---- events ---- */

static bool add_events(struct arena *arena, const struct overview *overview,
                       struct overview_view *out)
{
    const struct event_list *list = &overview->events;
    struct event_row *rows = arena_array(arena, (size_t)list->n, sizeof *rows);
    if (rows == NULL && list->n > 0) {
        return false;
    }
    for (int i = 0; i < list->n; i++) {
        const struct event *event = &list->items[i];
        rows[i] = (struct event_row){
            .type = event->type,
            .device = event->device,
            .time = moment_view(arena, &overview->zone, overview->now_us, event->time_us),
            .data = event_gist(arena, event->data),
        };
    }
    out->events = rows;
    out->n_events = list->n;
    return true;
}

bool overview_view(struct arena *arena, const struct overview *overview,
                   struct overview_view *out)
{
    *out = (struct overview_view){ .is_empty = overview->counts.all == 0 };
    out->has_generation = has_generation(overview);
    out->as_of = format_clock(arena, &overview->zone, overview->now_us);
    out->as_of_machine = format_machine(arena, &overview->zone, overview->now_us);
    const char *offset = format_offset(arena, zone_offset_at(&overview->zone, overview->now_us));
    out->zone = strcmp(overview->zone.name, "UTC") == 0
                    ? "UTC"
                    : arena_printf(arena, "%s, %s", overview->zone.name, offset);
    add_power(arena, overview, out);
    add_today(arena, overview, out);
    struct month month = month_of(overview);
    out->month = month_view(arena, &overview->zone, &month);
    return add_charts(arena, overview, out) && add_tide(arena, overview, out) &&
           add_events(arena, overview, out) && add_devices(arena, overview, out);
}
