/* Calendars that the process has read lately, for domain/zone alone: the same for every tenant, and
 * asked for by every page. Kept for an hour at most, for the rules of zones do change. */
#ifndef TIDEMARK_DOMAIN_ZONE_CACHE_H
#define TIDEMARK_DOMAIN_ZONE_CACHE_H

#include "base/clock.h"
#include "base/op.h"

/* A zone's offsets (`bucket` "") or the starts of its buckets, over [from_us, to_us). */
struct zone_span {
    const char *zone, *bucket;
    int64_t from_us, to_us;
};

/* What is known of a span: an entry for each change or start; starts have no offset. */
struct zone_known {
    const struct zone_offset *items; /* ascending */
    int n;
};

/* A copy in the operation's arena of what was put for a span that holds the one asked for; all of
 * it. False where there is none, or no memory. */
bool zone_cache_get(struct op *op, const struct zone_span *span, struct zone_known *out);

/* Keeps a copy; what is too large is not kept. Thread-safe, as is the above. */
void zone_cache_put(const struct zone_span *span, const struct zone_known *known);

#endif
