/* The frame of a chart: its name, lines, labels and read-outs. Called by the drawings. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

void svg_number(struct buf *out, double value)
{
    double hundredths = isfinite(value) ? rint(value * 100) : 0;
    buf_add_double(out, (hundredths == 0 ? 0 : hundredths) / 100);
}

double svg_y(const struct svg_frame *frame, const struct scale *scale, double value)
{
    double part = (value - scale->least) / (scale->most - scale->least);
    return frame->bottom - part * (frame->bottom - frame->top);
}

void svg_open(struct buf *out, const char *id, const char *title, const char *summary,
              const struct svg_frame *frame)
{
    buf_add_text(out, "<svg class=\"plot\" role=\"img\" width=\"100%\" height=\"");
    svg_number(out, frame->height);
    buf_add_text(out, "\" aria-labelledby=\"");
    html_attr(out, id);
    buf_add_text(out, "-t ");
    html_attr(out, id);
    buf_add_text(out, "-d\"><title id=\"");
    html_attr(out, id);
    buf_add_text(out, "-t\">");
    html_text(out, title);
    buf_add_text(out, "</title><desc id=\"");
    html_attr(out, id);
    buf_add_text(out, "-d\">");
    html_text(out, summary);
    buf_add_text(out, "</desc>\n");
}

void svg_close(struct buf *out)
{
    buf_add_text(out, "</svg>\n");
}

static void line(struct buf *out, const char *class, double y)
{
    buf_add_text(out, "<line class=\"");
    buf_add_text(out, class);
    buf_add_text(out, "\" x1=\"0\" x2=\"100%\" y1=\"");
    svg_number(out, y);
    buf_add_text(out, "\" y2=\"");
    svg_number(out, y);
    buf_add_text(out, "\"/>");
}

/* A label of the value axis; from a million on in millions (M), milliards (G) …, for there is
 * little room. */
static const char *axis_number(struct arena *arena, const struct scale *scale, double value)
{
    static const char *const thousands[] = { "", "", "M", "G", "T" };
    double size = fmax(fabs(scale->least), fabs(scale->most));
    if (size < 1e6) {
        return format_number(arena, value, scale->decimals);
    }
    if (size >= 1e16) {
        return arena_printf(arena, "%.3g", value);
    }
    int power = size < 1e9 ? 2 : size < 1e12 ? 3 : 4;
    double unit = pow(1000, power);
    int decimals = (int)fmax(0, ceil(-log10(scale->step / unit) - 1e-9));
    const char *number = format_number(arena, value / unit, decimals > 6 ? 6 : decimals);
    return number == NULL ? NULL
                          : arena_printf(arena, "%s" FORMAT_NBSP "%s", number, thousands[power]);
}

void svg_value_axis(struct buf *out, const struct svg_frame *frame, const struct scale *scale,
                    const char *const *marks, const char *unit)
{
    for (int i = 0; i < scale->n; i++) {
        double value = scale_value(scale, i);
        /* Half a pixel: a line of one pixel covers a row of pixels instead of two halves. */
        double y = floor(svg_y(frame, scale, value)) + 0.5;
        bool is_zero = fabs(value) < scale->step / 2;
        line(out, is_zero ? "zero" : "rule", y);
        buf_add_text(out, "<text class=\"y\" x=\"-8\" y=\"");
        svg_number(out, y + 3.5);
        buf_add_text(out, "\">");
        html_text(out, marks ? marks[i] : axis_number(out->arena, scale, value));
        buf_add_text(out, "</text>");
    }
    buf_add_text(out, "<text class=\"y unit\" x=\"-8\" y=\"10\">");
    html_text(out, unit);
    buf_add_text(out, "</text>\n");
}

#define NARROW_PX 300 /* of the plot, on a phone */
#define LETTER_PX 6.2 /* about, and a label's air */
#define AIR_PX 6
#define MARGIN_PX 10 /* beside the plot, that a label may reach into */

/* True where a label in the middle of its tick would leave a narrow plot at the right. */
static bool is_at_edge(const struct chart_tick *tick, double width)
{
    return tick->at / 100 * NARROW_PX + width / 2 > NARROW_PX + MARGIN_PX;
}

static double label_width(const struct chart_tick *tick)
{
    double width = 0;
    for (const char *c = tick->label; c != NULL && *c != '\0'; c++) {
        width += ((unsigned char)*c & 0xc0) == 0x80 ? 0 : LETTER_PX;
    }
    return width;
}

/* Where the label begins and ends on a narrow plot, in pixels. */
static void extent(const struct chart_tick *tick, double *from, double *to)
{
    double at = tick->at / 100 * NARROW_PX, width = label_width(tick);
    *from = tick->at < 2 ? at : is_at_edge(tick, width) ? at - width : at - width / 2;
    *to = *from + width;
}

/* Which labels go where there is little room: those marked, and those that would touch the one
 * before; of two that touch, a day's stays. */
static void find_minor(const struct chart_tick *ticks, int n_ticks, bool *is_minor)
{
    int last = -1;
    for (int i = 0; i < n_ticks; i++) {
        double from, to, last_from, last_to;
        is_minor[i] = ticks[i].is_minor;
        if (is_minor[i]) {
            continue;
        }
        extent(&ticks[i], &from, &to);
        if (last >= 0) {
            extent(&ticks[last], &last_from, &last_to);
            bool is_touching = from < last_to + AIR_PX;
            bool is_stronger = ticks[i].is_day && !ticks[last].is_day;
            is_minor[last] = is_minor[last] || (is_touching && is_stronger);
            is_minor[i] = is_touching && !is_stronger;
        }
        last = is_minor[i] ? last : i;
    }
}

void svg_time_axis(struct buf *out, const struct svg_frame *frame, const struct chart_tick *ticks,
                   int n_ticks)
{
    bool *is_minor = arena_array(out->arena, (size_t)n_ticks, sizeof *is_minor);
    if (is_minor == NULL) {
        return;
    }
    find_minor(ticks, n_ticks, is_minor);
    for (int i = 0; i < n_ticks; i++) {
        const struct chart_tick *tick = &ticks[i];
        buf_add_text(out, "<line class=\"");
        buf_add_text(out, tick->is_day ? "tick day\" x1=\"" : "tick\" x1=\"");
        svg_number(out, tick->at);
        buf_add_text(out, "%\" x2=\"");
        svg_number(out, tick->at);
        buf_add_text(out, "%\" y1=\"");
        svg_number(out, tick->is_day ? frame->top : frame->bottom);
        buf_add_text(out, "\" y2=\"");
        svg_number(out, frame->bottom + 5);
        buf_add_text(out, "\"/><text class=\"x");
        buf_add_text(out, is_minor[i] ? " minor" : "");
        /* Labels at the ends stay inside. */
        buf_add_text(out, tick->at < 2                          ? " first"
                          : tick->at > 98                       ? " last"
                          : is_at_edge(tick, label_width(tick)) ? " edge"
                                                                : "");
        buf_add_text(out, "\" x=\"");
        svg_number(out, tick->at);
        buf_add_text(out, "%\" y=\"");
        svg_number(out, frame->bottom + 19);
        buf_add_text(out, "\">");
        html_text(out, tick->label);
        buf_add_text(out, "</text>");
    }
    buf_add_char(out, '\n');
}

void svg_readout(struct buf *out, const struct svg_frame *frame, const struct chart_slot *slot,
                 const struct chart_band *bands, int n_bands, const char *unit)
{
    buf_add_text(out, "<rect class=\"hit\" x=\"");
    svg_number(out, slot->from);
    buf_add_text(out, "%\" width=\"");
    svg_number(out, slot->to - slot->from);
    buf_add_text(out, "%\" y=\"0\" height=\"");
    svg_number(out, frame->bottom);
    buf_add_text(out, "\"><title>");
    html_text(out, slot->name);
    buf_add_text(out, slot->is_open ? " (so far)" : "");
    for (int i = 0; i < n_bands; i++) {
        buf_add_text(out, i == 0 ? ": " : ", ");
        if (isnan(slot->values[i])) {
            buf_add_text(out, "no data");
        } else {
            html_text(out, slot->texts ? slot->texts[i]
                                       : format_quantity(out->arena, slot->values[i], unit));
        }
        if (n_bands > 1) {
            buf_add_char(out, ' ');
            html_text(out, bands[i].name);
        }
    }
    buf_add_text(out, "</title></rect>\n");
}
