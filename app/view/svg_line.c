/* Line charts and sparklines. The line is drawn in a box of its own units that stretches with
 * the page, with a stroke that does not. Where a value is not known the line parts. Called
 * by templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

static const struct svg_frame line_frame = { .top = 20, .bottom = 168, .height = 196 };
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
    }
    return size;
}

static struct drawing drawing_of(struct buf *out, const struct line_chart *chart,
                                 const struct svg_frame *frame)
{
    double least = NAN, most = NAN;
    for (int i = 0; i < chart->n_points; i++) {
        least = fmin(least, chart->points[i].value);
        most = fmax(most, chart->points[i].value);
    }
    struct unit unit = unit_for(chart->unit, size_of(chart));
    return (struct drawing){
        out, chart, frame, unit,
        scale_nice(least * unit.factor, most * unit.factor, 3, chart->is_from_zero),
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

static double height_of(const struct drawing *drawing, int i)
{
    double value = drawing->chart->points[i].value * drawing->unit.factor;
    return svg_y(drawing->frame, &drawing->scale, value);
}

/* One run of known values, from `first` to before `end`. */
static void run(const struct drawing *drawing, int first, int end, bool is_area)
{
    const struct chart_point *points = drawing->chart->points;
    const struct scale *scale = &drawing->scale;
    double base = svg_y(drawing->frame, scale, fmax(scale->least, fmin(scale->most, 0)));
    struct buf *out = drawing->out;
    if (is_area) {
        place(out, 'M', points[first].at, base);
    }
    place(out, is_area ? 'L' : 'M', points[first].at, height_of(drawing, first));
    for (int i = first + 1; i < end; i++) {
        double y = height_of(drawing, i);
        if (drawing->chart->is_smooth) {
            curve(out, points[i - 1].at, height_of(drawing, i - 1), points[i].at, y);
        } else {
            place(out, 'L', points[i].at, y);
        }
    }
    if (is_area) {
        place(out, 'L', points[end - 1].at, base);
        buf_add_char(out, 'z');
    } else if (end - first == 1) {
        buf_add_text(out, "h.1"); /* a lone value is a dot, by the stroke's round ends */
    }
}

static void path(const struct drawing *drawing, bool is_area)
{
    const struct line_chart *chart = drawing->chart;
    buf_add_text(drawing->out, is_area ? "<path class=\"area " : "<path class=\"line ");
    html_attr(drawing->out, chart->tone);
    buf_add_text(drawing->out, "\" d=\"");
    int first = 0;
    for (int i = 0; i <= chart->n_points; i++) {
        if (i < chart->n_points && !isnan(chart->points[i].value)) {
            continue;
        }
        if (i > first) {
            run(drawing, first, i, is_area);
        }
        first = i + 1;
    }
    buf_add_text(drawing->out, "\"/>");
}

static void box(const struct drawing *drawing)
{
    struct buf *out = drawing->out;
    buf_add_text(out, "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"");
    svg_number(out, drawing->frame->height);
    buf_add_text(out, "\" viewBox=\"0 0 1000 ");
    svg_number(out, drawing->frame->height);
    buf_add_text(out, "\" preserveAspectRatio=\"none\">");
    if (drawing->chart->is_from_zero) {
        path(drawing, true);
    }
    path(drawing, false);
    buf_add_text(out, "</svg>\n");
}

void svg_line(struct buf *out, const struct line_chart *chart)
{
    struct drawing drawing = drawing_of(out, chart, &line_frame);
    svg_open(out, chart->id, chart->title, chart->summary, &line_frame);
    svg_value_axis(out, &line_frame, &drawing.scale, drawing.unit.name);
    svg_time_axis(out, &line_frame, chart->ticks, chart->n_ticks);
    box(&drawing);
    for (int i = 0; i < chart->n_slots; i++) {
        svg_readout(out, &line_frame, &chart->slots[i], NULL, 1, chart->unit);
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
