/* Puts a series' hours into days and hours of the local clock. Called by the series' model. */
#include "view/model_trace.h"

#include "view/model_parts.h"

#include <math.h>

#define ALL_LABELLED 7   /* so many days have room for a label each */

/* What a cell is made of: an hour that occurs twice is in one cell. */
struct cell {
    double sum, rise;
    int64_t count;
};

static double cell_value(const struct trace_facts *facts, const struct cell *cell)
{
    if (cell->count == 0) {
        return NAN;
    }
    return series_is_sum(facts->series)       ? cell->sum
           : series_is_counter(facts->series) ? cell->rise
                                              : cell->sum / (double)cell->count;
}

static void fill(const struct trace_facts *facts, int n_days, struct cell *cells)
{
    for (int i = 0; i < facts->heat.n; i++) {
        const struct trace_point *point = &facts->heat.points[i];
        int64_t day = span_day_of(facts->zone, point->time_us) - facts->heat_from_day;
        if (day < 0 || day >= n_days) {
            continue;
        }
        struct cell *cell = &cells[day * 24 + format_local(facts->zone, point->time_us).hour];
        cell->sum += point->sum;
        cell->rise += point->rise;
        cell->count += point->count;
    }
}

/* The table: what is usual at each hour. */
static bool add_table(struct arena *arena, const struct trace_facts *facts,
                      const struct heat_day *days, int n_days, struct trace_view *out)
{
    struct chart_row *rows = arena_array(arena, 24, sizeof *rows);
    double best = NAN;
    int best_hour = 0;
    for (int h = 0; rows != NULL && h < 24; h++) {
        double sum = 0, least = NAN, most = NAN;
        int n = 0;
        for (int d = 0; d < n_days; d++) {
            if (!isnan(days[d].hours[h])) {
                sum += days[d].hours[h];
                least = fmin(least, days[d].hours[h]);
                most = fmax(most, days[d].hours[h]);
                n++;
            }
        }
        double mean = n > 0 ? sum / n : NAN;
        if (!(mean <= best)) {
            best_hour = isnan(mean) ? best_hour : h;
            best = isnan(mean) ? best : mean;
        }
        rows[h].name = arena_printf(arena, "%02d:00–%02d:00", h, h + 1);
        rows[h].cells[0] = format_quantity(arena, mean, facts->series->unit);
        rows[h].cells[1] = format_quantity(arena, least, facts->series->unit);
        rows[h].cells[2] = format_quantity(arena, most, facts->series->unit);
    }
    out->heat.summary = arena_printf(arena, "Highest from %02d:00 to %02d:00, %s on average.",
                                     best_hour, best_hour + 1,
                                     format_quantity(arena, best, facts->series->unit));
    out->heat_table = (struct number_table){
        .id = "heat-numbers", .caption = "Average of each hour over these days",
        .heading = "Hour", .columns = { "Mean", "Lowest", "Highest" }, .n_columns = 3,
        .rows = rows, .n_rows = 24,
    };
    return rows != NULL;
}

bool heat_view(struct arena *arena, const struct trace_facts *facts, struct trace_view *out)
{
    int n_days = (int)(facts->heat_to_day - facts->heat_from_day + 1);
    if (n_days <= 0 || facts->heat.n == 0) {
        return true;
    }
    struct cell *cells = arena_array(arena, (size_t)n_days * 24, sizeof *cells);
    struct heat_day *days = arena_array(arena, (size_t)n_days, sizeof *days);
    if (cells == NULL || days == NULL) {
        return false;
    }
    fill(facts, n_days, cells);
    for (int d = 0; d < n_days; d++) {
        /* Noon: midnight itself can be missing. */
        int64_t noon_us = span_day_start(facts->zone, facts->heat_from_day + d) + US_PER_DAY / 2;
        struct clock_fields at = format_local(facts->zone, noon_us);
        days[d].name = format_day(arena, facts->zone, noon_us);
        if (at.weekday == 0 || n_days <= ALL_LABELLED) {
            days[d].label = arena_printf(arena, "%d %s", at.day, format_months[at.month - 1]);
        }
        for (int h = 0; h < 24; h++) {
            days[d].hours[h] = cell_value(facts, &cells[d * 24 + h]);
        }
    }
    out->heat = (struct heat_chart){
        .id = "heat", .unit = facts->series->unit, .days = days, .n_days = n_days,
        .title = arena_printf(arena, "%s by day and hour", facts->series->metric),
    };
    return add_table(arena, facts, days, n_days, out);
}
