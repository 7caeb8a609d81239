/* Turns a place's costs into figures, a chart with its table, and values of devices. Called by
 * web/page_costs.c. */
#include "view/model_costs.h"

#include "domain/span.h"
#include "view/format_money.h"
#include "view/link.h"
#include "view/model_parts.h"

#include <string.h>

const char *const COST_VIEW_NAMES[] = { "day", "month", "year" };

static const char *const month_names[12] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

enum sample_bucket cost_view_bucket(enum cost_view view)
{
    return view == COSTS_DAY ? SAMPLE_1H : view == COSTS_MONTH ? SAMPLE_1D : SAMPLE_1MO;
}

/* ---- addresses ---- */

const char *costs_link(struct arena *arena, const struct costs_facts *facts, enum cost_view view,
                       int64_t day)
{
    const struct link_param params[] = {
        { "view", COST_VIEW_NAMES[view] },
        { "at", span_day_text(arena, day) },
        { "site", facts->site },
        { "device", facts->device },
    };
    return link_to(arena, "/costs", params, sizeof params / sizeof *params);
}

static void add_ways(struct arena *arena, const struct costs_facts *facts, struct costs_view *out)
{
    static const char *const labels[] = { "Day by hour", "Month by day", "Year by month" };
    int64_t today = span_day_of(&facts->zone, facts->now_us);
    int64_t last = facts->to_day - 1 < today ? facts->to_day - 1 : today;

    for (int v = COSTS_DAY; v <= COSTS_YEAR; v++) {
        out->views[v] = (struct choice_link){
            labels[v], costs_link(arena, facts, (enum cost_view)v, last), (int)facts->view == v,
        };
    }
    out->previous = costs_link(arena, facts, facts->view, facts->from_day - 1);
    out->next = facts->to_day <= today ? costs_link(arena, facts, facts->view, facts->to_day)
                                       : NULL;
}

static const char *csv_link(struct arena *arena, const struct costs_facts *facts)
{
    const struct link_param params[] = {
        { "format", "csv" },
        { "bucket", sample_bucket_name(cost_view_bucket(facts->view)) },
        { "site", facts->site },
        { "device", facts->device },
        { "from", span_day_text(arena, facts->from_day) },
        { "to", span_day_text(arena, facts->to_day) },
    };
    return link_to(arena, "/v1/costs", params, sizeof params / sizeof *params);
}

static const char *bill_link(struct arena *arena, const struct costs_facts *facts)
{
    const struct link_param params[] = {
        { "site", facts->site },
        { "device", facts->device },
        { "from", span_day_text(arena, facts->from_day) },
        { "to", span_day_text(arena, facts->to_day - 1) },
    };
    return link_to(arena, "/costs/bill", params, sizeof params / sizeof *params);
}

/* ---- words ---- */

static const char *span_words(struct arena *arena, const struct costs_facts *facts)
{
    struct clock_fields at = clock_split(facts->from_day * US_PER_DAY);

    switch (facts->view) {
    case COSTS_DAY:
        return format_day_long(arena, &facts->zone,
                               span_day_start(&facts->zone, facts->from_day));
    case COSTS_MONTH:
        return arena_printf(arena, "%s %d", month_names[at.month - 1], at.year);
    case COSTS_YEAR:
        return arena_printf(arena, "%d", at.year);
    }
    return NULL;
}

static const char *where_words(struct arena *arena, const struct costs_facts *facts)
{
    const char *zone = facts->zone.name;

    if (facts->device) {
        return arena_printf(arena, "Device %s, %s", facts->device, zone);
    }
    return facts->site ? arena_printf(arena, "Site %s, %s", facts->site, zone)
                       : arena_printf(arena, "All sites, %s", zone);
}

static void add_status(const struct costs_facts *facts, struct costs_view *out)
{
    bool is_final = facts->buckets.n > 0 &&
                    facts->buckets.items[facts->buckets.n - 1].to_us >=
                        span_day_start(&facts->zone, facts->to_day);

    for (int i = 0; i < facts->buckets.n; i++) {
        is_final = is_final && facts->buckets.items[i].is_final;
    }
    out->status = is_final ? "Final" : "Provisional";
    out->status_class = is_final ? "live" : "late";
}

/* ---- the month ---- */

/* "1–20 October" */
static const char *part_words(struct arena *arena, const struct zone *zone,
                              const struct cost_part *part, bool has_year)
{
    struct clock_fields at = format_local(zone, part->from_us + US_PER_DAY / 2);
    const char *month = month_names[at.month - 1];
    const char *days = part->n_days == 1 ? "1" : arena_printf(arena, "1–%d", part->n_days);

    return has_year ? arena_printf(arena, "%s %s %d", days, month, at.year)
                    : arena_printf(arena, "%s %s", days, month);
}

static const char *money_words(struct arena *arena, const struct costs_facts *facts,
                               struct money amount)
{
    return format_money(arena, amount, facts->decimals, facts->currency);
}

/* The days that are over beside as many of another month. */
static struct month_cost beside(struct arena *arena, const struct costs_facts *facts,
                                const struct cost_part *other, const char *label, bool has_year)
{
    const struct cost_part *over = &facts->outlook.over;
    struct month_cost out = { .label = label };

    if (over->n_days == 0 || other->n_days != over->n_days || !other->is_whole) {
        out.note = over->n_days == 0 ? "From the second day on" : "Nothing to compare with";
        return out;
    }
    out.value = money_words(arena, facts, other->cost);
    out.change = format_change(arena, over->cost, other->cost);
    out.change_tone = money_compare(over->cost, other->cost) > 0 ? "more" : "less";
    out.note = arena_printf(arena, "%s, against %s since the 1st",
                            part_words(arena, &facts->zone, other, has_year),
                            money_words(arena, facts, over->cost));
    return out;
}

static void add_month(struct arena *arena, const struct costs_facts *facts,
                      struct costs_view *out)
{
    const struct cost_outlook *outlook = &facts->outlook;
    const struct cost_part *so_far = &outlook->so_far;

    if (!facts->currency || so_far->n_days == 0) {
        return;
    }
    out->month[0] = (struct month_cost){
        .label = "This month so far",
        .value = money_words(arena, facts, so_far->cost),
        .note = arena_printf(arena, "%s; today %s",
                             part_words(arena, &facts->zone, so_far, false),
                             money_words(arena, facts, outlook->today)),
    };
    out->today = outlook->has_today ? money_words(arena, facts, outlook->today) : NULL;
    out->month[1] = (struct month_cost){
        .label = "Expected by the month’s end",
        .value = outlook->has_forecast ? money_words(arena, facts, outlook->forecast) : NULL,
        .note = outlook->has_forecast
                    ? "Each day to come as its weekday was in the last four weeks"
                    : "After a week of whole days",
    };
    out->month[2] = beside(arena, facts, &outlook->before, "Month before, same days", false);
    out->n_month = 3;
    if (outlook->year_ago.n_days > 0 && outlook->year_ago.is_whole) {
        out->month[3] = beside(arena, facts, &outlook->year_ago, "Year before, same days", true);
        out->n_month = COST_MONTH_FIGURES;
    }
}

/* ---- devices ---- */

static const char *role_words(const char *role)
{
    return strcmp(role, "grid_import") == 0 ? "meter at the grid"
           : strcmp(role, "sub_meter") == 0 ? "sub-meter"
                                            : "";
}

static bool add_devices(struct arena *arena, const struct costs_facts *facts,
                        struct costs_view *out)
{
    const struct cost_devices *devices = &facts->devices;
    struct device_cost *rows = arena_array(arena, (size_t)devices->n + 1, sizeof *rows);
    struct money most = { 0 };

    for (int i = 0; rows && i < devices->n; i++) {
        const struct money cost = devices->items[i].cost;
        most = money_compare(cost, most) > 0 ? cost : most;
    }
    for (int i = 0; rows && i < devices->n; i++) {
        const struct cost_device *device = &devices->items[i];
        const char *kwh = format_nano(arena, device->import, 2);
        struct costs_facts place = *facts;
        place.device = device->device;
        place.site = NULL;
        rows[i] = (struct device_cost){
            .key = device->device,
            .href = costs_link(arena, &place, facts->view, facts->from_day),
            .about = role_words(device->role),
            .energy = kwh ? arena_printf(arena, "%s" FORMAT_NBSP "kWh", kwh) : NULL,
            .cost = device->is_priced ? money_words(arena, facts, device->cost) : NULL,
            .percent = format_part(arena, device->cost, most),
        };
    }
    out->devices = rows;
    out->n_devices = devices->n;
    out->devices_note = facts->devices_note;
    return rows != NULL;
}

bool costs_view(struct arena *arena, const struct costs_facts *facts, struct costs_view *out)
{
    *out = (struct costs_view){
        .where = where_words(arena, facts),
        .span = span_words(arena, facts),
        .is_priced = facts->currency != NULL,
        .csv = csv_link(arena, facts),
        .bill_href = bill_link(arena, facts),
    };
    add_ways(arena, facts, out);
    add_status(facts, out);
    add_month(arena, facts, out);
    if (!costs_chart(arena, facts, out) || !add_devices(arena, facts, out)) {
        return false;
    }
    return facts->view != COSTS_DAY || costs_explain(arena, facts, out);
}
