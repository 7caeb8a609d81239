/* A short list of calendars behind a lock. Called by zone.c. */
#include "domain/zone_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MAX_ENTRIES 64
#define MAX_ITEMS 256
#define MAX_NAME_BYTES 64
#define MAX_BUCKET_BYTES 4
#define MAX_AGE_US US_PER_HOUR

struct entry {
    char zone[MAX_NAME_BYTES + 1], bucket[MAX_BUCKET_BYTES + 1];
    int64_t from_us, to_us;
    int64_t put_us; /* monotonic */
    struct zone_offset items[MAX_ITEMS];
    int n; /* 0: free */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry entries[MAX_ENTRIES];

static bool is_of(const struct entry *entry, const struct zone_span *span)
{
    return entry->n > 0 && strcmp(entry->zone, span->zone) == 0 &&
           strcmp(entry->bucket, span->bucket) == 0;
}

static const struct entry *find(const struct zone_span *span)
{
    const int64_t oldest_us = clock_monotonic_us() - MAX_AGE_US;

    for (int i = 0; i < MAX_ENTRIES; i++) {
        const struct entry *entry = &entries[i];
        if (is_of(entry, span) && entry->put_us > oldest_us && entry->from_us <= span->from_us &&
            entry->to_us >= span->to_us) {
            return entry;
        }
    }
    return NULL;
}

static bool copy(struct op *op, const struct entry *entry, struct zone_known *out)
{
    struct zone_offset *items = arena_array(op->arena, (size_t)entry->n, sizeof *items);

    if (!items) {
        return false;
    }
    memcpy(items, entry->items, (size_t)entry->n * sizeof *items);
    *out = (struct zone_known){ items, entry->n };
    return true;
}

bool zone_cache_get(struct op *op, const struct zone_span *span, struct zone_known *out)
{
    pthread_mutex_lock(&lock);
    const struct entry *entry = find(span);
    bool is_found = entry && copy(op, entry, out);
    pthread_mutex_unlock(&lock);
    return is_found;
}

/* That of a span inside of this one, else the oldest: one that is free was never put. */
static struct entry *place_for(const struct zone_span *span)
{
    struct entry *oldest = &entries[0];

    for (int i = 0; i < MAX_ENTRIES; i++) {
        struct entry *entry = &entries[i];
        if (is_of(entry, span) && entry->from_us >= span->from_us && entry->to_us <= span->to_us) {
            return entry;
        }
        if (entry->put_us < oldest->put_us) {
            oldest = entry;
        }
    }
    return oldest;
}

void zone_cache_put(const struct zone_span *span, const struct zone_known *known)
{
    if (known->n == 0 || known->n > MAX_ITEMS || strlen(span->zone) > MAX_NAME_BYTES ||
        strlen(span->bucket) > MAX_BUCKET_BYTES) {
        return;
    }
    pthread_mutex_lock(&lock);
    struct entry *entry = place_for(span);
    entry->from_us = span->from_us;
    entry->to_us = span->to_us;
    entry->put_us = clock_monotonic_us();
    entry->n = known->n;
    memcpy(entry->items, known->items, (size_t)known->n * sizeof *known->items);
    snprintf(entry->zone, sizeof entry->zone, "%s", span->zone);
    snprintf(entry->bucket, sizeof entry->bucket, "%s", span->bucket);
    pthread_mutex_unlock(&lock);
}
