/* A bounded map from bytes to a small value, for the caches of ingest. It keeps two
 * generations: new entries and those found again live in the young one; when that holds
 * half of the bound, the old one is dropped whole and the young one takes its place. So
 * what is used stays, what is not goes, and nothing is ever removed singly. Of a key its hash is
 * kept, keyed by a secret of the map: 32 bytes an entry, for any key. Not locked. */
#ifndef TIDEMARK_INGEST_MAP_H
#define TIDEMARK_INGEST_MAP_H

#include "base/str.h"

#include <stdint.h>

struct ingest_map;

struct ingest_map_value {
    int64_t time_us;
    int32_t id;
    int32_t extra;
};

/* A map of at most `max` entries. NULL without memory. */
struct ingest_map *ingest_map_new(size_t max);
void ingest_map_free(struct ingest_map *map); /* NULL is allowed */

/* The value of a key, to be read or changed before the next call on this map; NULL when the
 * map does not hold it (or forgot it). */
struct ingest_map_value *ingest_map_find(struct ingest_map *map, struct str key);

/* Adds or replaces. Without memory the map forgets something instead. */
void ingest_map_put(struct ingest_map *map, struct str key, struct ingest_map_value value);

/* Entries held now, those found again counted twice at most. */
size_t ingest_map_count(const struct ingest_map *map);

#endif
