/* The bounded map: open addressing in two generations, each with arenas of its own (for keys and
 * for slots), so that dropping a generation is freeing those. Its callers lock (series_cache). */
#include "ingest/map.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "ingest/hash.h"

#define FIRST_SLOTS 256
/* Keys of up to the three longest names. */
#define KEY_BYTES_PER_ENTRY 1024

struct slot {
    const char *key; /* NULL: empty */
    uint32_t key_len, hash;
    struct ingest_map_value value;
};

struct generation {
    struct arena *arena;       /* of the keys */
    struct arena *slots_arena; /* of the slots alone: growing leaves none behind */
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

/* Gives the generation so many empty slots in place of those it has. */
static bool slots_open(struct generation *generation, size_t n)
{
    struct arena *arena = arena_new(n * sizeof(struct slot) + 64);
    struct slot *slots = arena ? arena_array(arena, n, sizeof *slots) : NULL;

    if (!slots) {
        arena_free(arena);
        return false;
    }
    generation->slots_arena = arena;
    generation->slots = slots;
    generation->n_slots = n;
    return true;
}

static void generation_free(struct generation *generation)
{
    arena_free(generation->arena);
    arena_free(generation->slots_arena);
    *generation = (struct generation){ 0 };
}

static bool generation_open(struct generation *generation, size_t max)
{
    *generation = (struct generation){ .arena = arena_new(max * KEY_BYTES_PER_ENTRY +
                                                          (64u << 10)) };
    if (!generation->arena || !slots_open(generation, FIRST_SLOTS)) {
        generation_free(generation);
        return false;
    }
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
        generation_free(&map->young);
        generation_free(&map->old);
        arena_free(map->arena);
    }
}

/* The slot that holds the key, or the empty one where it belongs. */
static struct slot *slot_of(const struct generation *generation, uint32_t hash, struct str key)
{
    size_t mask = generation->n_slots - 1;

    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct slot *slot = &generation->slots[at];
        if (!slot->key || (slot->hash == hash &&
                           str_equal((struct str){ slot->key, slot->key_len }, key))) {
            return slot;
        }
    }
}

static bool generation_grow(struct generation *generation)
{
    const struct generation from = *generation;

    if (!slots_open(generation, from.n_slots * 2)) {
        return false;
    }
    size_t mask = generation->n_slots - 1;
    for (size_t i = 0; i < from.n_slots; i++) {
        if (from.slots[i].key) {
            size_t at = from.slots[i].hash & mask;
            while (generation->slots[at].key) {
                at = (at + 1) & mask;
            }
            generation->slots[at] = from.slots[i];
        }
    }
    arena_free(from.slots_arena);
    return true;
}

/* Makes the young generation the old one. Without memory for a new one, starts over in place. */
static void map_age(struct ingest_map *map)
{
    struct generation fresh;

    generation_free(&map->old);
    if (generation_open(&fresh, map->max_generation)) {
        map->old = map->young;
        map->young = fresh;
        return;
    }
    memset(map->young.slots, 0, map->young.n_slots * sizeof *map->young.slots);
    map->young.count = 0;
}

/* Puts a key that the young generation does not hold. NULL when even that had no room. */
static struct slot *map_add(struct ingest_map *map, uint32_t hash, struct str key,
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
    *slot = (struct slot){ .key = copy, .key_len = (uint32_t)key.len, .hash = hash,
                           .value = value };
    young->count++;
    return slot;
}

struct ingest_map_value *ingest_map_find(struct ingest_map *map, struct str key)
{
    uint32_t hash = (uint32_t)ingest_hash(map->seed, key.ptr, key.len);
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
    uint32_t hash = (uint32_t)ingest_hash(map->seed, key.ptr, key.len);
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
