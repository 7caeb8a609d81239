/* Thinning of what is drawn to the columns of pixels it is drawn in. */
#ifndef TIDEMARK_VIEW_THIN_H
#define TIDEMARK_VIEW_THIN_H

#include "view/chart.h"

/* At most so many points come of a column: its first, least, greatest and last, and a gap
 * behind them. */
#define THIN_PER_COLUMN 5

/* Keeps, of each of `columns` equal parts of the width, the first, the last, the least and the
 * greatest value, in their order (M4: Jugel et al., VLDB 2014): the line drawn through them
 * covers the same pixels. A gap (NaN) stays unless both its ends are in one column. `points` are
 * ascending by `at`, 0 to 100; `out` has room for columns × THIN_PER_COLUMN. Returns how many. */
int thin_line(const struct chart_point *points, int n, int columns, struct chart_point *out);

#endif
