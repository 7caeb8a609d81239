/* Line charts and sparklines. The line is drawn in a box of its own units that stretches with
 * the page, with a stroke that does not. Where a value is not known the line parts. Called
 * by templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

static const struct svg_frame frame = { .top = 20, .bottom = 132, .height = 160 };
static const struct svg_frame spark_frame = { .top = 2, .bottom = 26, .height = 28 };
static const struct svg_frame tide_frame = { .top = 8, .bottom = 96, .height = 96 };

/* The box is 1000 wide: a tenth of a percent is its unit. */
#define BOX_PER_PERCENT 10

static struct scale scale_of(const struct line_chart *chart, const struct unit *unit)
{
    double least = NAN, most = NAN;
    for (int i = 0; i < chart->n_points; i++) {
        least = fmin(least, chart->points[i].value);
        most = fmax(most, chart->points[i].value);
    }
    return scale_nice(least * unit->factor, most * unit->factor, 3, chart->is_from_zero);
}

static double size_of(const struct line_chart *chart)
{
    double size = 0;
    for (int i = 0; i < chart->n_points; i++) {
        size = fmax(size, fabs(chart->points[i].value));
    }
    return size;
}

static void place(struct buf *out, char before, double at, double y)
{
    buf_add_char(out, before);
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

/* One run of known values, from `first` to before `end`. */
static void run(struct buf *out, const struct line_chart *chart, const struct svg_frame *in,
                const struct scale *scale, const struct unit *unit, int first, int end,
                bool is_area)
{
    const struct chart_point *points = chart->points;
    double base = svg_y(in, scale, fmax(scale->least, fmin(scale->most, 0)));
    double before = 0;
    if (is_area) {
        place(out, 'M', points[first].at, base);
    }
    for (int i = first; i < end; i++) {
        double y = svg_y(in, scale, points[i].value * unit->factor);
        if (i > first && chart->is_smooth) {
            curve(out, points[i - 1].at, before, points[i].at, y);
        } else {
            place(out, i == first && !is_area ? 'M' : 'L', points[i].at, y);
        }
        before = y;
    }
    if (is_area) {
        place(out, 'L', points[end - 1].at, base);
        buf_add_char(out, 'z');
    } else if (end - first == 1) {
        buf_add_text(out, "h.1"); /* a lone value is a dot, by the stroke's round ends */
    }
}

static void path(struct buf *out, const struct line_chart *chart, const struct svg_frame *in,
                 const struct scale *scale, const struct unit *unit, bool is_area)
{
    buf_add_text(out, is_area ? "<path class=\"area " : "<path class=\"line ");
    html_attr(out, chart->tone);
    buf_add_text(out, "\" d=\"");
    int first = 0;
    for (int i = 0; i <= chart->n_points; i++) {
        if (i < chart->n_points && !isnan(chart->points[i].value)) {
            continue;
        }
        if (i > first) {
            run(out, chart, in, scale, unit, first, i, is_area);
        }
        first = i + 1;
    }
    buf_add_text(out, "\"/>");
}

static void box(struct buf *out, const struct line_chart *chart, const struct svg_frame *in,
                const struct scale *scale, const struct unit *unit)
{
    buf_add_text(out, "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"");
    svg_number(out, in->height);
    buf_add_text(out, "\" viewBox=\"0 0 1000 ");
    svg_number(out, in->height);
    buf_add_text(out, "\" preserveAspectRatio=\"none\">");
    if (chart->is_from_zero) {
        path(out, chart, in, scale, unit, true);
    }
    path(out, chart, in, scale, unit, false);
    buf_add_text(out, "</svg>\n");
}

void svg_line(struct buf *out, const struct line_chart *chart)
{
    struct unit unit = unit_for(chart->unit, size_of(chart));
    struct scale scale = scale_of(chart, &unit);
    svg_open(out, chart->id, chart->title, chart->summary, &frame);
    svg_value_axis(out, &frame, &scale, unit.name);
    svg_time_axis(out, &frame, chart->ticks, chart->n_ticks);
    box(out, chart, &frame, &scale, &unit);
    for (int i = 0; i < chart->n_slots; i++) {
        svg_readout(out, &frame, &chart->slots[i], NULL, 1, chart->unit);
    }
    svg_close(out);
}

/* A drawing without axes; the line may use all of its height. */
static void bare(struct buf *out, const struct line_chart *chart, const char *class,
                 const struct svg_frame *in)
{
    struct unit unit = { "", 1 };
    struct scale scale = scale_of(chart, &unit);
    scale.most = fmax(size_of(chart), scale.least + scale.step / 1000);
    buf_add_text(out, "<svg class=\"");
    buf_add_text(out, class);
    buf_add_text(out, "\" aria-hidden=\"true\" focusable=\"false\" width=\"100%\" height=\"");
    svg_number(out, in->height);
    buf_add_text(out, "\">");
    box(out, chart, in, &scale, &unit);
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

/* ---- thinning ---- */

/* Copies points[i] down to points[n] unless it is there already. */
static int keep(struct chart_point *points, int n, int i, int *last_kept)
{
    if (i <= *last_kept) {
        return n;
    }
    *last_kept = i;
    points[n] = points[i];
    return n + 1;
}

/* The column [first, end): its first, least, greatest and last point in their order, or, where
 * it holds a gap, one point of it too. */
static int thin_column(struct chart_point *points, int n, int first, int end, int *last_kept)
{
    int least = first, most = first;
    for (int i = first; i < end; i++) {
        if (isnan(points[i].value)) {
            /* A gap is worth more than an extreme. */
            least = i;
            continue;
        }
        if (!isnan(points[least].value) && points[i].value < points[least].value) {
            least = i;
        }
        if (isnan(points[most].value) || points[i].value > points[most].value) {
            most = i;
        }
    }
    n = keep(points, n, first, last_kept);
    n = keep(points, n, least < most ? least : most, last_kept);
    n = keep(points, n, least < most ? most : least, last_kept);
    return keep(points, n, end - 1, last_kept);
}

int chart_thin(struct chart_point *points, int n, int cap)
{
    if (n <= cap) {
        return n;
    }
    int columns = cap / 4, kept = 0, last_kept = -1;
    for (int c = 0; c < columns; c++) {
        int first = (int)((int64_t)n * c / columns), end = (int)((int64_t)n * (c + 1) / columns);
        kept = thin_column(points, kept, first, end, &last_kept);
    }
    return kept;
}
