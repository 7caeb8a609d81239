/* Bar charts: a group of bars for each span of time, side by side on one baseline. A span of
 * which nothing is known is shaded, so that it is not taken for a zero. Called by templates. */
#include "view/svg.h"

#include "view/html.h"

#include <math.h>

static const struct svg_frame frame = { .top = 20, .bottom = 196, .height = 224 };

#define GROUP_PART 0.76   /* of a span's width that its bars take; the rest is air */
#define STUB_PX 1.5       /* a bar of almost nothing is still a bar; of nothing, none */

static double greatest(const struct bar_chart *chart)
{
    double most = NAN;
    for (int i = 0; i < chart->n_slots; i++) {
        for (int b = 0; b < chart->n_bands; b++) {
            most = fmax(most, chart->slots[i].values[b]);
        }
    }
    return most;
}

static void bar(struct buf *out, const struct chart_slot *slot, const struct bar_chart *chart,
                int band, double height)
{
    double span = slot->to - slot->from;
    double width = span * GROUP_PART / chart->n_bands;
    double from = slot->from + span * (1 - GROUP_PART) / 2 + width * band;
    buf_add_text(out, "<rect class=\"bar ");
    html_attr(out, chart->bands[band].tone);
    buf_add_text(out, slot->is_open ? " open\" x=\"" : "\" x=\"");
    svg_number(out, from);
    buf_add_text(out, "%\" width=\"");
    svg_number(out, width * (chart->n_bands > 1 ? 0.94 : 1));
    buf_add_text(out, "%\" y=\"");
    svg_number(out, frame.bottom - height);
    buf_add_text(out, "\" height=\"");
    svg_number(out, height);
    buf_add_text(out, "\" rx=\"1.5\"/>");
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

static void group(struct buf *out, const struct bar_chart *chart, const struct chart_slot *slot,
                  const struct scale *scale, const struct unit *unit)
{
    bool is_known = false;
    for (int b = 0; b < chart->n_bands; b++) {
        if (isnan(slot->values[b])) {
            continue;
        }
        is_known = true;
        if (slot->values[b] == 0) {
            continue;
        }
        double top = svg_y(&frame, scale, slot->values[b] * unit->factor);
        bar(out, slot, chart, b, fmax(frame.bottom - top, STUB_PX));
    }
    if (!is_known) {
        gap(out, slot);
    }
}

bool chart_is_blank(const struct bar_chart *chart)
{
    return isnan(greatest(chart));
}

void svg_bars(struct buf *out, const struct bar_chart *chart)
{
    double most = fmax(greatest(chart), 0);
    struct unit unit = unit_for(chart->unit, most);
    struct scale scale = scale_nice(0, most * unit.factor, 4, true);
    svg_open(out, chart->id, chart->title, chart->summary, &frame);
    svg_value_axis(out, &frame, &scale, unit.name);
    for (int i = 0; i < chart->n_slots; i++) {
        buf_add_text(out, "<g class=\"slot\">");
        group(out, chart, &chart->slots[i], &scale, &unit);
        svg_readout(out, &frame, &chart->slots[i], chart->bands, chart->n_bands, chart->unit);
        buf_add_text(out, "</g>");
    }
    svg_time_axis(out, &frame, chart->ticks, chart->n_ticks);
    svg_close(out);
}

/* ---- the same numbers as a table ---- */

static void cell(struct buf *out, double value, int decimals)
{
    buf_add_text(out, "<td class=\"num\">");
    html_text(out, format_number(out->arena, value, decimals));
    buf_add_text(out, "</td>");
}

void chart_table(struct buf *out, const struct bar_chart *chart)
{
    double most = fmax(greatest(chart), 0);
    struct unit unit = unit_for(chart->unit, most);
    int decimals = format_decimals(most * unit.factor);
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
            cell(out, slot->values[b] * unit.factor, decimals);
        }
        buf_add_text(out, "</tr>\n");
    }
    buf_add_text(out, "</tbody></table>\n");
}
