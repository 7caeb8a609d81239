/* Local times of conventions that know no other: a date and a time of day in the tenant's zone. */
#ifndef TIDEMARK_INGEST_LOCAL_TIME_H
#define TIDEMARK_INGEST_LOCAL_TIME_H

#include "base/clock.h"

#include <stdbool.h>

/* "20261120" or "2026-11-20" and "14:05" or "14:05:30" (empty: midnight) as a local time, in
 * microseconds as if it were UTC. False for anything else, also impossible dates. */
bool local_time_read(struct str date, struct str time, int64_t *out_us);

/* The instant of a local time. One that the clocks pass twice is the second where that is within
 * the last hour (it is said as it happens) or the first would not be after `last_us`, the sender's
 * previous one; else the first. One that they skip is as much later. */
int64_t local_time_to_utc(const struct zone *zone, int64_t local_us, int64_t last_us,
                          int64_t now_us);

#endif
