/* Finding prices by time. Called by rating. */
#include "domain/price_series.h"

/* The first point that ends after the time. */
static size_t search(const struct price_series *series, int64_t time_us)
{
    size_t low = 0, high = series->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->points[middle].to_us <= time_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool price_series_at(const struct price_series *series, int64_t time_us, size_t *hint,
                     int64_t *rate)
{
    const struct price_point *points = series->points;
    size_t i = *hint;
    bool is_here = i < series->n && points[i].from_us <= time_us && time_us < points[i].to_us;

    if (!is_here && i + 1 < series->n && points[i + 1].from_us <= time_us &&
        time_us < points[i + 1].to_us) {
        i++;
    } else if (!is_here) {
        i = search(series, time_us);
    }
    *hint = i;
    if (i >= series->n || time_us < points[i].from_us) {
        return false;
    }
    *rate = points[i].rate;
    return true;
}
