/* A token bucket in one number: the time at which it is full again (the "generic cell rate
 * algorithm"). A bucket that is full is the same as none, so forgetting one does no harm. One
 * atomic exchange a use; works in memory that processes share. */
#ifndef TIDEMARK_BASE_BUCKET_H
#define TIDEMARK_BASE_BUCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How much it holds: what its rate brings in this time. */
#define BUCKET_BURST_US (INT64_C(10) * 1000000)
#define BUCKET_MAX_RATE 1000000 /* a second */

struct bucket {
    _Atomic int64_t full_at_us; /* 0: full */
};

/* Takes one from a bucket that `rate` a second (1 to BUCKET_MAX_RATE) flow into, at `now_us`
 * (monotonic). False when it is empty; `*wait_us` is how long until there is one then. */
bool bucket_take(struct bucket *bucket, int rate, int64_t now_us, int64_t *wait_us);

/* Puts back what was taken for nothing. */
void bucket_give(struct bucket *bucket, int rate);

#endif
