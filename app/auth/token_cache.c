/* Answers about tokens in two generations, as in ingest/map: what is new or found again lives in
 * the young one; when that is full the old one is dropped whole and the young one takes its place.
 * So memory is bounded whatever is asked, and what is used stays. Tenants are kept once, beside
 * their tokens. One lock: it is held for the copying of a few hundred bytes. */
#include "auth/token_cache.h"

#include "auth/token_tenant.h"
#include "base/clock.h"
#include "base/hearing.h"

#include <pthread.h>

#define BYTES_PER_ENTRY 136      /* with its device's key and its share of the table */
#define LEAST_BYTES (256u << 10) /* of a generation's entries: some tenants' texts */
#define AGE_US (INT64_C(1000) * TOKEN_CACHE_AGE_MS)
#define NEVER_US INT64_MIN /* asked for at that time: has to be asked for anew */
#define STEPS_AT_ONCE 256  /* of one hold of the lock */

struct entry {
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct entry *next; /* whose hash has the same slot */
    struct token_tenant *tenant;
    int64_t asked_us;
    int64_t token_id, expires_us;
    uint32_t used_s, noted_s; /* monotonic; when it was found last, and when its use was noted */
    int32_t device_id;
    uint8_t kind, role;
    bool is_backfill, is_bound;
    bool is_renewing;  /* one caller was sent to ask again, the others go on */
    char device_key[]; /* where is_bound */
};

struct generation {
    struct arena *arena; /* of entries and tenants */
    struct entry **slots;
    size_t n;
    struct token_tenants tenants;
};

struct token_cache {
    struct arena *arena;
    pthread_mutex_t lock;
    size_t max; /* entries of a generation, and slots */
    struct generation young, old;
    struct hearing hearing;
    size_t noting_at; /* the slot from which on uses are looked for next */
};

/* ---- generations ---- */

static void generation_free(struct generation *generation)
{
    arena_free(generation->arena);
    *generation = (struct generation){ 0 };
}

static bool generation_open(struct generation *generation, size_t max)
{
    size_t bytes = max * BYTES_PER_ENTRY + LEAST_BYTES;

    *generation = (struct generation){ .arena = arena_new(bytes) };
    generation->slots =
        generation->arena ? arena_array(generation->arena, max, sizeof *generation->slots) : NULL;
    if (!generation->slots) {
        generation_free(generation);
    }
    return generation->slots != NULL;
}

struct token_cache *token_cache_new(size_t capacity)
{
    struct arena *arena = arena_new(sizeof(struct token_cache) + 64);
    struct token_cache *cache = arena ? arena_alloc(arena, sizeof *cache) : NULL;

    if (!cache) {
        arena_free(arena);
        return NULL;
    }
    cache->arena = arena;
    cache->max = capacity / 2;
    hearing_init(&cache->hearing);
    (void)pthread_mutex_init(&cache->lock, NULL);
    if (!generation_open(&cache->young, cache->max)) {
        token_cache_free(cache);
        return NULL;
    }
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache) {
        generation_free(&cache->young);
        generation_free(&cache->old);
        (void)pthread_mutex_destroy(&cache->lock);
        arena_free(cache->arena);
    }
}

/* Makes the young generation the old one. Without memory for a new one nothing is remembered. */
static bool cache_age(struct token_cache *cache)
{
    generation_free(&cache->old);
    cache->old = cache->young;
    return generation_open(&cache->young, cache->max);
}

/* ---- entries ---- */

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* True for an entry of that device, or of none. */
static bool has_key(const struct entry *entry, const char *key)
{
    return entry->is_bound ? key && strcmp(entry->device_key, key) == 0 : !key;
}

static struct entry **entry_slot(const struct token_cache *cache,
                                 const struct generation *generation, const uint8_t *hash)
{
    uint64_t start; /* of a hash that spreads evenly */

    memcpy(&start, hash, sizeof start);
    return &generation->slots[start % cache->max];
}

static struct entry *find_in(const struct token_cache *cache, const struct generation *generation,
                             const uint8_t *hash)
{
    struct entry *entry = generation->slots ? *entry_slot(cache, generation, hash) : NULL;

    while (entry && !crypto_equal(entry->hash, hash, CRYPTO_HASH_BYTES)) {
        entry = entry->next;
    }
    return entry;
}

/* A new entry with room for a key, linked; NULL when the young generation is full. */
static struct entry *open_entry(struct token_cache *cache, const uint8_t *hash,
                                const char *device_key)
{
    struct generation *young = &cache->young;
    size_t n_key = size_of(device_key);
    struct entry *entry = young->slots && young->n < cache->max
                              ? arena_alloc(young->arena, sizeof *entry + n_key)
                              : NULL;

    if (!entry) {
        return NULL;
    }
    struct entry **slot = entry_slot(cache, young, hash);
    memcpy(entry->hash, hash, CRYPTO_HASH_BYTES);
    entry->is_bound = n_key > 0;
    if (n_key) {
        memcpy(entry->device_key, device_key, n_key);
    }
    entry->asked_us = NEVER_US;
    entry->next = *slot;
    *slot = entry;
    young->n++;
    return entry;
}

static void fill(struct entry *entry, const struct identity *who, struct token_tenant *tenant)
{
    entry->tenant = tenant;
    entry->token_id = who->token_id;
    entry->expires_us = who->expires_us;
    entry->device_id = who->device_id;
    entry->kind = (uint8_t)who->kind;
    entry->role = (uint8_t)who->role;
    entry->is_backfill = who->is_backfill;
    entry->is_renewing = false;
}

/* What the entry stands for; its texts are the cache's. */
static struct identity identity_of(const struct entry *entry)
{
    struct identity who = entry->tenant->who;

    who.kind = (enum identity_kind)entry->kind;
    who.role = (enum identity_role)entry->role;
    who.token_id = entry->token_id;
    who.expires_us = entry->expires_us;
    who.device_id = entry->device_id;
    who.device_key = entry->is_bound ? entry->device_key : NULL;
    who.is_backfill = entry->is_backfill;
    return who;
}

/* Writes down an answer in the young generation: over the entry that is there, or as a new one.
 * NULL when there is no room. */
static struct entry *write_down(struct token_cache *cache, const uint8_t *hash,
                                const struct identity *who)
{
    struct entry *entry = find_in(cache, &cache->young, hash);

    if (!cache->young.slots) {
        return NULL;
    }
    if (entry && !has_key(entry, who->device_key)) {
        entry->asked_us = NEVER_US; /* it has no room for another key: the new one hides it */
        entry->noted_s = entry->used_s;
        entry = NULL;
    }
    struct token_tenant *tenant = token_tenant_have(&cache->young.tenants, cache->young.arena, who);
    if (tenant && !entry) {
        entry = open_entry(cache, hash, who->device_key);
    }
    if (!tenant || !entry) {
        return NULL;
    }
    fill(entry, who, tenant);
    return entry;
}

/* The entry of a hash, in the young generation after this if there was room. */
static struct entry *find_entry(struct token_cache *cache, const uint8_t *hash)
{
    struct entry *entry = find_in(cache, &cache->young, hash);

    if (entry) {
        return entry;
    }
    struct entry *old = find_in(cache, &cache->old, hash);
    if (!old || old->asked_us == NEVER_US || old->tenant->is_past) {
        return NULL;
    }
    const struct identity who = identity_of(old);
    entry = write_down(cache, hash, &who);
    if (!entry) {
        return old;
    }
    entry->asked_us = old->asked_us;
    entry->used_s = old->used_s;
    entry->noted_s = old->noted_s;
    return entry;
}

static uint32_t seconds_of(int64_t time_us)
{
    return (uint32_t)(time_us / US_PER_SECOND);
}

/* Copies out what the entry stands for. False when the arena is full. */
static bool load(const struct entry *entry, struct arena *arena, struct identity *out)
{
    char *texts = arena_alloc(arena, entry->tenant->n_bytes + 1);

    *out = identity_of(entry);
    if (!texts) {
        return false;
    }
    token_tenant_move_texts(out, texts);
    if (out->device_key) {
        out->device_key = arena_copy(arena, str_of(out->device_key));
    }
    return !entry->is_bound || out->device_key;
}

static bool has_expired(const struct entry *entry)
{
    return entry->expires_us != 0 && entry->expires_us <= clock_now_us();
}

/* True when the answer may still be used by this caller. */
static bool is_fresh(const struct token_cache *cache, struct entry *entry, int64_t now_us)
{
    if (entry->asked_us == NEVER_US || entry->tenant->is_past) {
        return false;
    }
    int64_t may_be_us = hearing_covers(&cache->hearing, entry->asked_us, now_us)
                            ? hearing_age_us(NAME_CACHE_LONG_MS, (uint64_t)entry->token_id)
                            : AGE_US;
    int64_t age_us = now_us - entry->asked_us;
    if (age_us >= may_be_us / 5 * 4 && age_us < may_be_us && !entry->is_renewing) {
        entry->is_renewing = true; /* else all threads would ask at the same moment */
        return false;
    }
    return age_us < may_be_us;
}

bool token_cache_find(struct token_cache *cache, struct op *op,
                      const uint8_t hash[CRYPTO_HASH_BYTES], int64_t now_us, struct identity *out)
{
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = find_entry(cache, hash);
    bool is_good = entry && !has_expired(entry) && is_fresh(cache, entry, now_us) &&
                   load(entry, op->arena, out);
    if (is_good) {
        entry->used_s = seconds_of(now_us);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return is_good;
}

/* As write_down, making room. */
static struct entry *put(struct token_cache *cache, const uint8_t *hash, const struct identity *who)
{
    struct entry *entry = write_down(cache, hash, who);

    if (!entry) {
        entry = cache_age(cache) ? write_down(cache, hash, who) : NULL;
    }
    return entry;
}

bool token_cache_put(struct token_cache *cache, const uint8_t hash[CRYPTO_HASH_BYTES],
                     const struct identity *who, int64_t asked_us)
{
    uint32_t asked_s = seconds_of(asked_us);

    (void)pthread_mutex_lock(&cache->lock);
    const struct entry *known = find_entry(cache, hash);
    uint32_t noted_s = known ? known->noted_s : 0;
    /* where changes are told, somebody takes uses: many at once cost a fraction of as many alone */
    bool is_due =
        !hearing_is_on(&cache->hearing) && (!known || asked_s >= noted_s + TOKEN_NOTED_EVERY_S);
    struct entry *entry = put(cache, hash, who);
    if (entry) {
        entry->asked_us = hearing_may_keep(&cache->hearing, asked_us) ? asked_us : NEVER_US;
        entry->used_s = asked_s;
        entry->noted_s = is_due ? asked_s : noted_s;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return is_due;
}

/* ---- changes ---- */

/* Lets other threads in now and then. */
static void breathe(pthread_mutex_t *lock, size_t done)
{
    if (done % STEPS_AT_ONCE == STEPS_AT_ONCE - 1) {
        (void)pthread_mutex_unlock(lock);
        (void)pthread_mutex_lock(lock);
    }
}

static void forget(const struct token_cache *cache, struct generation *generation,
                   const struct token_change *change)
{
    struct entry *entry = change->hash ? find_in(cache, generation, change->hash) : NULL;
    struct token_tenant *tenant =
        change->hash ? NULL : token_tenant_find(&generation->tenants, change->tenant_id);

    if (entry) {
        entry->asked_us = NEVER_US;
    }
    if (tenant) {
        tenant->is_past = true;
    }
}

void token_cache_hear(struct token_cache *cache, const struct token_change *changes, size_t n,
                      int64_t began_us)
{
    (void)pthread_mutex_lock(&cache->lock);
    if (n > 0) {
        hearing_tell(&cache->hearing);
    }
    for (size_t i = 0; i < n; i++) {
        forget(cache, &cache->young, &changes[i]);
        forget(cache, &cache->old, &changes[i]);
        breathe(&cache->lock, i);
    }
    hearing_note(&cache->hearing, began_us);
    (void)pthread_mutex_unlock(&cache->lock);
}

void token_cache_lose_track(struct token_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    hearing_lose(&cache->hearing);
    (void)pthread_mutex_unlock(&cache->lock);
}

/* ---- uses ---- */

/* Adds those of one slot whose use was noted long enough ago. */
static size_t add_uses(struct entry *entry, uint32_t now_s, struct token_use *uses, size_t max)
{
    size_t n = 0;

    for (; entry && n < max; entry = entry->next) {
        if (entry->used_s >= entry->noted_s + TOKEN_NOTED_EVERY_S) {
            /* a use may be later than the look began: the lock is let go on the way */
            uint32_t ago_s = entry->used_s < now_s ? now_s - entry->used_s : 0;
            uses[n++] = (struct token_use){ entry->token_id, ago_s };
            entry->noted_s = entry->used_s;
        }
    }
    return n;
}

size_t token_cache_take_uses(struct token_cache *cache, struct token_use *uses, size_t max)
{
    uint32_t now_s = seconds_of(clock_monotonic_us());
    size_t n = 0;

    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < cache->max && n < max && cache->young.slots; i++) {
        n += add_uses(cache->young.slots[cache->noting_at], now_s, uses + n, max - n);
        cache->noting_at = (cache->noting_at + 1) % cache->max;
        breathe(&cache->lock, i);
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return n;
}
