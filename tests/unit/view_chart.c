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
    ok(has(out, "Mon &lt;1&gt;: 500\u00a0Wh Used, 0.00\u00a0kWh Made"), "a read-out says both values");
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
    check_blank();
    arena_free(arena);
    return done_testing();
}
