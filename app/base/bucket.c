/* Token buckets. Called by ingest/quota. */
#include "base/bucket.h"

#define US_PER_SECOND 1000000

bool bucket_take(struct bucket *bucket, int rate, int64_t now_us, int64_t *wait_us)
{
    int64_t each_us = US_PER_SECOND / rate;
    int64_t seen_us = atomic_load_explicit(&bucket->full_at_us, memory_order_relaxed);
    int64_t full_us;

    do {
        full_us = (seen_us > now_us ? seen_us : now_us) + each_us;
        if (full_us - now_us > BUCKET_BURST_US) {
            *wait_us = full_us - now_us - BUCKET_BURST_US;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at_us, &seen_us, full_us,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void bucket_give(struct bucket *bucket, int rate)
{
    atomic_fetch_sub_explicit(&bucket->full_at_us, US_PER_SECOND / rate, memory_order_relaxed);
}
