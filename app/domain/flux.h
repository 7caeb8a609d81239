/* The one question in Flux that a sender asks before it writes: when the newest readings were. */
#ifndef TIDEMARK_DOMAIN_FLUX_H
#define TIDEMARK_DOMAIN_FLUX_H

#include "domain/influx_point.h"

#define FLUX_MAX_POINTS 64

struct flux {
    struct influx_point points[FLUX_MAX_POINTS]; /* those that are asked for, in their order */
    int n;
    int64_t start_s; /* of the range, seconds since 1970; 0: none was told */
};

/* Reads a query. The points' texts are parts of it. False for any other question than for last
 * times in seconds; then `out` is as it was. Points beyond the most there may be are left out. */
bool flux_read(struct str text, struct flux *out);

#endif
