/* Heat maps: a column a day, a cell an hour, seven steps of one colour from light to dark, so that
 * they can be told apart without seeing colours; what is not known is an empty cell. Called by
 * templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

#define CELL_PX 9 /* of a row; cells have it from `.heat .hit` in tidemark.css */
#define LEVELS 7
#define LEGEND_CELL_PX 18

/* The scale stands below the labels of the days. */
static const struct svg_frame frame = {
    .top = 6,
    .bottom = 6 + 24 * CELL_PX,
    .height = 6 + 24 * CELL_PX + 26,
};

/* What is being drawn, and the values' bounds. */
struct drawing {
    struct buf *out;
    const struct heat_chart *chart;
    double least, most;
};

static void find_bounds(struct drawing *drawing)
{
    drawing->least = drawing->most = NAN;
    for (int d = 0; d < drawing->chart->n_days; d++) {
        for (int h = 0; h < 24; h++) {
            drawing->least = fmin(drawing->least, drawing->chart->days[d].hours[h]);
            drawing->most = fmax(drawing->most, drawing->chart->days[d].hours[h]);
        }
    }
    /* From nothing on, where nothing is not far away: half of a value is then half as dark. */
    if (drawing->least > 0 && drawing->least < drawing->most / 2) {
        drawing->least = 0;
    }
}

static int level_of(const struct drawing *drawing, double value)
{
    double span = drawing->most - drawing->least;
    int level = span > 0 ? (int)floor((value - drawing->least) / span * LEVELS) : 0;
    return level >= LEVELS ? LEVELS - 1 : level;
}

static void add_hour(struct buf *out, int hour)
{
    buf_add_char(out, (char)('0' + hour / 10));
    buf_add_char(out, (char)('0' + hour % 10));
    buf_add_text(out, ":00");
}

static void cell(const struct drawing *drawing, const struct heat_day *day, int hour)
{
    struct buf *out = drawing->out;
    double value = day->hours[hour];
    /* Some hundreds of them: put together without formats. */
    buf_add_text(out, "<rect class=\"hit ");
    if (isnan(value)) {
        buf_add_text(out, "gap");
    } else {
        buf_add_char(out, 'h');
        buf_add_int(out, level_of(drawing, value));
    }
    buf_add_text(out, "\" y=\"");
    buf_add_int(out, hour * CELL_PX);
    buf_add_text(out, "\"><title>");
    html_text(out, day->name);
    buf_add_text(out, ", ");
    add_hour(out, hour);
    buf_add_text(out, "–");
    add_hour(out, hour + 1);
    buf_add_text(out, ": ");
    html_text(out,
              isnan(value) ? "no data" : format_quantity(out->arena, value, drawing->chart->unit));
    buf_add_text(out, "</title></rect>");
}

static void column(const struct drawing *drawing, int d)
{
    struct buf *out = drawing->out;
    const struct heat_day *day = &drawing->chart->days[d];
    buf_add_text(out, "<svg x=\"");
    svg_number(out, 100.0 * d / drawing->chart->n_days);
    buf_add_text(out, "%\" width=\"");
    svg_number(out, 100.0 / drawing->chart->n_days);
    buf_printf(out, "%%\" y=\"%d\" height=\"%d\">", (int)frame.top, 24 * CELL_PX);
    for (int h = 0; h < 24; h++) {
        cell(drawing, day, h);
    }
    buf_add_text(out, "</svg>\n");
}

static void labels(const struct drawing *drawing)
{
    struct buf *out = drawing->out;
    for (int h = 0; h <= 24; h += 6) {
        buf_printf(out, "<text class=\"y\" x=\"-8\" y=\"%d\">%02d:00</text>",
                   (int)frame.top + h * CELL_PX + 4, h);
    }
    for (int d = 0; d < drawing->chart->n_days; d++) {
        if (drawing->chart->days[d].label == NULL) {
            continue;
        }
        double at = 100.0 * (d + 0.5) / drawing->chart->n_days;
        buf_add_text(out, "<text class=\"x");
        buf_add_text(out, at < 4 ? " first" : at > 96 ? " last" : "");
        buf_add_text(out, "\" x=\"");
        svg_number(out, at);
        buf_printf(out, "%%\" y=\"%d\">", (int)frame.bottom + 18);
        html_text(out, drawing->chart->days[d].label);
        buf_add_text(out, "</text>");
    }
}

/* A bound, in the unit that the greatest value reads best in. */
static const char *bound(const struct drawing *drawing, double value)
{
    struct arena *arena = drawing->out->arena;
    return format_join(arena,
                       format_figure_beside(arena, value, drawing->chart->unit, drawing->most));
}

/* "0 kWh ▁▂▃ 1.2 kWh": what the steps stand for. */
static void legend(const struct drawing *drawing)
{
    struct buf *out = drawing->out;
    buf_add_text(out, "<p class=\"heat-legend\"><span>");
    html_text(out, bound(drawing, drawing->least));
    buf_printf(out,
               "</span><svg width=\"%d\" height=\"12\" aria-hidden=\"true\" focusable=\"false\">",
               LEVELS * LEGEND_CELL_PX);
    for (int l = 0; l < LEVELS; l++) {
        buf_printf(out, "<rect class=\"h%d\" x=\"%d\" width=\"%d\" height=\"12\"/>", l,
                   l * LEGEND_CELL_PX, LEGEND_CELL_PX);
    }
    buf_add_text(out, "</svg><span>");
    html_text(out, bound(drawing, drawing->most));
    buf_add_text(out, "</span><span class=\"unknown\"><svg width=\"14\" height=\"12\" "
                      "aria-hidden=\"true\" focusable=\"false\"><rect x=\".5\" y=\".5\" "
                      "width=\"13\" height=\"11\"/></svg>no data</span></p>\n");
}

void svg_heat(struct buf *out, const struct heat_chart *chart)
{
    struct drawing drawing = { .out = out, .chart = chart };
    find_bounds(&drawing);
    svg_open(out, chart->id, chart->title, chart->summary, &frame);
    labels(&drawing);
    for (int d = 0; d < chart->n_days; d++) {
        column(&drawing, d);
    }
    svg_close(out);
    legend(&drawing);
}
