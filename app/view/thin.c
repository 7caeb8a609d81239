/* Thins lines without losing an extreme. Called by the models of the pages. */
#include "view/thin.h"

#include <math.h>

/* The column being gathered: places of its points in the input. */
struct column {
    int at;     /* which one; -1: none yet */
    int first, last, least, most;
};

static int column_of(double at, int columns)
{
    int column = (int)floor(at / 100 * columns);
    return column < 0 ? 0 : column >= columns ? columns - 1 : column;
}

static void add(struct column *column, const struct chart_point *points, int i)
{
    column->last = i;
    if (points[i].value < points[column->least].value) {
        column->least = i;
    }
    if (points[i].value > points[column->most].value) {
        column->most = i;
    }
}

/* Writes the column's points in their order, each once. */
static int flush(const struct column *column, const struct chart_point *points,
                 struct chart_point *out)
{
    int low = column->least < column->most ? column->least : column->most;
    int high = column->least < column->most ? column->most : column->least;
    int kept[] = { column->first, low, high, column->last };
    int n = 0;
    for (int k = 0; k < 4; k++) {
        if (k == 0 || kept[k] > kept[k - 1]) {
            out[n++] = points[kept[k]];
        }
    }
    return n;
}

int thin_line(const struct chart_point *points, int n, int columns, struct chart_point *out)
{
    struct column column = { .at = -1 };
    int n_out = 0, gap = -1;
    for (int i = 0; i < n; i++) {
        if (isnan(points[i].value)) {
            gap = i;
            continue;
        }
        int at = column_of(points[i].at, columns);
        if (at == column.at) {
            add(&column, points, i);
        } else {
            if (column.at >= 0) {
                n_out += flush(&column, points, out + n_out);
                if (gap >= 0) {
                    out[n_out++] = points[gap];
                }
            }
            column = (struct column){ at, i, i, i, i };
        }
        gap = -1;
    }
    return column.at < 0 ? n_out : n_out + flush(&column, points, out + n_out);
}
