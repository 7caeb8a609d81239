/* Where the lines and labels of a chart's axes go. Known answers are in tests/unit/view_ticks.c. */
#ifndef TIDEMARK_VIEW_TICKS_H
#define TIDEMARK_VIEW_TICKS_H

#include "base/arena.h"
#include "base/clock.h"

/* A value axis: multiples of `step` from `least` to `most`, both among them. */
struct scale {
    double least, most;
    double step;
    int n;          /* how many lines, first and last included */
    int decimals;   /* that the step needs */
};

/* The axis for values from `least` to `most` with about `target` intervals, its step 1, 2 or 5
 * times a power of ten. Zero is on it where the values reach it or `is_from_zero`. Equal or
 * NaN bounds get an axis around them. */
struct scale scale_nice(double least, double most, int target, bool is_from_zero);

/* The value of line `i`, free of the error that repeated adding would gather. */
double scale_value(const struct scale *scale, int i);

struct tick {
    int64_t time_us;
    const char *label;   /* "14:00", "Fri 20", "20 Nov", "Nov" */
    bool is_day;         /* begins a local day */
    bool is_minor;       /* no multiple of twice the step: may go where there is little room */
};

#define TICKS_MAX 40
#define TICKS_FEW 5   /* so many have room everywhere: none of them is minor */

/* Round local times in [from_us, to_us], about `target` of them: quarter hours to hours within
 * days, midnights beyond. Steps follow the zone's clock: an hour that does not exist has no
 * tick, one that occurs twice has two, each labelled with its offset. Labels live in the arena.
 * Returns how many of `out` were set. */
int ticks_time(struct arena *arena, const struct zone *zone, int64_t from_us, int64_t to_us,
               int target, struct tick out[TICKS_MAX]);

#endif
