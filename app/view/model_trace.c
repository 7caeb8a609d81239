/* Turns the points of a series into a line with its band, or bars, with statistics and a table.
 * Called by the device's model. */
#include "view/model_trace.h"

#include "view/model_parts.h"
#include "view/thin.h"

#include <math.h>

#define READOUTS 240 /* of raw lines: what a pointer can aim at */
#define TICKS 8
#define TABLE_ROWS 200                   /* what a table may hold */

/* What is being built. */
struct work {
    struct arena *arena;
    const struct trace_facts *facts;
    int64_t from_us, to_us; /* the drawing's left and right */
    bool is_counter;
};

const char *role_tone(const char *role)
{
    if (strcmp(role, "generation") == 0) {
        return "made";
    }
    if (strcmp(role, "grid_import") == 0 || strcmp(role, "grid_export") == 0) {
        return "grid";
    }
    return strcmp(role, "none") == 0 ? "plain" : "used";
}

bool series_is_sum(const struct device_series *series)
{
    return strcmp(series->kind, "delta") == 0;
}

bool series_is_counter(const struct device_series *series)
{
    return strcmp(series->kind, "counter") == 0;
}

static double place(const struct work *work, int64_t time_us)
{
    double at = 100.0 * (double)(time_us - work->from_us) / (double)(work->to_us - work->from_us);
    return fmin(fmax(at, 0), 100);
}

static const char *quantity(const struct work *work, double value)
{
    return format_quantity(work->arena, value, work->facts->series->unit);
}

/* Folds into the pieces between the edges and leaves out those that hold nothing. `ends` (n
 * places) gets where each of what is left ends. */
static bool fold(const struct work *work, const int64_t *edges, int n, struct trace *out,
                 int64_t *ends)
{
    struct trace_point *points = arena_array(work->arena, (size_t)n, sizeof *points);
    *out = (struct trace){ .points = points };
    if (points == NULL) {
        return n == 0;
    }
    trace_fold(&work->facts->trace, edges, n, points);
    for (int i = 0; i < n; i++) {
        if (points[i].count > 0) {
            ends[out->n] = edges[i + 1];
            points[out->n++] = points[i];
        }
    }
    return true;
}

/* ---- lines ---- */

static double shown_value(const struct work *work, const struct trace_point *point)
{
    return work->is_counter ? point->last : trace_mean(point);
}

/* What a pointer reads at each of the points; of one sample its own time. */
static bool add_readouts(const struct work *work, const struct trace *points, const int64_t *ends,
                         struct line_chart *line)
{
    struct chart_slot *slots = arena_array(work->arena, (size_t)points->n, sizeof *slots);
    bool is_raw = work->facts->span.bucket == SAMPLE_RAW;
    for (int i = 0; slots != NULL && i < points->n; i++) {
        const struct trace_point *point = &points->points[i];
        const char *name = is_raw && point->count == 1
                               ? format_moment(work->arena, work->facts->zone, point->last_us)
                               : bucket_name(work->arena, work->facts->zone,
                                             work->facts->span.bucket, point->time_us, ends[i]);
        slots[i] = (struct chart_slot){
            .from = place(work, point->time_us),
            .to = place(work, ends[i]),
            .name = name,
            .values = { shown_value(work, point), point->least, point->most },
            .is_open = ends[i] > work->facts->now_us && !is_raw,
        };
    }
    line->slots = slots;
    line->n_slots = points->n;
    return slots != NULL || points->n == 0;
}

/* The line and its band; both part where nothing came for longer than is usual. */
static bool add_points(const struct work *work, const struct trace *points, const int64_t *ends,
                       int64_t patience_us, struct line_chart *line)
{
    size_t room = (size_t)points->n * 2;
    struct chart_point *out = arena_array(work->arena, room, sizeof *out);
    struct chart_range *ranges = arena_array(work->arena, room, sizeof *ranges);
    bool is_raw = work->facts->span.bucket == SAMPLE_RAW;
    int n = 0;
    if (out == NULL || ranges == NULL) {
        return room == 0;
    }
    for (int i = 0; i < points->n; i++) {
        const struct trace_point *point = &points->points[i];
        int64_t at_us = is_raw             ? point->time_us
                        : work->is_counter ? point->last_us
                                           : point->time_us + (ends[i] - point->time_us) / 2;
        if (i > 0 && point->time_us - points->points[i - 1].time_us > patience_us) {
            out[n] = (struct chart_point){ place(work, at_us), NAN };
            ranges[n++] = (struct chart_range){ NAN, NAN };
        }
        out[n] = (struct chart_point){ place(work, at_us), shown_value(work, point) };
        ranges[n++] = (struct chart_range){ point->least, point->most };
    }
    line->points = out;
    line->n_points = n;
    line->ranges = is_raw || work->is_counter ? NULL : ranges;
    return true;
}

/* Every sample, thinned to the columns of the drawing. */
static bool add_raw(const struct work *work, struct line_chart *line)
{
    const struct trace *trace = &work->facts->trace;
    int64_t patience_us = trace_patience(work->arena, trace, US_PER_MINUTE);
    struct chart_point *thin =
        arena_array(work->arena, TRACE_COLUMNS * THIN_PER_COLUMN, sizeof *thin);
    int64_t edges[READOUTS + 1], ends[READOUTS];
    struct trace groups;
    if (thin == NULL || !add_points(work, trace, NULL, patience_us, line)) {
        return false;
    }
    line->n_points = thin_line(line->points, line->n_points, TRACE_COLUMNS, thin);
    line->points = thin;
    for (int i = 0; i <= READOUTS; i++) {
        edges[i] = work->from_us + (work->to_us - work->from_us) / READOUTS * i;
    }
    edges[READOUTS] = work->to_us;
    return fold(work, edges, READOUTS, &groups, ends) && add_readouts(work, &groups, ends, line);
}

/* A point for each bucket, or for several together where there are more than columns. */
static bool add_buckets(const struct work *work, struct line_chart *line)
{
    const struct span *span = &work->facts->span;
    int n;
    const int64_t *all =
        span_edges(work->arena, work->facts->zone, span->bucket, span->from_us, span->to_us, &n);
    int together = n / TRACE_COLUMNS + 1, n_groups = 0;
    int64_t *edges = arena_array(work->arena, (size_t)n + 2, sizeof *edges);
    int64_t *ends = arena_array(work->arena, (size_t)n + 2, sizeof *ends);
    struct trace groups;
    if (all == NULL || edges == NULL || ends == NULL) {
        return false;
    }
    for (int i = 0; i < n; i += together) {
        edges[n_groups++] = all[i];
    }
    edges[n_groups] = all[n];
    if (!fold(work, edges, n_groups, &groups, ends)) {
        return false;
    }
    int64_t width_us = n_groups > 0 ? edges[1] - edges[0] : US_PER_HOUR;
    int64_t patience_us = trace_patience(work->arena, &groups, width_us * 3 / 2);
    return add_points(work, &groups, ends, patience_us, line) &&
           add_readouts(work, &groups, ends, line);
}

/* ---- bars ---- */

static bool add_bars(struct work *work, struct bar_chart *bars)
{
    const struct span *span = &work->facts->span;
    int n;
    const int64_t *edges =
        span_edges(work->arena, work->facts->zone, span->bucket, span->from_us, span->to_us, &n);
    struct trace_point *points = arena_array(work->arena, (size_t)n, sizeof *points);
    struct chart_slot *slots = arena_array(work->arena, (size_t)n, sizeof *slots);
    if (edges == NULL || points == NULL || slots == NULL) {
        return false;
    }
    work->from_us = edges[0];
    work->to_us = edges[n];
    trace_fold(&work->facts->trace, edges, n, points);
    for (int i = 0; i < n; i++) {
        slots[i] = (struct chart_slot){
            .from = place(work, edges[i]),
            .to = place(work, edges[i + 1]),
            .name = bucket_name(work->arena, work->facts->zone, span->bucket, edges[i],
                                edges[i + 1]),
            .values = { points[i].count > 0 ? points[i].sum : NAN },
            .is_open = edges[i + 1] > work->facts->now_us && edges[i] <= work->facts->now_us,
        };
    }
    bars->slots = slots;
    bars->n_slots = n;
    return true;
}

/* ---- statistics ---- */

static const char *when(const struct work *work, int64_t time_us)
{
    enum sample_bucket bucket = work->facts->span.bucket;
    if (bucket == SAMPLE_RAW) {
        return format_moment(work->arena, work->facts->zone, time_us);
    }
    int n;
    const int64_t *edges =
        span_edges(work->arena, work->facts->zone, bucket, time_us, time_us + 1, &n);
    return edges == NULL || n == 0
               ? NULL
               : bucket_name(work->arena, work->facts->zone, bucket, edges[0], edges[1]);
}

static void add_stat(const struct work *work, struct trace_view *out, const char *name,
                     double value, const char *at)
{
    out->stats[out->n_stats++] = (struct stat_view){
        name,
        format_figure(work->arena, value, work->facts->series->unit),
        at,
    };
}

/* The greatest bar. */
static void add_greatest(const struct work *work, struct trace_view *out)
{
    const struct chart_slot *greatest = NULL;
    for (int i = 0; i < out->bars.n_slots; i++) {
        const struct chart_slot *slot = &out->bars.slots[i];
        if (!isnan(slot->values[0]) &&
            (greatest == NULL || slot->values[0] > greatest->values[0])) {
            greatest = slot;
        }
    }
    if (greatest != NULL) {
        const char *name =
            arena_printf(work->arena, "Highest %s", bucket_word(work->facts->span.bucket));
        add_stat(work, out, name, greatest->values[0], greatest->name);
    }
}

static void add_stats(const struct work *work, const struct trace_point *total,
                      struct trace_view *out)
{
    if (out->is_bars) {
        add_stat(work, out, "Sum", total->sum, NULL);
        add_greatest(work, out);
    } else if (work->is_counter) {
        add_stat(work, out, "Rose by", total->rise, NULL);
        add_stat(work, out, "At the start", total->first, NULL);
        add_stat(work, out, "At the end", total->last,
                 format_moment(work->arena, work->facts->zone, total->last_us));
    } else {
        add_stat(work, out, "Lowest", total->least, when(work, total->least_us));
        add_stat(work, out, "Mean", trace_mean(total), NULL);
        add_stat(work, out, "Highest", total->most, when(work, total->most_us));
        add_stat(work, out, "Last", total->last,
                 format_moment(work->arena, work->facts->zone, total->last_us));
    }
    const char *count = format_number(work->arena, (double)total->count, 0);
    out->stats[out->n_stats++] = (struct stat_view){ "Readings", { count, "" }, NULL };
}

static const char *summary(const struct work *work, const struct trace_point *total, bool is_bars)
{
    struct arena *arena = work->arena;
    if (is_bars) {
        return arena_printf(arena, "%s in all.", quantity(work, total->sum));
    }
    if (work->is_counter) {
        return arena_printf(arena, "From %s to %s: it rose by %s.", quantity(work, total->first),
                            quantity(work, total->last), quantity(work, total->rise));
    }
    return arena_printf(arena, "From %s to %s, %s on average.", quantity(work, total->least),
                        quantity(work, total->most), quantity(work, trace_mean(total)));
}

/* ---- the table ---- */

static enum sample_bucket table_bucket(const struct span *span)
{
    int64_t days = (span->to_us - span->from_us) / US_PER_DAY;
    enum sample_bucket bucket = days <= 8                ? SAMPLE_1H
                                : days <= TABLE_ROWS     ? SAMPLE_1D
                                : days <= TABLE_ROWS * 7 ? SAMPLE_1W
                                                         : SAMPLE_1MO;
    return span->bucket > bucket ? span->bucket : bucket;
}

static void fill_row(const struct work *work, const struct trace_point *point, bool is_bars,
                     struct chart_row *row)
{
    double values[3] = { trace_mean(point), point->least, point->most };
    if (is_bars) {
        values[0] = point->sum;
    } else if (work->is_counter) {
        values[0] = point->last;
        values[1] = point->rise;
    }
    int n = is_bars ? 1 : work->is_counter ? 2 : 3;
    for (int c = 0; c < n; c++) {
        row->cells[c] = quantity(work, values[c]);
    }
}

/* Newest first, without what nothing is known of. */
static bool add_table(const struct work *work, struct trace_view *out)
{
    const struct span *span = &work->facts->span;
    enum sample_bucket bucket = table_bucket(span);
    int n;
    const int64_t *edges =
        span_edges(work->arena, work->facts->zone, bucket, span->from_us, span->to_us, &n);
    int64_t *ends = arena_array(work->arena, (size_t)n + 1, sizeof *ends);
    struct trace groups;
    if (edges == NULL || ends == NULL || !fold(work, edges, n, &groups, ends)) {
        return false;
    }
    struct chart_row *rows = arena_array(work->arena, (size_t)groups.n, sizeof *rows);
    for (int i = 0; rows != NULL && i < groups.n; i++) {
        const struct trace_point *point = &groups.points[groups.n - 1 - i];
        rows[i].name =
            bucket_name(work->arena, work->facts->zone, bucket, point->time_us,
                        ends[groups.n - 1 - i]);
        fill_row(work, point, out->is_bars, &rows[i]);
    }
    out->table = (struct number_table){
        .id = "numbers",
        .caption = arena_printf(work->arena, "%s by %s", work->facts->series->metric,
                                bucket_word(bucket)),
        .heading = bucket == SAMPLE_1H   ? "Hour"
                   : bucket == SAMPLE_1D ? "Day"
                   : bucket == SAMPLE_1W ? "Week"
                                         : "Month",
        .columns = { "Mean", "Lowest", "Highest" },
        .n_columns = out->is_bars       ? 1
                     : work->is_counter ? 2
                                        : 3,
        .rows = rows,
        .n_rows = groups.n,
    };
    if (out->is_bars) {
        out->table.columns[0] = "Sum";
    } else if (work->is_counter) {
        out->table.columns[0] = "Reading at the end";
        out->table.columns[1] = "Rose by";
    }
    return rows != NULL || groups.n == 0;
}

/* ---- all of it ---- */

static void describe(const struct work *work, struct trace_view *out)
{
    const struct device_series *series = work->facts->series;
    const char *tone = role_tone(series->role);
    bool is_raw = work->facts->span.bucket == SAMPLE_RAW;
    const char *of = is_raw ? "every reading" : bucket_word(work->facts->span.bucket);
    const char *title =
        arena_printf(work->arena, is_raw ? "%s, %s" : "%s by %s", series->metric, of);
    out->line = (struct line_chart){
        .id = "series",
        .title = title,
        .unit = series->unit,
        .tone = tone,
        .is_tall = true,
        .is_from_zero = strcmp(series->kind, "gauge") == 0 && strcmp(series->role, "none") != 0,
    };
    out->bars = (struct bar_chart){
        .id = "series",
        .title = title,
        .unit = series->unit,
        .slot_heading = "Time",
        .bands = { { series->metric, tone } },
        .n_bands = 1,
    };
}

bool trace_view(struct arena *arena, const struct trace_facts *facts, struct trace_view *out)
{
    struct work work = {
        .arena = arena,
        .facts = facts,
        .from_us = facts->span.from_us,
        .to_us = facts->span.to_us,
        .is_counter = series_is_counter(facts->series),
    };
    *out = (struct trace_view){
        .is_bars = series_is_sum(facts->series),
        .has_data = facts->trace.n > 0,
    };
    describe(&work, out);
    bool is_done = out->is_bars                       ? add_bars(&work, &out->bars)
                   : facts->span.bucket == SAMPLE_RAW ? add_raw(&work, &out->line)
                                                      : add_buckets(&work, &out->line);
    if (!is_done) {
        return false;
    }
    if (out->has_data) {
        struct trace_point total = trace_total(&facts->trace);
        add_stats(&work, &total, out);
        out->line.summary = out->bars.summary = summary(&work, &total, out->is_bars);
    }
    int n_ticks;
    out->line.ticks = span_ticks(arena, facts->zone, work.from_us, work.to_us, TICKS, &n_ticks);
    out->bars.ticks = out->line.ticks;
    out->line.n_ticks = out->bars.n_ticks = n_ticks;
    return add_table(&work, out) && heat_view(arena, facts, out);
}
