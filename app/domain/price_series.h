/* Prices by time: what a dynamic tariff's kWh costs in each quarter, half or whole hour. */
#ifndef TIDEMARK_DOMAIN_PRICE_SERIES_H
#define TIDEMARK_DOMAIN_PRICE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct price_point {
    int64_t from_us, to_us; /* UTC; to exclusive */
    int64_t rate;           /* nano per kWh; may be negative */
};

/* Points ascending and apart; times between them have no price. */
struct price_series {
    const struct price_point *points;
    size_t n;
};

/* The price at a time, found from *hint on (0 at first), which is moved: a walk through ascending
 * times is O(1) a step, any other O(log n). False where there is none. */
bool price_series_at(const struct price_series *series, int64_t time_us, size_t *hint,
                     int64_t *rate);

#endif
