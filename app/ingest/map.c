/* The bounded map: open addressing in two generations, each with an arena of its own, so
 * that dropping a generation is one arena_free. Its callers lock (series_cache). */
#include "ingest/map.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "ingest/hash.h"

#define FIRST_SLOTS 256
/* Slots of all growth steps together, and keys of up to the three longest names. */
#define GENERATION_BYTES_PER_ENTRY 1024

struct slot {
    uint64_t hash;
    const char *key; /* NULL: empty */
    size_t key_len;
    struct ingest_map_value value;
};

struct generation {
    struct arena *arena;
    struct slot *slots;
    size_t n_slots; /* a power of two */
    size_t count;
};

struct ingest_map {
    struct arena *arena; /* of this struct */
    uint64_t seed;
    size_t max_generation;
    struct generation young, old;
};

static bool generation_open(struct generation *generation, size_t max)
{
    struct arena *arena = arena_new(max * GENERATION_BYTES_PER_ENTRY + (64u << 10));

    if (!arena) {
        return false;
    }
    struct slot *slots = arena_array(arena, FIRST_SLOTS, sizeof *slots);
    if (!slots) {
        arena_free(arena);
        return false;
    }
    *generation = (struct generation){ .arena = arena, .slots = slots, .n_slots = FIRST_SLOTS };
    return true;
}

struct ingest_map *ingest_map_new(size_t max)
{
    struct arena *arena = arena_new(sizeof(struct ingest_map) + 64);
    struct ingest_map *map = arena ? arena_alloc(arena, sizeof *map) : NULL;

    if (!map) {
        arena_free(arena);
        return NULL;
    }
    map->arena = arena;
    map->max_generation = max / 2 ? max / 2 : 1;
    crypto_random(&map->seed, sizeof map->seed);
    if (!generation_open(&map->young, map->max_generation)) {
        arena_free(arena);
        return NULL;
    }
    return map;
}

void ingest_map_free(struct ingest_map *map)
{
    if (map) {
        arena_free(map->young.arena);
        arena_free(map->old.arena);
        arena_free(map->arena);
    }
}

/* The slot that holds the key, or the empty one where it belongs. */
static struct slot *slot_of(const struct generation *generation, uint64_t hash, struct str key)
{
    size_t mask = generation->n_slots - 1;

    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        struct slot *slot = &generation->slots[at];
        if (!slot->key || (slot->hash == hash &&
                           str_equal((struct str){ slot->key, slot->key_len }, key))) {
            return slot;
        }
    }
}

static bool generation_grow(struct generation *generation)
{
    size_t n = generation->n_slots * 2;
    struct slot *slots = arena_array(generation->arena, n, sizeof *slots);

    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < generation->n_slots; i++) {
        const struct slot *from = &generation->slots[i];
        if (from->key) {
            size_t at = (size_t)from->hash & (n - 1);
            while (slots[at].key) {
                at = (at + 1) & (n - 1);
            }
            slots[at] = *from;
        }
    }
    generation->slots = slots;
    generation->n_slots = n;
    return true;
}

/* Makes the young generation the old one. Without memory for a new one, starts over in place. */
static void map_age(struct ingest_map *map)
{
    struct generation fresh;

    arena_free(map->old.arena);
    map->old = (struct generation){ 0 };
    if (generation_open(&fresh, map->max_generation)) {
        map->old = map->young;
        map->young = fresh;
        return;
    }
    memset(map->young.slots, 0, map->young.n_slots * sizeof *map->young.slots);
    map->young.count = 0;
}

/* Puts a key that the young generation does not hold. NULL when even that had no room. */
static struct slot *map_add(struct ingest_map *map, uint64_t hash, struct str key,
                            struct ingest_map_value value)
{
    struct generation *young = &map->young;

    if (young->count >= map->max_generation ||
        (young->count * 4 >= young->n_slots * 3 && !generation_grow(young))) {
        map_age(map);
    }
    char *copy = arena_copy(young->arena, key);
    if (!copy) {
        map_age(map);
        copy = arena_copy(young->arena, key);
        if (!copy) {
            return NULL;
        }
    }
    struct slot *slot = slot_of(young, hash, key);
    *slot = (struct slot){ .hash = hash, .key = copy, .key_len = key.len, .value = value };
    young->count++;
    return slot;
}

struct ingest_map_value *ingest_map_find(struct ingest_map *map, struct str key)
{
    uint64_t hash = ingest_hash(map->seed, key.ptr, key.len);
    struct slot *slot = slot_of(&map->young, hash, key);

    if (slot->key) {
        return &slot->value;
    }
    if (!map->old.arena) {
        return NULL;
    }
    slot = slot_of(&map->old, hash, key);
    if (!slot->key) {
        return NULL;
    }
    slot = map_add(map, hash, key, slot->value);
    return slot ? &slot->value : NULL;
}

void ingest_map_put(struct ingest_map *map, struct str key, struct ingest_map_value value)
{
    uint64_t hash = ingest_hash(map->seed, key.ptr, key.len);
    struct slot *slot = slot_of(&map->young, hash, key);

    if (slot->key) {
        slot->value = value;
    } else {
        (void)map_add(map, hash, key, value);
    }
}

size_t ingest_map_count(const struct ingest_map *map)
{
    return map->young.count + map->old.count;
}
