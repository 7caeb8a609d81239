/* The caches as bounded maps under one mutex, held for some microseconds at a time by the
 * threads that answer requests and by the writers. Answers for what is remembered, not for
 * asking the database (resolve). */
#include "ingest/series_cache.h"

#include "base/clock.h"
#include "base/hearing.h"
#include "ingest/map.h"

#include <pthread.h>

/* Devices and sites are fewer than series. */
#define DEVICE_SHARE 3
#define SITE_SHARE 16
/* When what has to be asked for anew was asked for. */
#define NEVER_US INT64_MIN
/* Lookups of one hold of the mutex: some microseconds. */
#define LOOKUPS_AT_ONCE 256

struct series_cache {
    struct arena *arena;
    pthread_mutex_t lock;
    struct ingest_map *devices; /* tenant, key → id, site, when asked for */
    struct ingest_map *sites;   /* tenant, key → id, when asked for */
    struct ingest_map *series;  /* tenant, device, metric, labels → id, newest time claimed */
    struct hearing hearing;     /* of changes of devices and sites */
};

struct key {
    size_t len;
    char bytes[sizeof(int32_t) * 3 + MAX_NAME_BYTES + MAX_LABELS_BYTES];
};

static void key_add(struct key *key, const void *bytes, size_t len)
{
    memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

static void key_add_int(struct key *key, int32_t value)
{
    key_add(key, &value, sizeof value);
}

static struct str key_str(const struct key *key)
{
    return (struct str){ key->bytes, key->len };
}

static struct str name_key(struct key *key, int32_t tenant_id, struct str name)
{
    key->len = 0;
    key_add_int(key, tenant_id);
    key_add(key, name.ptr, name.len);
    return key_str(key);
}

static struct str series_key(struct key *key, int32_t tenant_id, int32_t device_id,
                             const struct ingest_series *series)
{
    key->len = 0;
    key_add_int(key, tenant_id);
    key_add_int(key, device_id);
    key_add_int(key, (int32_t)series->metric.len);
    key_add(key, series->metric.ptr, series->metric.len);
    if (series->labels.len) {
        key_add(key, series->labels.ptr, series->labels.len);
    }
    return key_str(key);
}

struct series_cache *series_cache_new(size_t max_series)
{
    struct arena *arena = arena_new(sizeof(struct series_cache) + 64);
    struct series_cache *cache = arena ? arena_alloc(arena, sizeof *cache) : NULL;

    if (!cache) {
        arena_free(arena);
        return NULL;
    }
    cache->arena = arena;
    (void)pthread_mutex_init(&cache->lock, NULL);
    hearing_init(&cache->hearing);
    cache->devices = ingest_map_new(max_series / DEVICE_SHARE);
    cache->sites = ingest_map_new(max_series / SITE_SHARE);
    cache->series = ingest_map_new(max_series);
    if (!cache->devices || !cache->sites || !cache->series) {
        series_cache_free(cache);
        return NULL;
    }
    return cache;
}

void series_cache_free(struct series_cache *cache)
{
    if (!cache) {
        return;
    }
    ingest_map_free(cache->devices);
    ingest_map_free(cache->sites);
    ingest_map_free(cache->series);
    (void)pthread_mutex_destroy(&cache->lock);
    arena_free(cache->arena);
}

/* ---- devices and sites ---- */

static bool is_fresh(const struct series_cache *cache, const struct ingest_map_value *value,
                     int64_t now_us)
{
    if (!value || value->time_us == NEVER_US) {
        return false;
    }
    bool is_heard_of = hearing_covers(&cache->hearing, value->time_us, now_us);
    return now_us - value->time_us <
           hearing_age_us(is_heard_of ? NAME_CACHE_LONG_MS : NAME_CACHE_AGE_MS,
                          (uint64_t)value->id);
}

/* Remembers a name, unless something changed since it was asked for: that may have been it. */
static void put_name(struct series_cache *cache, struct ingest_map *map, struct str key,
                     struct ingest_map_value value)
{
    (void)pthread_mutex_lock(&cache->lock);
    if (hearing_may_keep(&cache->hearing, value.time_us)) {
        ingest_map_put(map, key, value);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

static void forget_name(struct ingest_map *map, struct str key)
{
    struct ingest_map_value *value = ingest_map_find(map, key);

    if (value) {
        value->time_us = NEVER_US;
    }
}

/* Lets other threads in now and then while many names are looked up. */
static void breathe(pthread_mutex_t *lock, size_t done)
{
    if (done % LOOKUPS_AT_ONCE == LOOKUPS_AT_ONCE - 1) {
        (void)pthread_mutex_unlock(lock);
        (void)pthread_mutex_lock(lock);
    }
}

size_t series_cache_find_devices(struct series_cache *cache, int32_t tenant_id,
                                 struct ingest_columns *columns, int64_t now_us)
{
    size_t missing = 0;
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < columns->n_devices; i++) {
        struct ingest_device *device = &columns->devices[i];
        const struct ingest_map_value *value =
            ingest_map_find(cache->devices, name_key(&key, tenant_id, device->key));
        if (is_fresh(cache, value, now_us)) {
            device->id = value->id;
            device->site_id = value->extra;
        } else {
            missing++;
        }
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return missing;
}

void series_cache_put_device(struct series_cache *cache, int32_t tenant_id,
                             const struct ingest_device *device, int64_t asked_us)
{
    struct key key;

    put_name(cache, cache->devices, name_key(&key, tenant_id, device->key),
             (struct ingest_map_value){ asked_us, device->id, device->site_id });
}

void series_cache_forget_devices(struct series_cache *cache, int32_t tenant_id,
                                 const struct ingest_columns *columns)
{
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < columns->n_devices; i++) {
        forget_name(cache->devices, name_key(&key, tenant_id, columns->devices[i].key));
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

size_t series_cache_find_sites(struct series_cache *cache, int32_t tenant_id,
                               struct ingest_columns *columns, int64_t now_us)
{
    size_t missing = 0;
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < columns->n_sites; i++) {
        struct ingest_site *site = &columns->sites[i];
        const struct ingest_map_value *value =
            ingest_map_find(cache->sites, name_key(&key, tenant_id, site->key));
        if (is_fresh(cache, value, now_us)) {
            site->id = value->id;
        } else {
            missing++;
        }
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return missing;
}

void series_cache_put_site(struct series_cache *cache, int32_t tenant_id,
                           const struct ingest_site *site, int64_t asked_us)
{
    struct key key;

    put_name(cache, cache->sites, name_key(&key, tenant_id, site->key),
             (struct ingest_map_value){ asked_us, site->id, 0 });
}

/* ---- changes ---- */

void series_cache_hear(struct series_cache *cache, const struct name_change *changes, size_t n,
                       int64_t began_us)
{
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    if (n > 0) {
        hearing_tell(&cache->hearing);
    }
    for (size_t i = 0; i < n; i++) {
        forget_name(changes[i].is_site ? cache->sites : cache->devices,
                    name_key(&key, changes[i].tenant_id, changes[i].key));
        breathe(&cache->lock, i);
    }
    hearing_note(&cache->hearing, began_us);
    (void)pthread_mutex_unlock(&cache->lock);
}

void series_cache_lose_track(struct series_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    hearing_lose(&cache->hearing);
    (void)pthread_mutex_unlock(&cache->lock);
}

/* ---- series ---- */

size_t series_cache_find_series(struct series_cache *cache, int32_t tenant_id,
                                struct ingest_columns *columns)
{
    size_t missing = 0;
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < columns->n_series; i++) {
        struct ingest_series *series = &columns->series[i];
        int32_t device_id = columns->devices[series->device].id;
        if (device_id == 0) {
            continue;
        }
        const struct ingest_map_value *value =
            ingest_map_find(cache->series, series_key(&key, tenant_id, device_id, series));
        if (value && value->id) {
            series->id = value->id;
            series->last_us = value->time_us;
        } else {
            missing++;
        }
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return missing;
}

void series_cache_forget_starts(struct series_cache *cache, int32_t tenant_id,
                                const struct ingest_columns *columns)
{
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < columns->n_rows; i++) {
        const struct ingest_series *series = &columns->series[columns->rows[i].series];
        if (!columns->events[columns->rows[i].event].is_start) {
            continue;
        }
        struct ingest_map_value *value = ingest_map_find(
            cache->series,
            series_key(&key, tenant_id, columns->devices[series->device].id, series));
        if (value && value->id == series->id) {
            value->id = 0;
        }
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

void series_cache_put_series(struct series_cache *cache, int32_t tenant_id, int32_t device_id,
                             const struct ingest_series *series, int64_t last_us)
{
    struct key key;
    struct str name = series_key(&key, tenant_id, device_id, series);

    (void)pthread_mutex_lock(&cache->lock);
    struct ingest_map_value *value = ingest_map_find(cache->series, name);
    if (!value || value->id != series->id) {
        ingest_map_put(cache->series, name, (struct ingest_map_value){ last_us, series->id, 0 });
    } else if (value->time_us < last_us) {
        value->time_us = last_us;
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

void series_cache_claim(struct series_cache *cache, struct series_claim *claims, size_t n)
{
    struct key key;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < n; i++) {
        struct series_claim *claim = &claims[i];
        struct ingest_map_value *value = ingest_map_find(
            cache->series, series_key(&key, claim->tenant_id, claim->device_id, claim->series));
        if (!value || value->id != claim->series->id) {
            claim->last_us = INT64_MAX;
            continue;
        }
        claim->last_us = value->time_us;
        if (value->time_us < claim->newest_us) {
            value->time_us = claim->newest_us;
        }
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

size_t series_cache_count(struct series_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    size_t count = ingest_map_count(cache->series);
    (void)pthread_mutex_unlock(&cache->lock);
    return count;
}
