/* Bar charts: a group of bars for each span of time, side by side on one baseline or stacked. A
 * span of which nothing is known is shaded, so that it is not taken for a zero. Called by
 * templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

static const struct svg_frame frame = { .top = 20, .bottom = 196, .height = 224 };

#define GROUP_PART 0.76 /* of a span's width that its bars take; the rest is air */
#define STUB_PX 1.5     /* a bar of almost nothing is still a bar; of nothing, none */

void chart_slot_place(struct chart_slot *slot, int64_t from_us, int64_t to_us, int64_t start_us,
                      int64_t end_us)
{
    double width = (double)(end_us - start_us);
    slot->from = 100 * (double)(from_us - start_us) / width;
    slot->to = 100 * (double)(to_us - start_us) / width;
}

void chart_slot_set(struct chart_slot *slot, int band, int64_t nano)
{
    slot->values[band] = (double)nano / 1e9;
}

void chart_slot_miss(struct chart_slot *slot, int band)
{
    slot->values[band] = NAN;
}

/* The values' bounds as they will be drawn; NaN where nothing is known. */
static void bounds(const struct bar_chart *chart, double *least, double *most)
{
    *least = *most = NAN;
    for (int i = 0; i < chart->n_slots; i++) {
        double above = NAN, below = NAN;
        for (int b = 0; b < chart->n_bands; b++) {
            double value = chart->slots[i].values[b];
            double *sum = value < 0 ? &below : &above;
            if (!isnan(value)) {
                *sum = isnan(*sum) || !chart->is_stacked
                           ? (value < 0 ? fmin(*sum, value) : fmax(*sum, value))
                           : *sum + value;
            }
        }
        *least = fmin(*least, fmin(above, below));
        *most = fmax(*most, fmax(above, below));
    }
}

/* A value's size that the chart's unit is chosen by. */
static double magnitude(const struct bar_chart *chart)
{
    double least, most;
    bounds(chart, &least, &most);
    return fmax(fmax(most, -least), 0);
}

/* What is being drawn, and how values become places. */
struct drawing {
    struct buf *out;
    const struct bar_chart *chart;
    struct unit unit;
    struct scale scale;
};

/* One bar, `top` and `height` in pixels; those of a stack are parted by a stroke. */
static void bar(const struct drawing *drawing, const struct chart_slot *slot, int band, double top,
                double height)
{
    const struct bar_chart *chart = drawing->chart;
    struct buf *out = drawing->out;
    double span = slot->to - slot->from;
    double width = span * GROUP_PART / (chart->is_stacked ? 1 : chart->n_bands);
    double from = slot->from + span * (1 - GROUP_PART) / 2 + (chart->is_stacked ? 0 : width * band);
    buf_add_text(out, "<rect class=\"bar ");
    html_attr(out, chart->bands[band].tone);
    buf_add_text(out, chart->is_stacked ? " stacked" : "");
    buf_add_text(out, slot->is_open ? " open\" x=\"" : "\" x=\"");
    svg_number(out, from);
    buf_add_text(out, "%\" width=\"");
    svg_number(out, width * (!chart->is_stacked && chart->n_bands > 1 ? 0.94 : 1));
    buf_add_text(out, "%\" y=\"");
    svg_number(out, top);
    buf_add_text(out, "\" height=\"");
    svg_number(out, height);
    buf_add_text(out, chart->is_stacked ? "\"/>" : "\" rx=\"1.5\"/>");
}

static void gap(struct buf *out, const struct chart_slot *slot)
{
    buf_add_text(out, "<rect class=\"gap\" x=\"");
    svg_number(out, slot->from);
    buf_add_text(out, "%\" width=\"");
    svg_number(out, slot->to - slot->from);
    buf_add_text(out, "%\" y=\"");
    svg_number(out, frame.top);
    buf_add_text(out, "\" height=\"");
    svg_number(out, frame.bottom - frame.top);
    buf_add_text(out, "\"/>");
}

static void group(const struct drawing *drawing, const struct chart_slot *slot)
{
    bool is_known = false;
    double above = 0, below = 0;
    for (int b = 0; b < drawing->chart->n_bands; b++) {
        double value = slot->values[b] * drawing->unit.factor;
        if (isnan(value)) {
            continue;
        }
        is_known = true;
        if (value == 0) {
            continue;
        }
        double *base = value < 0 ? &below : &above;
        double start = drawing->chart->is_stacked ? *base : 0;
        *base = start + value;
        double y_0 = svg_y(&frame, &drawing->scale, start);
        double y = svg_y(&frame, &drawing->scale, start + value);
        double height = fmax(fabs(y_0 - y), STUB_PX);
        bar(drawing, slot, b, value < 0 ? y_0 : y_0 - height, height);
    }
    if (!is_known) {
        gap(drawing->out, slot);
    }
}

bool chart_is_blank(const struct bar_chart *chart)
{
    double least, most;
    bounds(chart, &least, &most);
    return isnan(most);
}

/* Counts: numbers without a unit and without decimals. */
static bool is_whole(const struct bar_chart *chart)
{
    bool is_so = chart->unit == NULL || chart->unit[0] == '\0';
    for (int i = 0; i < chart->n_slots && is_so; i++) {
        for (int b = 0; b < chart->n_bands; b++) {
            double value = chart->slots[i].values[b];
            is_so = is_so && (isnan(value) || value == rint(value));
        }
    }
    return is_so;
}

/* The axis of values: of counts there are no halves. */
static struct scale value_scale(const struct bar_chart *chart, double least, double most)
{
    if (chart->marks != NULL) {
        return (struct scale){
            .least = CHART_MARK * chart->first_mark,
            .most = CHART_MARK * (chart->first_mark + chart->n_marks - 1),
            .step = CHART_MARK,
            .n = chart->n_marks,
        };
    }
    struct scale scale = scale_nice(least, most, 4, true);
    if (scale.step < 1 && is_whole(chart)) {
        scale.least = floor(scale.least);
        scale.most = ceil(scale.most);
        scale.n = (int)(scale.most - scale.least) + 1;
        scale.step = 1;
        scale.decimals = 0;
    }
    return scale;
}

void svg_bars(struct buf *out, const struct bar_chart *chart)
{
    double least, most;
    bounds(chart, &least, &most);
    struct unit unit = unit_for(chart->unit, magnitude(chart));
    struct drawing drawing = {
        .out = out,
        .chart = chart,
        .unit = unit,
        .scale = value_scale(chart, fmin(least, 0) * unit.factor, fmax(most, 0) * unit.factor),
    };
    svg_open(out, chart->id, chart->title, chart->summary, &frame);
    svg_value_axis(out, &frame, &drawing.scale, chart->marks, unit.name);
    for (int i = 0; i < chart->n_slots; i++) {
        buf_add_text(out, "<g class=\"slot\">");
        group(&drawing, &chart->slots[i]);
        svg_readout(out, &frame, &chart->slots[i], chart->bands, chart->n_bands, chart->unit);
        buf_add_text(out, "</g>");
    }
    svg_time_axis(out, &frame, chart->ticks, chart->n_ticks);
    svg_close(out);
}

/* ---- the same numbers as a table ---- */

static void cell(struct buf *out, const struct chart_slot *slot, int band, struct unit unit,
                 int decimals)
{
    double value = slot->values[band] * unit.factor;
    buf_add_text(out, "<td class=\"num\">");
    html_text(out, slot->texts && !isnan(value) ? slot->texts[band]
                                                : format_number(out->arena, value, decimals));
    buf_add_text(out, "</td>");
}

void chart_table(struct buf *out, const struct bar_chart *chart)
{
    double most = magnitude(chart);
    struct unit unit = unit_for(chart->unit, most);
    int decimals = is_whole(chart) ? 0 : format_decimals(most * unit.factor);
    buf_add_text(out, "<table class=\"numbers\" id=\"");
    html_attr(out, chart->id);
    buf_add_text(out, "-table\"><caption>");
    html_text(out, chart->title);
    buf_add_text(out, "</caption><thead><tr><th scope=\"col\">");
    html_text(out, chart->slot_heading);
    buf_add_text(out, "</th>");
    for (int b = 0; b < chart->n_bands; b++) {
        buf_add_text(out, "<th scope=\"col\" class=\"num\">");
        html_text(out, chart->bands[b].name);
        buf_add_text(out, ", ");
        html_text(out, unit.name);
        buf_add_text(out, "</th>");
    }
    buf_add_text(out, "</tr></thead><tbody>\n");
    for (int i = chart->n_slots - 1; i >= 0; i--) {
        const struct chart_slot *slot = &chart->slots[i];
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_text(out, slot->name);
        buf_add_text(out, slot->is_open ? " (so far)</th>" : "</th>");
        for (int b = 0; b < chart->n_bands; b++) {
            cell(out, slot, b, unit, decimals);
        }
        buf_add_text(out, "</tr>\n");
    }
    buf_add_text(out, "</tbody></table>\n");
}

void chart_numbers(struct buf *out, const struct number_table *table)
{
    buf_add_text(out, "<table class=\"numbers\" id=\"");
    html_attr(out, table->id);
    buf_add_text(out, "\"><caption>");
    html_text(out, table->caption);
    buf_add_text(out, "</caption><thead><tr><th scope=\"col\">");
    html_text(out, table->heading);
    buf_add_text(out, "</th>");
    for (int c = 0; c < table->n_columns; c++) {
        buf_add_text(out, "<th scope=\"col\" class=\"num\">");
        html_text(out, table->columns[c]);
        buf_add_text(out, "</th>");
    }
    buf_add_text(out, "</tr></thead><tbody>\n");
    for (int i = 0; i < table->n_rows; i++) {
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_text(out, table->rows[i].name);
        buf_add_text(out, "</th>");
        for (int c = 0; c < table->n_columns; c++) {
            buf_add_text(out, "<td class=\"num\">");
            html_text(out, table->rows[i].cells[c]);
            buf_add_text(out, "</td>");
        }
        buf_add_text(out, "</tr>\n");
    }
    buf_add_text(out, "</tbody></table>\n");
}
