/* What a device's series did over a span, thinned by the database to as many points as a
 * drawing can show, whatever the number of samples. */
#ifndef TIDEMARK_DOMAIN_TRACE_H
#define TIDEMARK_DOMAIN_TRACE_H

#include "base/op.h"

#include <stdint.h>

struct db_tx;

struct trace_point {
    int32_t series_id;
    int64_t slot_us;            /* start of the slot that it sums up */
    int64_t count;              /* samples in it */
    double mean, least, most;   /* of their values */
    double sum;
};

struct trace {
    struct trace_point *points; /* by series, then time; slots without samples are left out */
    int n;
};

/* The samples of the device `key` in [from_us, to_us), one point for each series and slot of
 * `slot_s` seconds. */
enum err trace_load(struct db_tx *tx, const char *key, int64_t from_us, int64_t to_us, int slot_s,
                    struct trace *out) MUST_CHECK;

#endif
