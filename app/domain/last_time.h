/* How far the readings of some series have come: the one thing that those who post may ask, to go
 * on from there. Times only; who may post may not read. */
#ifndef TIDEMARK_DOMAIN_LAST_TIME_H
#define TIDEMARK_DOMAIN_LAST_TIME_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

struct last_time {
    struct str device, metric;
    struct str labels; /* a JSON object: series that have these, and others beside; empty: any */
    bool is_known;     /* there is a reading; set, like the time of the newest, by last_time_find */
    int64_t last_us;
};

/* Fills in what is known of the series named by `items`. */
enum err last_time_find(struct db_tx *tx, struct last_time *items, int n) MUST_CHECK;

#endif
