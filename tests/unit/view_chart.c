/* The drawings: names are escaped, gaps stay gaps, zeros stay zeros, tables hold the numbers. */
#include "view/chart.h"

#include "tap.h"

#include <math.h>

static int count(struct str text, const char *part)
{
    int n = 0;
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++) {
        n += memcmp(text.ptr + i, part, len) == 0;
    }
    return n;
}

static bool has(const struct buf *out, const char *part)
{
    return count(buf_str(out), part) > 0;
}

static const struct chart_slot slots[] = {
    { .from = 0, .to = 25, .name = "Mon <1>", .values = { 0.5, 0 } },
    { .from = 25, .to = 50, .name = "Tue", .values = { NAN, NAN } },
    { .from = 50, .to = 75, .name = "Wed", .values = { 1.0, NAN } },
    { .from = 75, .to = 100, .name = "Thu", .values = { 0.25, 2 }, .is_open = true },
};
static const struct chart_tick ticks[] = { { 0, "first", false, true }, { 50, "middle", true, false } };
static const struct bar_chart bars = {
    .id = "days", .title = "A \"title\" & <b>", .summary = "</desc><script>", .unit = "kWh",
    .slot_heading = "Day", .bands = { { "Used", "used" }, { "Made", "made" } }, .n_bands = 2,
    .slots = slots, .n_slots = 4, .ticks = ticks, .n_ticks = 2,
};

static void check_bars(struct buf *out)
{
    svg_bars(out, &bars);
    ok(!has(out, "<script>") && !has(out, "<b>"), "markup in names and summaries is text");
    ok(has(out, "<title id=\"days-t\">A \"title\" &amp; &lt;b&gt;</title>"), "the image has its name");
    ok(has(out, "aria-labelledby=\"days-t days-d\""), "readers are led to name and description");
    ok(has(out, "Mon &lt;1&gt;: 500\u00a0Wh Used, 0\u00a0kWh Made"), "a read-out says both values");
    ok(has(out, "Tue: no data Used, no data Made"), "and what is not known");
    ok(has(out, "Thu (so far): "), "and what is not over");
    is_int(count(buf_str(out), "class=\"bar used"), 3, "one bar for each value that is known");
    is_int(count(buf_str(out), "class=\"bar made"), 1, "none for a zero, none for the unknown");
    is_int(count(buf_str(out), "class=\"gap\""), 1, "a span of which nothing is known is a gap");
    ok(has(out, "class=\"bar made open\""), "an open span's bar is marked");
    /* 2 kWh is the axis' top: 20 px down from 0 at 196. */
    ok(has(out, "y=\"20\" height=\"176\""), "the greatest value reaches the axis' last line");
    ok(has(out, "y=\"152\" height=\"44\""), "a quarter of it is a quarter as high");
    ok(has(out, "class=\"x first\" x=\"0%\""), "a label at the edge stays inside");
    ok(has(out, "class=\"x minor\" x=\"50%\""), "a label that may go is marked");
    ok(!has(out, "style=") && !has(out, "nan") && !has(out, "inf"),
       "no style attribute, no number that is none");
    buf_clear(out);
}

static void check_table(struct buf *out)
{
    chart_table(out, &bars);
    ok(has(out, "<th scope=\"col\" class=\"num\">Used, kWh</th>"), "the table names bands and units");
    ok(has(out, "Wed</th><td class=\"num\">1.00</td><td class=\"num\">" FORMAT_NONE "</td>"),
       "a row holds its values, a dash where there is none");
    const char *newest = strstr(out->data, "Thu"), *oldest = strstr(out->data, "Mon");
    ok(newest != NULL && oldest != NULL && newest < oldest, "the newest comes first");
    buf_clear(out);
}

static void check_lines(struct buf *out)
{
    struct chart_point points[] = {
        { 0, 1 }, { 10, 3 }, { 20, NAN }, { 30, 2 }, { 40, NAN }, { 50, NAN }, { 60, 4 }, { 100, 4 },
    };
    struct line_chart chart = {
        .id = "line", .title = "t", .summary = "s", .unit = "V", .tone = "plain", .points = points,
        .n_points = 8,
    };
    svg_line(out, &chart);
    /* Three runs: two points, one alone, two points; M also stands in no word of the markup. */
    is_int(count(buf_str(out), "M"), 3, "a line parts where nothing is known");
    ok(has(out, "h.1"), "a lone value is a dot");
    ok(has(out, "preserveAspectRatio=\"none\""), "the line stretches with the page");
    ok(!has(out, "nan"), "no gap is written as a number");
    buf_clear(out);

    chart.n_points = 0;
    svg_line(out, &chart);
    ok(!out->is_broken && !has(out, "nan"), "a chart of nothing has axes");
    buf_clear(out);

    chart.n_points = 8;
    chart.is_from_zero = true;
    svg_spark(out, &chart);
    ok(has(out, "aria-hidden=\"true\""), "a spark repeats what is written: hidden from readers");
    is_int(count(buf_str(out), "z\"/>") + count(buf_str(out), "zM"), 3, "each run has its area");
    buf_clear(out);
}

/* 0 to 4 V on an axis from 20 px (4) to 252 px (0): 58 px a volt. */
static void check_band(struct buf *out)
{
    const struct chart_point points[] = { { 0, 2 }, { 50, 3 }, { 60, NAN }, { 80, 1 } };
    const struct chart_range ranges[] = { { 0, 4 }, { 2, 4 }, { NAN, NAN }, { 0, 2 } };
    const struct chart_slot readings[] = { { .from = 0, .to = 25, .name = "Mon", .values = { 2, 0, 4 } } };
    struct line_chart chart = {
        .id = "band", .title = "t", .summary = "s", .unit = "V", .tone = "plain", .points = points,
        .n_points = 4, .ranges = ranges, .slots = readings, .n_slots = 1, .is_tall = true,
    };
    svg_line(out, &chart);
    ok(has(out, "<path class=\"band plain\" d=\"M0 20L500 20L500 136L0 252z"),
       "the band goes along the greatest and back along the least values");
    ok(has(out, "M798.5 136L801.5 136L801.5 252L798.5 252z"), "a lone point's band is wide enough to see");
    ok(has(out, "<path class=\"line plain\" d=\"M0 136L500 78\"/>"), "the line is the mean");
    ok(has(out, "<path class=\"dot plain\" d=\"M800 194h.1\"/>"), "a lone mean is a dot");
    ok(has(out, "Mon: 2\u00a0V mean, 0\u00a0V lowest, 4\u00a0V highest"), "a read-out says all three");
    buf_clear(out);
}

/* −2 to 3 kWh on an axis from 20 px (3) to 196 px (−2): 35.2 px a kWh, zero at 125.6. */
static void check_stack(struct buf *out)
{
    const struct chart_slot stack[] = { { .from = 0, .to = 50, .name = "Mon", .values = { 1, 2, -2, NAN } } };
    struct bar_chart chart = {
        .id = "stack", .title = "t", .summary = "s", .unit = "kWh", .slot_heading = "Day",
        .bands = { { "A", "used" }, { "B", "made" }, { "C", "grid" }, { "D", "plain" } }, .n_bands = 4,
        .slots = stack, .n_slots = 1, .is_stacked = true,
    };
    svg_bars(out, &chart);
    ok(has(out, "bar used stacked\" x=\"6%\" width=\"38%\" y=\"90.4\" height=\"35.2\""),
       "the first stands on zero");
    ok(has(out, "bar made stacked\" x=\"6%\" width=\"38%\" y=\"20\" height=\"70.4\""),
       "the next upon it");
    ok(has(out, "bar grid stacked\" x=\"6%\" width=\"38%\" y=\"125.6\" height=\"70.4\""),
       "what is below zero hangs from it");
    is_int(count(buf_str(out), "class=\"bar "), 3, "what is not known has no bar");
    buf_clear(out);
}

/* Lines at -1000, 0, 1000 and 2000, 58.67 px apart, whose labels come with the chart. */
static void check_marks(struct buf *out)
{
    static const char *const marks[] = { "-5", "0", "5", "10" };
    struct chart_slot slot = { .name = "Mon", .values = { 1500, -1 } };
    struct bar_chart chart = {
        .id = "marks", .title = "t", .summary = "s", .unit = "€", .slot_heading = "Day",
        .bands = { { "A", "used" }, { "B", "made" } }, .n_bands = 2, .slots = &slot, .n_slots = 1,
        .marks = marks, .first_mark = -1, .n_marks = 4, .is_stacked = true,
    };
    chart_slot_place(&slot, 150, 200, 100, 200);
    svg_bars(out, &chart);
    ok(has(out, "x=\"56%\" width=\"38%\" y=\"49.33\" height=\"88\""), "one and a half steps are as high");
    ok(has(out, "y=\"137.33\" height=\"1.5\""), "and almost nothing hangs from zero");
    ok(has(out, ">-5<") && has(out, ">10<") && !has(out, ">2000<"), "lines are labelled with what was given");
    chart_slot_set(&slot, 0, 1500000000);
    chart_slot_miss(&slot, 1);
    ok(slot.values[0] > 1.4999 && slot.values[0] < 1.5001 && isnan(slot.values[1]), "values come in billionths");
    buf_clear(out);
}

/* 96 % of 300 px and half of ten letters are more than there is. */
static void check_edge(struct buf *out)
{
    const struct chart_slot days[] = { { .from = 0, .to = 50, .name = "Mon", .values = { 2 } } };
    const struct chart_tick near[] = { { 50, "Fri 20 Nov", false, true }, { 96, "Sat 21 Nov", false, true } };
    struct bar_chart chart = {
        .id = "edge", .title = "t", .summary = "s", .unit = "W", .slot_heading = "Day",
        .bands = { { "A", "used" } }, .n_bands = 1, .slots = days, .n_slots = 1,
        .ticks = near, .n_ticks = 2,
    };
    svg_bars(out, &chart);
    ok(has(out, "class=\"x edge\" x=\"96%\"") && has(out, "class=\"x\" x=\"50%\""),
       "a label that would leave a phone's plot stands before its tick there");
    buf_clear(out);
}

static void check_counts(struct buf *out)
{
    const struct chart_slot days[] = { { .from = 0, .to = 50, .name = "Mon", .values = { 2 } } };
    struct bar_chart chart = {
        .id = "counts", .title = "t", .summary = "s", .unit = "", .slot_heading = "Day",
        .bands = { { "door", "used" } }, .n_bands = 1, .slots = days, .n_slots = 1,
    };
    svg_bars(out, &chart);
    ok(!has(out, ">0.5<") && has(out, ">1<") && has(out, ">2<"), "an axis of counts has no halves");
    buf_clear(out);
}

static void check_heat(struct buf *out)
{
    struct heat_day days[2] = { { .name = "Mon <1>", .label = "Mon" }, { .name = "Tue" } };
    for (int h = 0; h < 24; h++) {
        days[0].hours[h] = h;
        days[1].hours[h] = NAN;
    }
    struct heat_chart chart = {
        .id = "heat", .title = "t", .summary = "s", .unit = "kWh", .days = days, .n_days = 2,
    };
    svg_heat(out, &chart);
    is_int(count(buf_str(out), "<title>Mon &lt;1&gt;, "), 24, "a cell for each hour says which it is");
    is_int(count(buf_str(out), "class=\"hit gap\""), 24, "what is not known is no zero");
    ok(has(out, "<rect class=\"hit h0\" y=\"0\""), "nothing is the lightest");
    ok(has(out, "<rect class=\"hit h6\" y=\"207\""), "the greatest the darkest, at the foot");
    /* 12 of 23 in seven steps: the fourth. */
    ok(has(out, "<rect class=\"hit h3\" y=\"108\"><title>"
                "Mon &lt;1&gt;, 12:00–13:00: 12.0\u00a0kWh"), "half way is between");
    ok(has(out, "<svg x=\"50%\" width=\"50%\" y=\"6\" height=\"216\">"), "a column is a day");
    ok(!has(out, "nan") && !has(out, "style="), "no number that is none, no style attribute");
    buf_clear(out);
}

static void check_axis(struct buf *out)
{
    const struct chart_point points[] = { { 0, 0 }, { 100, 3e6 } };
    struct line_chart chart = {
        .id = "axis", .title = "t", .summary = "s", .unit = "L", .tone = "plain", .points = points,
        .n_points = 2, .is_from_zero = true,
    };
    svg_line(out, &chart);
    ok(has(out, ">2\u00a0M</text>"), "millions are labelled as such");
    buf_clear(out);
}

static void check_numbers(struct buf *out)
{
    const struct chart_row rows[] = { { "Mon & Tue", { "1", NULL } }, { "Wed", { "2", "3" } } };
    struct number_table table = {
        .id = "numbers", .caption = "<c>", .heading = "Day", .columns = { "Mean", "Highest" },
        .n_columns = 2, .rows = rows, .n_rows = 2,
    };
    chart_numbers(out, &table);
    ok(has(out, "<caption>&lt;c&gt;</caption>"), "a table of numbers is named");
    ok(has(out, "<th scope=\"row\">Mon &amp; Tue</th><td class=\"num\">1</td><td class=\"num\"></td>"),
       "its rows are theirs");
    buf_clear(out);
}

static void check_blank(void)
{
    struct bar_chart blank = bars;
    blank.slots = slots + 1;
    blank.n_slots = 1;
    ok(chart_is_blank(&blank), "a chart without one known value is blank");
    ok(!chart_is_blank(&bars), "any other is not");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 22);
    struct buf out;
    buf_init(&out, arena, 1 << 20);
    check_bars(&out);
    check_table(&out);
    check_lines(&out);
    check_band(&out);
    check_stack(&out);
    check_counts(&out);
    check_edge(&out);
    check_marks(&out);
    check_heat(&out);
    check_axis(&out);
    check_numbers(&out);
    check_blank();
    arena_free(arena);
    return done_testing();
}
