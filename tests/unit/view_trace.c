/* view/model_trace and view/link: what is drawn of a series. Geometry and numbers by hand. */
#include "view/link.h"
#include "view/model_device.h"

#include "tap.h"

#include <math.h>

static const struct zone utc = { "UTC", NULL, 0 };

static struct trace_point bucket(int64_t time_us, int64_t count, double sum, double least, double most)
{
    return (struct trace_point){
        .time_us = time_us, .count = count, .sum = sum, .least = least, .most = most,
        .least_us = time_us, .most_us = time_us, .first = least, .last = most, .last_us = time_us,
    };
}

static const struct device_series gauge = {
    .id = 1, .metric = "power_w", .labels = "{}", .unit = "W", .kind = "gauge", .role = "consumption",
};

/* Two days by the hour: hours 0 to 3, and 40. */
static void check_buckets(struct arena *arena)
{
    struct trace_point points[] = {
        bucket(0, 4, 400, 50, 150), bucket(US_PER_HOUR, 4, 800, 100, 300),
        bucket(2 * US_PER_HOUR, 4, 1200, 200, 400), bucket(3 * US_PER_HOUR, 4, 400, 90, 120),
        bucket(40 * US_PER_HOUR, 4, 400, 100, 100),
    };
    struct trace_facts facts = {
        .series = &gauge, .zone = &utc, .now_us = 10 * US_PER_DAY,
        .span = { SPAN_DATES, 0, 2 * US_PER_DAY, 0, 1, SAMPLE_1H, false },
        .trace = { points, 5 }, .heat_from_day = 0, .heat_to_day = 1, .heat = { points, 5 },
    };
    struct trace_view view;
    ok(trace_view(arena, &facts, &view), "a series by the hour is drawn");
    is_int(view.line.n_points, 6, "five points and a gap");
    ok(isnan(view.line.points[4].value) && view.line.points[5].value == 100, "the gap lies where nothing came");
    ok(fabs(view.line.points[0].at - 100.0 / 96) < 1e-9, "a point is in the middle of its hour");
    ok(view.line.points[1].value == 200 && view.line.ranges[1].least == 100 &&
           view.line.ranges[1].most == 300, "the line is the mean, the band the extremes");
    is_int(view.line.n_slots, 5, "each can be read");
    is_str(view.line.slots[0].name, "Thu 1 Jan, 00:00–01:00", "with its hour");
    is_str(view.stats[2].name, "Highest", "statistics name the highest");
    ok(strcmp(view.stats[2].value.number, "400") == 0 &&
           strcmp(view.stats[2].when, "Thu 1 Jan, 02:00–03:00") == 0, "with when it was");
    is_str(view.stats[1].value.number, "160", "the mean is that of the readings");
    is_int(view.table.n_rows, 5, "the table has what is known");
    is_str(view.table.rows[0].name, "Fri 2 Jan, 16:00–17:00", "newest first");
    is_int(view.heat.n_days, 2, "two days by the hour");
    ok(view.heat.days[1].hours[16] == 100 && isnan(view.heat.days[1].hours[0]), "a cell is an hour");
}

/* A delta by the day: what is missing is no zero. */
static void check_bars(struct arena *arena)
{
    struct device_series delta = gauge;
    delta.kind = "delta";
    delta.unit = "kWh";
    struct trace_point points[] = { bucket(0, 24, 12, 0, 1), bucket(2 * US_PER_DAY, 24, 6, 0, 1) };
    struct trace_facts facts = {
        .series = &delta, .zone = &utc, .now_us = 2 * US_PER_DAY + 1,
        .span = { SPAN_DATES, 0, 3 * US_PER_DAY, 0, 2, SAMPLE_1D, false },
        .trace = { points, 2 }, .heat_to_day = -1,
    };
    struct trace_view view;
    ok(trace_view(arena, &facts, &view) && view.is_bars, "a sum is drawn as bars");
    is_int(view.bars.n_slots, 3, "a bar a day");
    ok(view.bars.slots[0].values[0] == 12 && isnan(view.bars.slots[1].values[0]), "nothing is a gap");
    ok(view.bars.slots[2].is_open && !view.bars.slots[0].is_open, "today is not over");
    is_str(view.bars.summary, "18.0\u00a0kWh in all.", "the sentence says the sum");
    is_str(view.stats[1].name, "Highest day", "and the highest day");
    is_int(view.heat.n_days, 0, "no heat map was asked for");
}

/* A reading a second with one spike: it is drawn, and read. */
static void check_raw(struct arena *arena)
{
    enum { N = 20000 };
    struct trace_point *points = arena_array(arena, N, sizeof *points);
    for (int i = 0; i < N; i++) {
        double value = i == 12345 ? 9000 : 100;
        points[i] = bucket(i * 4 * US_PER_SECOND, 1, value, value, value);
    }
    struct trace_facts facts = {
        .series = &gauge, .zone = &utc, .now_us = US_PER_DAY,
        .span = { SPAN_24H, 0, US_PER_DAY, 0, 0, SAMPLE_RAW, false },
        .trace = { points, N }, .heat_to_day = -1,
    };
    struct trace_view view;
    ok(trace_view(arena, &facts, &view), "twenty thousand readings are drawn");
    ok(view.line.n_points <= TRACE_COLUMNS * 4, "as no more than the drawing can show: %d",
       view.line.n_points);
    double most = 0, read = 0;
    for (int i = 0; i < view.line.n_points; i++) {
        most = fmax(most, view.line.points[i].value);
    }
    for (int i = 0; i < view.line.n_slots; i++) {
        read = fmax(read, view.line.slots[i].values[2]);
    }
    ok(most == 9000 && read == 9000, "the spike of one reading is drawn and can be read");
    ok(view.table.n_rows > 0 && view.table.n_rows <= 24, "the table is by the hour");
}

static void check_words(struct arena *arena)
{
    struct device_series series = gauge;
    series.role = "grid_import";
    series.labels = "{\"phase\": \"1\", \"n\": 2}";
    is_str(series_about(arena, &series), "gauge · grid import · phase 1 · n 2", "labels are words");
    const struct link_param params[] = { { "q", "a&b=\"ü" }, { "none", NULL }, { "to", "2026-11-20" } };
    is_str(link_to(arena, "/devices", params, 3), "/devices?q=a%26b%3D%22%C3%BC&to=2026-11-20",
           "values of a link are encoded, those without one left out");
    is_str(link_path(arena, "/devices/", "a/b c"), "/devices/a%2Fb%20c", "so is a part of its path");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 25);
    check_buckets(arena);
    check_bars(arena);
    check_raw(arena);
    check_words(arena);
    arena_free(arena);
    return done_testing();
}
