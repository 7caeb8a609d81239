/* Turns a place's energy into a chart, totals and a table, with what it costs beside it. Called by
 * web/page_energy.c. */
#include "view/model_energy.h"

#include "view/format_money.h"
#include "view/link.h"
#include "view/model_parts.h"

#include <string.h>

#define TICKS 8
#define TABLE_DECIMALS 2

/* What a bucket has of each; the roles that the page tells apart. */
enum part { PART_USED, PART_IMPORT, PART_EXPORT, PART_MADE, N_PARTS };

static const struct {
    const char *heading, *total, *tone;
} parts[N_PARTS] = {
    [PART_USED] = { "Used, kWh", "Used", "used" },
    [PART_IMPORT] = { "From the grid, kWh", "From the grid", "grid" },
    [PART_EXPORT] = { "Fed in, kWh", "Fed in", "night" },
    [PART_MADE] = { "Generated, kWh", "Generated", "made" },
};

struct amounts {
    int64_t nkwh[N_PARTS];
    bool is_known[N_PARTS];
};

struct work {
    struct arena *arena;
    const struct energy_facts *facts;
    struct amounts *buckets;
    struct quantity totals[N_PARTS];
    struct money cost;
    bool has[N_PARTS];
    bool is_priced;
};

/* ---- what is known ---- */

static void take(struct work *work, struct amounts *bucket, enum part part, const char *kwh)
{
    if (kwh && decimal_parse_near(str_of(kwh), MONEY_MAX_DECIMALS, &bucket->nkwh[part])) {
        bucket->is_known[part] = true;
        work->has[part] = true;
        work->totals[part] = quantity_add(work->totals[part], bucket->nkwh[part]);
    }
}

static bool gather(struct work *work)
{
    const struct energy_facts *facts = work->facts;
    int at = 0;

    work->buckets = arena_array(work->arena, (size_t)facts->n + 1, sizeof *work->buckets);
    for (int i = 0; work->buckets && i < facts->energy.n; i++) {
        const struct energy_bucket *item = &facts->energy.items[i];
        while (at < facts->n && facts->edges[at] < item->time_us) {
            at++;
        }
        if (at < facts->n && facts->edges[at] == item->time_us) {
            take(work, &work->buckets[at], PART_USED, item->used_kwh);
            take(work, &work->buckets[at], PART_IMPORT, item->grid_import_kwh);
            take(work, &work->buckets[at], PART_EXPORT, item->grid_export_kwh);
            take(work, &work->buckets[at], PART_MADE, item->generation_kwh);
        }
    }
    for (int i = 0; i < facts->costs.buckets.n; i++) {
        const struct cost_bucket *bucket = &facts->costs.buckets.items[i];
        work->is_priced = work->is_priced || bucket->is_priced;
        work->cost = money_add(work->cost, bucket->cost);
    }
    return work->buckets != NULL;
}

static const struct cost_bucket *cost_at(const struct energy_facts *facts, int64_t time_us)
{
    const struct cost_buckets *buckets = &facts->costs.buckets;

    for (int i = 0; i < buckets->n; i++) {
        if (buckets->items[i].from_us == time_us) {
            return buckets->items[i].is_priced && buckets->items[i].is_known ? &buckets->items[i]
                                                                             : NULL;
        }
    }
    return NULL;
}

/* ---- addresses ---- */

struct way {
    const char *range, *from, *to, *bucket;
};

static struct way here(struct arena *arena, const struct energy_facts *facts)
{
    bool is_dates = facts->query.range == SPAN_DATES;

    return (struct way){
        .range = is_dates ? NULL : span_range_name(facts->query.range),
        .from = is_dates ? span_day_text(arena, facts->query.from_day) : NULL,
        .to = is_dates ? span_day_text(arena, facts->query.to_day) : NULL,
        .bucket = facts->query.is_auto ? NULL : sample_bucket_name(facts->query.bucket),
    };
}

static const char *way_link(struct arena *arena, const struct energy_facts *facts,
                            const struct way *way)
{
    const struct link_param params[] = {
        { "site", facts->site }, { "device", facts->device }, { "range", way->range },
        { "from", way->from },   { "to", way->to },           { "bucket", way->bucket },
    };
    return link_to(arena, "/energy", params, sizeof params / sizeof *params);
}

static void add_ranges(struct arena *arena, const struct energy_facts *facts,
                       struct energy_view *out)
{
    static const char *const labels[ENERGY_RANGES] = { "24 hours", "7 days", "30 days", "90 days",
                                                       "1 year" };

    for (int r = SPAN_24H; r < SPAN_DATES; r++) {
        struct way way = { .range = span_range_name((enum span_range)r) };
        out->ranges[r] = (struct choice_link){
            labels[r], way_link(arena, facts, &way), (int)facts->query.range == r,
        };
    }
}

static void add_buckets(struct arena *arena, const struct energy_facts *facts,
                        struct energy_view *out)
{
    static const char *const labels[] = { "Auto", "15 min", "Hour", "Day", "Week", "Month" };
    struct way way = here(arena, facts);

    for (int b = SAMPLE_RAW; b <= SAMPLE_1MO; b++) {
        bool is_auto = b == SAMPLE_RAW;
        way.bucket = is_auto ? NULL : sample_bucket_name((enum sample_bucket)b);
        out->buckets[b] = (struct choice_link){
            labels[b], way_link(arena, facts, &way),
            is_auto ? facts->query.is_auto
                    : !facts->query.is_auto && (int)facts->query.bucket == b,
        };
    }
}

static const char *dates_link(struct arena *arena, const struct energy_facts *facts,
                              int64_t from_day, int64_t to_day)
{
    struct way way = here(arena, facts);

    way.range = NULL;
    way.from = span_day_text(arena, from_day);
    way.to = span_day_text(arena, to_day);
    return way_link(arena, facts, &way);
}

static void add_neighbours(struct arena *arena, const struct energy_facts *facts,
                           struct energy_view *out)
{
    const struct span *span = &facts->span;
    int64_t today = span_day_of(&facts->zone, facts->now_us);
    int64_t days = span->to_day - span->from_day + 1;

    if (span->range == SPAN_24H) {
        out->previous = dates_link(arena, facts, today - 1, today - 1);
        return;
    }
    out->previous = dates_link(arena, facts, span->from_day - days, span->from_day - 1);
    if (span->to_day < today) {
        out->next = dates_link(arena, facts, span->to_day + 1, span->to_day + days);
    }
}

static const char *csv_link(struct arena *arena, const struct energy_facts *facts)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    const struct link_param params[] = {
        { "format", "csv" },
        { "bucket", sample_bucket_name(facts->span.bucket) },
        { "site", facts->site },
        { "device", facts->device },
        { "from", clock_format(facts->span.from_us, from) },
        { "to", clock_format(facts->span.to_us, to) },
    };
    return link_to(arena, "/v1/energy", params, sizeof params / sizeof *params);
}

static const char *costs_href(struct arena *arena, const struct energy_facts *facts)
{
    const struct link_param params[] = {
        { "site", facts->site },
        { "device", facts->device },
        { "at", span_day_text(arena, facts->span.to_day) },
    };
    return link_to(arena, "/costs", params, sizeof params / sizeof *params);
}

/* ---- the chart ---- */

static void add_band(struct work *work, struct bar_chart *chart, enum part part,
                     enum part shown[CHART_MAX_BANDS])
{
    if (work->has[part]) {
        shown[chart->n_bands] = part;
        chart->bands[chart->n_bands++] = (struct chart_band){ parts[part].total,
                                                              parts[part].tone };
    }
}

/* With a meter at the grid: what came in on top of each other, what went out downwards. Else what
 * was used and generated side by side. */
static void add_bands(struct work *work, struct bar_chart *chart,
                      enum part shown[CHART_MAX_BANDS])
{
    chart->is_stacked = work->has[PART_IMPORT] || work->has[PART_EXPORT];
    if (chart->is_stacked) {
        add_band(work, chart, PART_IMPORT, shown);
    } else {
        add_band(work, chart, PART_USED, shown);
    }
    add_band(work, chart, PART_MADE, shown);
    add_band(work, chart, PART_EXPORT, shown);
}

static void set_value(struct chart_slot *slot, int band, const struct amounts *bucket,
                      enum part part)
{
    if (bucket->is_known[part]) {
        chart_slot_set(slot, band, part == PART_EXPORT ? -bucket->nkwh[part] : bucket->nkwh[part]);
    } else {
        chart_slot_miss(slot, band);
    }
}

static bool add_slots(struct work *work, struct bar_chart *chart,
                      const enum part shown[CHART_MAX_BANDS])
{
    const struct energy_facts *facts = work->facts;
    struct chart_slot *slots = arena_array(work->arena, (size_t)facts->n + 1, sizeof *slots);

    for (int i = 0; slots && i < facts->n; i++) {
        int64_t from_us = facts->edges[i], to_us = facts->edges[i + 1];
        slots[i] = (struct chart_slot){
            .name = bucket_name(work->arena, &facts->zone, facts->span.bucket, from_us, to_us),
            .is_open = to_us > facts->now_us && from_us <= facts->now_us,
        };
        chart_slot_place(&slots[i], from_us, to_us, facts->edges[0], facts->edges[facts->n]);
        for (int b = 0; b < chart->n_bands; b++) {
            set_value(&slots[i], b, &work->buckets[i], shown[b]);
        }
    }
    chart->slots = slots;
    chart->n_slots = facts->n;
    chart->ticks = span_ticks(work->arena, &facts->zone, facts->edges[0], facts->edges[facts->n],
                              TICKS, &chart->n_ticks);
    return slots != NULL && chart->ticks != NULL;
}

static const char *total_words(struct work *work, enum part part)
{
    const char *kwh = format_nano(work->arena, work->totals[part], 1);

    return kwh ? arena_printf(work->arena, "%s" FORMAT_NBSP "kWh", kwh) : NULL;
}

static bool add_chart(struct work *work, struct energy_view *out)
{
    enum part shown[CHART_MAX_BANDS] = { PART_USED };
    struct bar_chart *chart = &out->chart;

    *chart = (struct bar_chart){
        .id = "energy",
        .title = arena_printf(work->arena, "Energy by %s", bucket_word(work->facts->span.bucket)),
        .summary = work->has[PART_USED] ? arena_printf(work->arena, "%s used in all.",
                                                       total_words(work, PART_USED))
                                        : "By role.",
        .unit = "kWh",
        .slot_heading = "Time",
    };
    add_bands(work, chart, shown);
    return add_slots(work, chart, shown);
}

/* ---- totals and the table ---- */

/* Which days' costs are told where not all are, or why none are; NULL: all are. */
static const char *cost_notice(struct arena *arena, const struct energy_facts *facts)
{
    if (facts->costs_problem) {
        return arena_printf(arena, "Energy without its costs. %s", facts->costs_problem);
    }
    if (facts->costs_to_us == INT64_MAX) {
        return NULL;
    }
    const char *day = span_day_text(arena, span_day_of(&facts->zone, facts->costs_to_us));
    return arena_printf(arena, "These are more costs than can be worked out at once: they are "
                        "those until before %s. Choose fewer days to see the others.", day);
}

static void add_stats(struct work *work, struct energy_view *out)
{
    for (int p = 0; p < N_PARTS; p++) {
        if (work->has[p]) {
            out->stats[out->n_stats++] = (struct stat_view){
                parts[p].total, { format_nano(work->arena, work->totals[p], 1), "kWh" }, NULL,
            };
        }
    }
    if (work->is_priced) {
        out->cost = format_money(work->arena, work->cost, work->facts->costs.decimals,
                                 work->facts->costs.currency);
        out->costs_href = costs_href(work->arena, work->facts);
    }
}

static void fill_row(struct work *work, int i, struct chart_row *row)
{
    const struct energy_facts *facts = work->facts;
    const struct amounts *bucket = &work->buckets[i];
    const struct cost_bucket *cost = cost_at(facts, facts->edges[i]);
    int n = 0;

    row->name = bucket_name(work->arena, &facts->zone, facts->span.bucket, facts->edges[i],
                            facts->edges[i + 1]);
    for (int p = 0; p < N_PARTS; p++) {
        if (work->has[p]) {
            row->cells[n++] = bucket->is_known[p]
                                  ? format_nano(work->arena, (struct quantity){ bucket->nkwh[p] },
                                                TABLE_DECIMALS)
                                  : FORMAT_NONE;
        }
    }
    if (work->is_priced) {
        row->cells[n] = cost ? format_money(work->arena, cost->cost, facts->costs.decimals,
                                            facts->costs.currency)
                             : FORMAT_NONE;
    }
}

static bool add_table(struct work *work, struct energy_view *out)
{
    const struct energy_facts *facts = work->facts;
    struct chart_row *rows = arena_array(work->arena, (size_t)facts->n + 1, sizeof *rows);
    struct number_table *table = &out->table;

    *table = (struct number_table){
        .id = "energy-table",
        .caption = out->chart.title,
        .heading = "Time",
        .rows = rows,
    };
    for (int p = 0; p < N_PARTS; p++) {
        if (work->has[p]) {
            table->columns[table->n_columns++] = parts[p].heading;
        }
    }
    if (work->is_priced) {
        table->columns[table->n_columns++] = "Cost";
    }
    for (int i = facts->n - 1; rows && i >= 0; i--) {
        if (facts->edges[i] <= facts->now_us) {
            fill_row(work, i, &rows[table->n_rows++]);
        }
    }
    return rows != NULL;
}

bool energy_view(struct arena *arena, const struct energy_facts *facts, struct energy_view *out)
{
    struct work work = { .arena = arena, .facts = facts };
    const struct span *span = &facts->span;

    *out = (struct energy_view){
        .span = span->range == SPAN_24H ? "The last 24 hours"
                                        : days_name(arena, span->from_day, span->to_day),
        .notice = span->is_coarser && !facts->query.is_auto
                      ? "That would be too many bars over this span: a coarser step is shown."
                      : NULL,
        .from = facts->from ? facts->from : span_day_text(arena, span->from_day),
        .to = facts->to ? facts->to : span_day_text(arena, span->to_day),
        .span_error = facts->span_error,
        .csv = csv_link(arena, facts),
        .cost_notice = cost_notice(arena, facts),
    };
    add_ranges(arena, facts, out);
    add_buckets(arena, facts, out);
    add_neighbours(arena, facts, out);
    if (!gather(&work) || !add_chart(&work, out)) {
        return false;
    }
    add_stats(&work, out);
    return add_table(&work, out);
}
