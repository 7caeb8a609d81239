/* What ingest remembers of the database: the numbers of devices, sites and series by their
 * names, and how far each series has come. One per process, shared by all threads behind
 * short critical sections. Bounded: what is not used is forgotten and asked for again.
 *
 * That a sample's tenant is its series' tenant rests on this cache: the tenant leads every
 * key, and a number is only ever put under the tenant it was resolved for. */
#ifndef TIDEMARK_INGEST_SERIES_CACHE_H
#define TIDEMARK_INGEST_SERIES_CACHE_H

#include "ingest/columns.h"

struct series_cache;

/* A cache for at most `max_series` series. NULL without memory. */
struct series_cache *series_cache_new(size_t max_series);
void series_cache_free(struct series_cache *cache); /* NULL is allowed */

/* Fills in the devices that are known and may still be believed at `now_us` (monotonic): asked for
 * less than NAME_CACHE_AGE_MS ago or, while the cache is told of changes, NAME_CACHE_LONG_MS.
 * Returns how many are missing; those keep the id 0. */
size_t series_cache_find_devices(struct series_cache *cache, int32_t tenant_id,
                                 struct ingest_columns *columns, int64_t now_us);
/* Remembers a device as the database has told it; asking began at `asked_us`. */
void series_cache_put_device(struct series_cache *cache, int32_t tenant_id,
                             const struct ingest_device *device, int64_t asked_us);

/* Likewise for sites. */
size_t series_cache_find_sites(struct series_cache *cache, int32_t tenant_id,
                               struct ingest_columns *columns, int64_t now_us);
void series_cache_put_site(struct series_cache *cache, int32_t tenant_id,
                           const struct ingest_site *site, int64_t asked_us);

/* A device or site that changed. */
struct name_change {
    int32_t tenant_id;
    bool is_site;
    struct str key;
};

/* Forgets what changed, as was learned by asking from `began_us` on (monotonic): whatever was
 * committed before that is known to the cache then, since the first such call. */
void series_cache_hear(struct series_cache *cache, const struct name_change *changes, size_t n,
                       int64_t began_us);

/* The changes were not to be had, or not all of them, and have to be heard from the beginning:
 * what was asked for until now holds for no longer than NAME_CACHE_AGE_MS. */
void series_cache_lose_track(struct series_cache *cache);

/* Fills in the known series of devices that have an id, with how far each has come. Returns how
 * many such are missing. */
size_t series_cache_find_series(struct series_cache *cache, int32_t tenant_id,
                                struct ingest_columns *columns);

/* Makes the series of columns that were to begin anew (columns_add_starts) be asked for anew: that
 * was not stored, though it may be claimed. */
void series_cache_forget_starts(struct series_cache *cache, int32_t tenant_id,
                                const struct ingest_columns *columns);

/* Adds a series whose newest sample is at `last_us` (INT64_MIN: it has none). What is known
 * already about how far it has come stays where it is further. */
void series_cache_put_series(struct series_cache *cache, int32_t tenant_id, int32_t device_id,
                             const struct ingest_series *series, int64_t last_us);

/* A batch's share of one series. */
struct series_claim {
    const struct ingest_series *series; /* resolved */
    int32_t tenant_id, device_id;
    int64_t newest_us; /* in: the newest row of the batch */
    int64_t last_us;   /* out: only rows after it are the batch's alone; INT64_MAX: none is */
};

/* Claims for the caller all times of each series after its last one, which moves to the newest:
 * two batches at work never both hold the same new (series, time). A series that was forgotten
 * is not claimed. */
void series_cache_claim(struct series_cache *cache, struct series_claim *claims, size_t n);

/* Makes the devices of the columns be asked for anew (something about them was refused). */
void series_cache_forget_devices(struct series_cache *cache, int32_t tenant_id,
                                 const struct ingest_columns *columns);

/* Series held now. */
size_t series_cache_count(struct series_cache *cache);

#endif
