/* Averages what readings of intervals tell up to the next one, for demand: an hour's reading is no
 * quarter hour of four times the power. Day by day, so that nothing depends on which days are rated
 * together. Called by cost.c. */
#include "domain/cost_parts.h"
#include "domain/span.h"

#include <string.h>

/* Quarter hours [from, to) of a local day. */
struct day {
    const struct cost_energy *energy;
    size_t from, to;
    int64_t *spread;
};

/* The first behind the reading `at` and what lies between it and the next. */
static size_t end_of(const struct day *day, size_t at)
{
    do {
        at++;
    } while (at < day->to && day->energy->is_between[at]);
    return at;
}

/* What of the reading's energy each of `n` quarter hours has. */
static int64_t share_of(const struct day *day, size_t at, size_t n)
{
    int64_t nkwh = day->energy->import_nkwh[at];

    return nkwh > RATING_MAX_NKWH || nkwh < -RATING_MAX_NKWH ? 0 : nkwh / (int64_t)n;
}

/* A day's quarter hours before its first reading have as much as those behind it; the last reading
 * goes on into the next day as far as the one before it reached. */
static void spread_day(const struct day *day)
{
    size_t first = day->from, before = 0;

    while (first < day->to && day->energy->is_between[first]) {
        first++;
    }
    for (size_t at = first, end; at < day->to; before = end - at, at = end) {
        end = end_of(day, at);
        size_t n = end - at;
        n = end == day->to && before > n ? before : n;
        n += at == first && end == day->to ? first - day->from : 0;
        int64_t share = share_of(day, at, n);
        if (n == 1 || share == 0) {
            continue;
        }
        /* of a whole one the rest of the division, too */
        int64_t nkwh = day->energy->import_nkwh[at];
        day->spread[at] = n == end - at ? -(int64_t)(n - 1) * share : share - nkwh;
        for (size_t i = at + 1; i < end; i++) {
            day->spread[i] = share;
        }
        for (size_t i = day->from; at == first && i < first; i++) {
            day->spread[i] = share;
        }
    }
}

const int64_t *cost_spread(struct arena *arena, const struct cost_account *account)
{
    const struct cost_energy *energy = &account->energy;
    struct day day = { .energy = energy };
    int hint = 0;

    day.spread = arena_array(arena, energy->n + 1, sizeof *day.spread);
    if (!day.spread || energy->n == 0 || !memchr(energy->is_between, 1, energy->n)) {
        return day.spread;
    }
    int64_t first = span_day_near(&account->zone, energy->start_us, &hint);
    for (size_t i = 1; i <= energy->n; i++) {
        int64_t at_us = energy->start_us + (int64_t)i * COST_QUARTER_US;
        int64_t number = span_day_near(&account->zone, at_us, &hint);
        if (i == energy->n || number != first) {
            day.to = i;
            spread_day(&day);
            day.from = i;
            first = number;
        }
    }
    return day.spread;
}
