/* What the chart drawings share: the frame, the axes, numbers for attributes. Included by
 * app/view/svg_*.c only; pages use chart.h. */
#ifndef TIDEMARK_VIEW_SVG_H
#define TIDEMARK_VIEW_SVG_H

#include "view/chart.h"

/* The plot's place inside the drawing, pixels down. */
struct svg_frame {
    double top, bottom;   /* of the plot; tick labels stand below */
    double height;        /* of the whole drawing */
};

/* Where a value stands in the frame, in pixels down. */
double svg_y(const struct svg_frame *frame, const struct scale *scale, double value);

/* Opens the drawing as an image named by its title and described by its summary. */
void svg_open(struct buf *out, const char *id, const char *title, const char *summary,
              const struct svg_frame *frame);
void svg_close(struct buf *out);

/* Lines and labels of the value axis: `marks`, one a line, or NULL for its numbers; `unit` is
 * named at its uppermost label. */
void svg_value_axis(struct buf *out, const struct svg_frame *frame, const struct scale *scale,
                    const char *const *marks, const char *unit);
/* Labels below the plot, and lines where days begin. */
void svg_time_axis(struct buf *out, const struct svg_frame *frame, const struct chart_tick *ticks,
                   int n_ticks);

/* A span's read-out: a see-through column with a title "name: band value, band value". */
void svg_readout(struct buf *out, const struct svg_frame *frame, const struct chart_slot *slot,
                 const struct chart_band *bands, int n_bands, const char *unit);

/* A number with at most two decimals, for an attribute; not finite writes 0. */
void svg_number(struct buf *out, double value);

#endif
