/* What a chart of costs is stacked of: a band for each rate period, one for all that does not
 * depend on the time of day, one downwards for what is fed in. Called by view/model_costs.c. */
#include "view/model_costs.h"

#include "domain/span.h"
#include "view/format_money.h"
#include "view/model_parts.h"
#include "view/money_scale.h"

#include <string.h>

#define MAX_PERIODS (CHART_MAX_BANDS - 2)
#define TICKS 8

_Static_assert(MONEY_SCALE_STEP == CHART_MARK, "heights are in parts of the axis's step");

/* The bands; the last two are not of a period. */
struct bands {
    struct chart_band items[CHART_MAX_BANDS];
    const char *periods[MAX_PERIODS]; /* names; the last may stand for several */
    int n_periods;
    bool has_more;                    /* than have a band of their own */
    bool has_rest, has_exported;
    int n;
};

struct amounts {
    struct money items[CHART_MAX_BANDS];
};

static const char *const period_tones[MAX_PERIODS] = { "used", "peak", "night", "grid" };

static int period_band(const struct bands *bands, const char *name)
{
    int last = bands->n_periods - 1;

    for (int i = 0; i < bands->n_periods - (bands->has_more ? 1 : 0); i++) {
        if (strcmp(bands->periods[i], name) == 0) {
            return i;
        }
    }
    return bands->has_more ? last : -1;
}

static void add_period(struct bands *bands, const struct cost_period *period)
{
    if (period_band(bands, period->name) >= 0) {
        return;
    }
    if (bands->n_periods == MAX_PERIODS) {
        bands->has_more = true;
        bands->items[MAX_PERIODS - 1].name = "Other periods";
        return;
    }
    int i = bands->n_periods++;
    bands->periods[i] = period->name;
    bands->items[i] = (struct chart_band){ period->title, period_tones[i] };
}

/* What a bucket costs beside its periods and what is fed in. */
static struct money rest_of(const struct cost_bucket *bucket)
{
    struct money rest = money_subtract(bucket->cost, bucket->exported);

    for (int p = 0; p < bucket->n_periods; p++) {
        rest = money_subtract(rest, bucket->periods[p].cost);
    }
    return rest;
}

static struct bands find_bands(const struct cost_buckets *buckets)
{
    struct bands bands = { .n = 0 };

    for (int i = 0; i < buckets->n; i++) {
        const struct cost_bucket *bucket = &buckets->items[i];
        for (int p = 0; p < bucket->n_periods; p++) {
            add_period(&bands, &bucket->periods[p]);
        }
        bands.has_rest = bands.has_rest || money_sign(rest_of(bucket)) != 0;
        bands.has_exported = bands.has_exported || money_sign(bucket->exported) != 0;
    }
    bands.n = bands.n_periods;
    if (bands.has_rest) {
        bands.items[bands.n++] = (struct chart_band){ "Fixed charges and taxes", "plain" };
    }
    if (bands.has_exported) {
        bands.items[bands.n++] = (struct chart_band){ "Fed in", "made" };
    }
    return bands;
}

static struct amounts amounts_of(const struct bands *bands, const struct cost_bucket *bucket)
{
    struct amounts out = { .items = { { 0 } } };
    int next = bands->n_periods;

    for (int p = 0; p < bucket->n_periods; p++) {
        int band = period_band(bands, bucket->periods[p].name);
        if (band >= 0) {
            out.items[band] = money_add(out.items[band], bucket->periods[p].cost);
        }
    }
    if (bands->has_rest) {
        out.items[next++] = rest_of(bucket);
    }
    if (bands->has_exported) {
        out.items[next] = bucket->exported;
    }
    return out;
}

/* ---- the axis ---- */

/* Down to what is paid for export and up to what all else comes to, of the bucket where that is
 * most. */
static struct money_scale find_scale(const struct costs_facts *facts, const struct bands *bands)
{
    struct money least = { 0 }, most = { 0 };

    for (int i = 0; i < facts->buckets.n; i++) {
        const struct cost_bucket *bucket = &facts->buckets.items[i];
        struct amounts amounts = amounts_of(bands, bucket);
        struct money above = { 0 }, below = { 0 };
        for (int b = 0; b < bands->n && bucket->is_priced && bucket->is_known; b++) {
            struct money *sum = money_sign(amounts.items[b]) < 0 ? &below : &above;
            *sum = money_add(*sum, amounts.items[b]);
        }
        least = money_compare(below, least) < 0 ? below : least;
        most = money_compare(above, most) > 0 ? above : most;
    }
    return money_scale(least, most);
}

static bool add_marks(struct arena *arena, const struct money_scale *scale,
                      struct bar_chart *chart)
{
    const char **marks = arena_array(arena, (size_t)scale->n, sizeof *marks);

    for (int i = 0; marks && i < scale->n; i++) {
        marks[i] = money_scale_label(arena, scale, i);
    }
    chart->marks = marks;
    chart->first_mark = scale->first;
    chart->n_marks = scale->n;
    return marks != NULL;
}

/* ---- slots and rows ---- */

/* What slots are made with. */
struct drawn {
    const struct bands *bands;
    struct money_scale scale;
};

/* Hours cost little: they are told one digit more. */
static int decimals_of(const struct costs_facts *facts)
{
    return facts->decimals + (facts->view == COSTS_DAY ? 1 : 0);
}

static bool add_texts(struct arena *arena, const struct costs_facts *facts,
                      const struct drawn *drawn, const struct amounts *amounts,
                      struct chart_slot *slot, struct cost_row *row)
{
    const char **texts = arena_array(arena, CHART_MAX_BANDS, sizeof *texts);

    if (!texts) {
        return false;
    }
    for (int b = 0; b < drawn->bands->n; b++) {
        texts[b] =
            format_money(arena, amounts->items[b], decimals_of(facts), facts->currency);
        slot->values[b] = money_scale_height(&drawn->scale, amounts->items[b]);
        row->cells[b] = texts[b];
    }
    slot->texts = texts;
    return true;
}

static const char *href_of(struct arena *arena, const struct costs_facts *facts, int64_t from_us)
{
    int64_t day = span_day_of(&facts->zone, from_us);

    if (facts->view == COSTS_DAY) {
        return NULL;
    }
    return costs_link(arena, facts, facts->view == COSTS_YEAR ? COSTS_MONTH : COSTS_DAY, day);
}

static bool add_slots(struct arena *arena, const struct costs_facts *facts,
                      const struct drawn *drawn, struct chart_slot *slots, struct cost_row *rows)
{
    const struct cost_buckets *buckets = &facts->buckets;
    int64_t from_us = span_day_start(&facts->zone, facts->from_day);
    int64_t to_us = span_day_start(&facts->zone, facts->to_day);

    for (int i = 0; i < buckets->n; i++) {
        const struct cost_bucket *bucket = &buckets->items[i];
        struct cost_row *row = &rows[buckets->n - 1 - i];
        struct amounts amounts = amounts_of(drawn->bands, bucket);
        slots[i] = (struct chart_slot){
            .name = bucket_name(arena, &facts->zone, cost_view_bucket(facts->view),
                                bucket->from_us, bucket->to_us),
            .is_open = bucket->to_us > facts->now_us,
        };
        chart_slot_place(&slots[i], bucket->from_us, bucket->to_us, from_us, to_us);
        *row = (struct cost_row){
            .name = slots[i].name,
            .href = href_of(arena, facts, bucket->from_us),
            .energy = bucket->is_known ? format_nano(arena, bucket->import, 2) : NULL,
            .is_provisional = !bucket->is_final,
        };
        if (!bucket->is_priced || !bucket->is_known) {
            for (int b = 0; b < drawn->bands->n; b++) {
                chart_slot_miss(&slots[i], b);
            }
            continue;
        }
        row->total = format_money(arena, bucket->cost, decimals_of(facts), facts->currency);
        if (!add_texts(arena, facts, drawn, &amounts, &slots[i], row)) {
            return false;
        }
    }
    return true;
}

/* What is paid, part by part; what is paid for export is none. */
static void add_bar(struct arena *arena, const struct amounts *sums, int n,
                    struct part_bar bar[CHART_MAX_BANDS])
{
    struct money all = { 0 }, at = { 0 };

    for (int b = 0; b < n; b++) {
        all = money_sign(sums->items[b]) > 0 ? money_add(all, sums->items[b]) : all;
    }
    for (int b = 0; b < n; b++) {
        bar[b] = (struct part_bar){ format_part(arena, at, all),
                                    format_part(arena, sums->items[b], all) };
        at = money_sign(sums->items[b]) > 0 ? money_add(at, sums->items[b]) : at;
    }
}

static void add_totals(struct arena *arena, const struct costs_facts *facts,
                       const struct bands *bands, struct costs_view *out)
{
    struct amounts sums = { .items = { { 0 } } };
    struct quantity energy = { 0 };
    struct money all = { 0 };

    for (int i = 0; i < facts->buckets.n; i++) {
        struct amounts amounts = amounts_of(bands, &facts->buckets.items[i]);
        for (int b = 0; b < bands->n; b++) {
            sums.items[b] = money_add(sums.items[b], amounts.items[b]);
        }
        all = money_add(all, facts->buckets.items[i].cost);
        energy.nano += facts->buckets.items[i].import.nano;
    }
    add_bar(arena, &sums, bands->n, out->bar);
    for (int b = 0; b < bands->n; b++) {
        out->totals[b] = (struct total_view){
            bands->items[b].name, bands->items[b].tone,
            format_money(arena, sums.items[b], facts->decimals, facts->currency),
        };
    }
    out->total = format_money(arena, all, facts->decimals, facts->currency);
    const char *kwh = format_nano(arena, energy, 1);
    out->energy = kwh ? arena_printf(arena, "%s" FORMAT_NBSP "kWh", kwh) : NULL;
}

bool costs_chart(struct arena *arena, const struct costs_facts *facts, struct costs_view *out)
{
    static const char *const headings[] = { "Hour", "Day", "Month" };
    struct bands bands = find_bands(&facts->buckets);
    size_t n = (size_t)facts->buckets.n;
    struct chart_slot *slots = arena_array(arena, n + 1, sizeof *slots);
    struct cost_row *rows = arena_array(arena, n + 1, sizeof *rows);

    struct drawn drawn = { &bands, find_scale(facts, &bands) };

    if (!slots || !rows || !add_slots(arena, facts, &drawn, slots, rows)) {
        return false;
    }
    add_totals(arena, facts, &bands, out);
    out->unit_heading = headings[facts->view];
    out->rows = rows;
    out->n_rows = facts->buckets.n;
    out->chart = (struct bar_chart){
        .id = "costs",
        .title = arena_printf(arena, "Costs by %s, %s",
                              bucket_word(cost_view_bucket(facts->view)), out->span),
        .summary = arena_printf(arena, "%s for %s.", out->total, out->energy),
        .unit = format_currency(arena, facts->currency),
        .slot_heading = out->unit_heading,
        .n_bands = bands.n,
        .slots = slots,
        .n_slots = facts->buckets.n,
        .is_stacked = true,
    };
    memcpy(out->chart.bands, bands.items, sizeof out->chart.bands);
    out->chart.ticks = span_ticks(arena, &facts->zone,
                                  span_day_start(&facts->zone, facts->from_day),
                                  span_day_start(&facts->zone, facts->to_day), TICKS,
                                  &out->chart.n_ticks);
    return add_marks(arena, &drawn.scale, &out->chart) && out->chart.ticks != NULL;
}
