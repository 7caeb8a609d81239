/* Answers about tokens, remembered for TOKEN_CACHE_AGE_MS. A fixed table of sets of WAYS
 * entries, chosen by the hash (which is uniform); the oldest of a full set is replaced, so the
 * memory is bounded whatever is asked. One lock: it is held for the copying of a few hundred
 * bytes. */
#include "auth/token_cache.h"

#include "base/clock.h"

#include <pthread.h>

#define WAYS 4
#define MAX_TEXT_BYTES 640 /* of an identity's five texts together; others are not remembered */
#define N_TEXTS 5
#define AGE_US (INT64_C(1000) * TOKEN_CACHE_AGE_MS)
#define RENEW_AGE_US (AGE_US * 4 / 5) /* from here on one caller asks again, the others go on */

struct entry {
    uint8_t hash[CRYPTO_HASH_BYTES];
    int64_t asked_us;    /* 0: empty */
    int64_t touched_us;  /* when last_used was noted */
    int64_t renewed_us;  /* when a caller was last sent to ask again */
    struct identity who; /* its texts are offsets into `texts`, kept in text_at */
    uint16_t text_at[N_TEXTS];
    char texts[MAX_TEXT_BYTES];
};

struct token_cache {
    struct arena *arena;
    pthread_mutex_t lock;
    size_t n_sets;
    struct entry *entries;
};

#define NO_TEXT UINT16_MAX

struct token_cache *token_cache_new(size_t capacity)
{
    size_t size = capacity * sizeof(struct entry) + sizeof(struct token_cache);
    struct arena *arena = arena_new(size + 4096);
    struct token_cache *cache = arena ? arena_alloc(arena, sizeof *cache) : NULL;
    struct entry *entries = cache ? arena_array(arena, capacity, sizeof *entries) : NULL;

    if (!entries) {
        arena_free(arena);
        return NULL;
    }
    *cache = (struct token_cache){ .arena = arena, .n_sets = capacity / WAYS, .entries = entries };
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache) {
        pthread_mutex_destroy(&cache->lock);
        arena_free(cache->arena);
    }
}

static struct entry *set_of(struct token_cache *cache, const uint8_t *hash)
{
    uint64_t start;

    memcpy(&start, hash, sizeof start);
    return &cache->entries[(start % cache->n_sets) * WAYS];
}

static struct entry *find_entry(struct token_cache *cache, const uint8_t *hash)
{
    struct entry *set = set_of(cache, hash);

    for (int i = 0; i < WAYS; i++) {
        if (set[i].asked_us != 0 && crypto_equal(set[i].hash, hash, CRYPTO_HASH_BYTES)) {
            return &set[i];
        }
    }
    return NULL;
}

static struct entry *oldest_entry(struct token_cache *cache, const uint8_t *hash)
{
    struct entry *set = set_of(cache, hash);
    struct entry *oldest = &set[0];

    for (int i = 1; i < WAYS; i++) {
        if (set[i].asked_us < oldest->asked_us) {
            oldest = &set[i];
        }
    }
    return oldest;
}

static void list_texts(struct identity *who, const char **list[N_TEXTS])
{
    list[0] = &who->tenant_slug;
    list[1] = &who->tenant_name;
    list[2] = &who->tenant_timezone;
    list[3] = &who->tenant_currency;
    list[4] = &who->device_key;
}

/* False when the texts do not fit. */
static bool store_texts(struct entry *entry, const struct identity *who)
{
    const char **list[N_TEXTS];
    size_t used = 0;

    entry->who = *who;
    list_texts(&entry->who, list);
    for (int i = 0; i < N_TEXTS; i++) {
        const char *text = *list[i];
        size_t size = text ? strlen(text) + 1 : 0;
        if (used + size > MAX_TEXT_BYTES) {
            return false;
        }
        entry->text_at[i] = text ? (uint16_t)used : NO_TEXT;
        if (text) {
            memcpy(entry->texts + used, text, size);
        }
        used += size;
        *list[i] = NULL;
    }
    return true;
}

/* False when the arena is full. */
static bool load_texts(const struct entry *entry, struct arena *arena, struct identity *out)
{
    const char **list[N_TEXTS];

    *out = entry->who;
    list_texts(out, list);
    for (int i = 0; i < N_TEXTS; i++) {
        if (entry->text_at[i] == NO_TEXT) {
            continue;
        }
        *list[i] = arena_copy(arena, str_of(entry->texts + entry->text_at[i]));
        if (!*list[i]) {
            return false;
        }
    }
    return true;
}

static bool has_expired(const struct identity *who)
{
    return who->expires_us != 0 && who->expires_us <= clock_now_us();
}

/* True when the answer may still be used by this caller. */
static bool is_fresh(struct entry *entry, int64_t now_us)
{
    int64_t age_us = now_us - entry->asked_us;

    if (age_us >= RENEW_AGE_US && age_us < AGE_US && now_us - entry->renewed_us >= AGE_US) {
        entry->renewed_us = now_us; /* else all threads would ask at the same moment */
        return false;
    }
    return age_us < AGE_US;
}

bool token_cache_find(struct token_cache *cache, struct op *op,
                      const uint8_t hash[CRYPTO_HASH_BYTES], struct identity *out)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find_entry(cache, hash);
    bool is_good = entry && !has_expired(&entry->who) &&
                   is_fresh(entry, clock_monotonic_us()) && load_texts(entry, op->arena, out);
    pthread_mutex_unlock(&cache->lock);
    return is_good;
}

bool token_cache_put(struct token_cache *cache, const uint8_t hash[CRYPTO_HASH_BYTES],
                     const struct identity *who, int64_t asked_us, int64_t touch_every_us)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find_entry(cache, hash);
    bool is_due = !entry || asked_us - entry->touched_us >= touch_every_us;
    if (!entry) {
        entry = oldest_entry(cache, hash);
    }
    if (is_due) {
        entry->touched_us = asked_us;
    }
    memcpy(entry->hash, hash, CRYPTO_HASH_BYTES);
    entry->asked_us = store_texts(entry, who) ? asked_us : 0;
    pthread_mutex_unlock(&cache->lock);
    return is_due;
}
