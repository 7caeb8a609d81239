/* Line charts and sparklines, with a band from least to most where there is one. The line is drawn
 * in a box of its own units that stretches with the page, with a stroke that does not. Where a
 * value is not known the line parts. Called by templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

static const struct svg_frame line_frame = { .top = 20, .bottom = 168, .height = 196 };
static const struct svg_frame tall_frame = { .top = 20, .bottom = 252, .height = 280 };
static const struct svg_frame spark_frame = { .top = 2, .bottom = 26, .height = 28 };
static const struct svg_frame tide_frame = { .top = 8, .bottom = 96, .height = 96 };

/* The box is 1000 wide: a tenth of a percent is its unit. */
#define BOX_PER_PERCENT 10

/* What is being drawn, and how values become places. */
struct drawing {
    struct buf *out;
    const struct line_chart *chart;
    const struct svg_frame *frame;
    struct unit unit;
    struct scale scale;
};

static double size_of(const struct line_chart *chart)
{
    double size = 0;
    for (int i = 0; i < chart->n_points; i++) {
        size = fmax(size, fabs(chart->points[i].value));
        if (chart->ranges != NULL && !isnan(chart->points[i].value)) {
            size = fmax(size, fmax(fabs(chart->ranges[i].least), fabs(chart->ranges[i].most)));
        }
    }
    return size;
}

static struct drawing drawing_of(struct buf *out, const struct line_chart *chart,
                                 const struct svg_frame *frame)
{
    double least = NAN, most = NAN;
    for (int i = 0; i < chart->n_points; i++) {
        double value = chart->points[i].value;
        bool is_wide = chart->ranges != NULL && !isnan(value);
        least = fmin(least, is_wide ? chart->ranges[i].least : value);
        most = fmax(most, is_wide ? chart->ranges[i].most : value);
    }
    struct unit unit = unit_for(chart->unit, size_of(chart));
    return (struct drawing){
        out,
        chart,
        frame,
        unit,
        scale_nice(least * unit.factor, most * unit.factor, chart->is_tall ? 5 : 3,
                   chart->is_from_zero),
    };
}

/* A command of a path: its letter, how far across (percent) and how far down (pixels). */
static void place(struct buf *out, char command, double at, double y)
{
    buf_add_char(out, command);
    svg_number(out, rint(at * BOX_PER_PERCENT * 10) / 10);
    buf_add_char(out, ' ');
    svg_number(out, rint(y * 10) / 10);
}

/* From (at_0, y_0) on, level at both ends: the curve stays between the two heights. */
static void curve(struct buf *out, double at_0, double y_0, double at, double y)
{
    place(out, 'C', (at_0 + at) / 2, y_0);
    place(out, ' ', (at_0 + at) / 2, y);
    place(out, ' ', at, y);
}

static double down(const struct drawing *drawing, double value)
{
    return svg_y(drawing->frame, &drawing->scale, value * drawing->unit.factor);
}

/* ---- runs of known values: from `first` to before `end` ---- */

typedef void (*draw_run)(const struct drawing *drawing, int first, int end);

static void strokes(const struct drawing *drawing, char command, int first, int end)
{
    const struct chart_point *points = drawing->chart->points;
    place(drawing->out, command, points[first].at, down(drawing, points[first].value));
    for (int i = first + 1; i < end; i++) {
        double y = down(drawing, points[i].value);
        if (drawing->chart->is_smooth) {
            curve(drawing->out, points[i - 1].at, down(drawing, points[i - 1].value), points[i].at,
                  y);
        } else {
            place(drawing->out, 'L', points[i].at, y);
        }
    }
}

static void line_run(const struct drawing *drawing, int first, int end)
{
    if (end - first > 1) {
        strokes(drawing, 'M', first, end);
    }
}

/* A lone value is a dot, by the stroke's round ends. */
static void dot_run(const struct drawing *drawing, int first, int end)
{
    if (end - first == 1) {
        strokes(drawing, 'M', first, end);
        buf_add_text(drawing->out, "h.1");
    }
}

static void area_run(const struct drawing *drawing, int first, int end)
{
    const struct chart_point *points = drawing->chart->points;
    const struct scale *scale = &drawing->scale;
    double base = svg_y(drawing->frame, scale, fmax(scale->least, fmin(scale->most, 0)));
    place(drawing->out, 'M', points[first].at, base);
    strokes(drawing, 'L', first, end);
    place(drawing->out, 'L', points[end - 1].at, base);
    buf_add_char(drawing->out, 'z');
}

#define LONE_BAND 0.15 /* percent to both sides, so that a lone point's band is seen */

static void band_run(const struct drawing *drawing, int first, int end)
{
    const struct chart_point *points = drawing->chart->points;
    const struct chart_range *ranges = drawing->chart->ranges;
    double extra = end - first == 1 ? LONE_BAND : 0;
    for (int i = first; i < end; i++) {
        place(drawing->out, i == first ? 'M' : 'L', points[i].at - extra,
              down(drawing, ranges[i].most));
    }
    if (extra > 0) {
        place(drawing->out, 'L', points[first].at + extra, down(drawing, ranges[first].most));
    }
    for (int i = end - 1; i >= first; i--) {
        place(drawing->out, 'L', points[i].at + extra, down(drawing, ranges[i].least));
    }
    if (extra > 0) {
        place(drawing->out, 'L', points[first].at - extra, down(drawing, ranges[first].least));
    }
    buf_add_char(drawing->out, 'z');
}

/* A path over all runs; none where it would be empty. */
static void path(const struct drawing *drawing, const char *class, draw_run draw)
{
    const struct line_chart *chart = drawing->chart;
    struct buf *out = drawing->out;
    size_t start = out->len;
    buf_add_text(out, "<path class=\"");
    buf_add_text(out, class);
    buf_add_char(out, ' ');
    html_attr(out, chart->tone);
    buf_add_text(out, "\" d=\"");
    size_t empty = out->len;
    int first = 0;
    for (int i = 0; i <= chart->n_points; i++) {
        if (i < chart->n_points && !isnan(chart->points[i].value)) {
            continue;
        }
        if (i > first) {
            draw(drawing, first, i);
        }
        first = i + 1;
    }
    if (out->len == empty) {
        out->len = start;
    } else {
        buf_add_text(out, "\"/>");
    }
}

static void box(const struct drawing *drawing)
{
    struct buf *out = drawing->out;
    buf_add_text(out, "<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 1000 ");
    svg_number(out, drawing->frame->height);
    buf_add_text(out, "\" preserveAspectRatio=\"none\">");
    if (drawing->chart->ranges != NULL) {
        path(drawing, "band", band_run);
    } else if (drawing->chart->is_from_zero) {
        path(drawing, "area", area_run);
    }
    path(drawing, "line", line_run);
    path(drawing, "dot", dot_run);
    buf_add_text(out, "</svg>\n");
}

void svg_line(struct buf *out, const struct line_chart *chart)
{
    const struct svg_frame *in = chart->is_tall ? &tall_frame : &line_frame;
    struct drawing drawing = drawing_of(out, chart, in);
    svg_open(out, chart->id, chart->title, chart->summary, in);
    svg_value_axis(out, in, &drawing.scale, NULL, drawing.unit.name);
    svg_time_axis(out, in, chart->ticks, chart->n_ticks);
    box(&drawing);
    static const struct chart_band band[] = {
        { .name = "mean" },
        { .name = "lowest" },
        { .name = "highest" },
    };
    for (int i = 0; i < chart->n_slots; i++) {
        svg_readout(out, in, &chart->slots[i], band,
                    chart->slots[i].values[1] < chart->slots[i].values[2] ? 3 : 1, chart->unit);
    }
    svg_close(out);
}

/* A drawing without axes; the line may use all of its height. */
static void bare(struct buf *out, const struct line_chart *chart, const char *class,
                 const struct svg_frame *in)
{
    struct drawing drawing = drawing_of(out, chart, in);
    struct scale *scale = &drawing.scale;
    scale->most = fmax(size_of(chart) * drawing.unit.factor, scale->least + scale->step / 1000);
    buf_add_text(out, "<svg class=\"");
    buf_add_text(out, class);
    buf_add_text(out, "\" aria-hidden=\"true\" focusable=\"false\" width=\"100%\" height=\"");
    svg_number(out, in->height);
    buf_add_text(out, "\">");
    box(&drawing);
    buf_add_text(out, "</svg>");
}

void svg_spark(struct buf *out, const struct line_chart *chart)
{
    bare(out, chart, "spark", &spark_frame);
}

void svg_tide(struct buf *out, const struct line_chart *chart)
{
    bare(out, chart, "tide", &tide_frame);
}
