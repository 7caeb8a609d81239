/* The bounded map: open addressing in two generations, each with an arena of its own, so that
 * dropping a generation is freeing that. A key is kept as its keyed hash of 128 bits: an entry
 * takes 32 bytes, whatever its key. Its callers lock (series_cache). */
#include "ingest/map.h"

#include "base/arena.h"
#include "base/crypto.h"

#define FIRST_SLOTS 256

/* What stands for a key; all zeros: an empty slot. */
struct mark {
    uint64_t half[2];
};

_Static_assert(sizeof(struct mark) == CRYPTO_SHORT_HASH_BYTES, "a mark is a hash");

struct slot {
    struct mark mark;
    struct ingest_map_value value;
};

struct generation {
    struct arena *arena; /* of the slots alone: growing leaves none behind */
    struct slot *slots;
    size_t n_slots; /* a power of two */
    size_t count;
};

struct ingest_map {
    struct arena *arena; /* of this struct */
    uint8_t secret[CRYPTO_SHORT_KEY_BYTES];
    size_t max_generation;
    struct generation young, old;
};

/* Two keys share a mark with a chance of 2^-127, and nobody who does not know the secret can look
 * for such. */
static struct mark mark_of(const struct ingest_map *map, struct str key)
{
    struct mark mark;

    crypto_short_hash(key, map->secret, (uint8_t *)mark.half);
    mark.half[1] |= 1; /* no key looks like an empty slot */
    return mark;
}

static bool is_empty(const struct slot *slot)
{
    return slot->mark.half[1] == 0;
}

/* Gives the generation so many empty slots in place of those it has. */
static bool slots_open(struct generation *generation, size_t n)
{
    struct arena *arena = arena_new(n * sizeof(struct slot) + 64);
    struct slot *slots = arena ? arena_array(arena, n, sizeof *slots) : NULL;

    if (!slots) {
        arena_free(arena);
        return false;
    }
    generation->arena = arena;
    generation->slots = slots;
    generation->n_slots = n;
    return true;
}

static void generation_free(struct generation *generation)
{
    arena_free(generation->arena);
    *generation = (struct generation){ 0 };
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
    crypto_random(map->secret, sizeof map->secret);
    if (!slots_open(&map->young, FIRST_SLOTS)) {
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
static struct slot *slot_of(const struct generation *generation, struct mark mark)
{
    size_t mask = generation->n_slots - 1;

    for (size_t at = mark.half[0] & mask;; at = (at + 1) & mask) {
        struct slot *slot = &generation->slots[at];
        if (is_empty(slot) || (slot->mark.half[0] == mark.half[0] &&
                               slot->mark.half[1] == mark.half[1])) {
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
    for (size_t i = 0; i < from.n_slots; i++) {
        if (!is_empty(&from.slots[i])) {
            *slot_of(generation, from.slots[i].mark) = from.slots[i];
        }
    }
    arena_free(from.arena);
    return true;
}

/* Makes the young generation the old one. Without memory for a new one, starts over in place. */
static void map_age(struct ingest_map *map)
{
    struct generation fresh = { 0 };

    generation_free(&map->old);
    if (slots_open(&fresh, FIRST_SLOTS)) {
        map->old = map->young;
        map->young = fresh;
        return;
    }
    memset(map->young.slots, 0, map->young.n_slots * sizeof *map->young.slots);
    map->young.count = 0;
}

/* Puts a key that the young generation does not hold. */
static struct slot *map_add(struct ingest_map *map, struct mark mark,
                            struct ingest_map_value value)
{
    struct generation *young = &map->young;

    if (young->count >= map->max_generation ||
        (young->count * 4 >= young->n_slots * 3 && !generation_grow(young))) {
        map_age(map);
    }
    struct slot *slot = slot_of(young, mark);
    *slot = (struct slot){ mark, value };
    young->count++;
    return slot;
}

struct ingest_map_value *ingest_map_find(struct ingest_map *map, struct str key)
{
    struct mark mark = mark_of(map, key);
    struct slot *slot = slot_of(&map->young, mark);

    if (!is_empty(slot)) {
        return &slot->value;
    }
    if (!map->old.arena) {
        return NULL;
    }
    slot = slot_of(&map->old, mark);
    if (is_empty(slot)) {
        return NULL;
    }
    return &map_add(map, mark, slot->value)->value;
}

void ingest_map_put(struct ingest_map *map, struct str key, struct ingest_map_value value)
{
    struct mark mark = mark_of(map, key);
    struct slot *slot = slot_of(&map->young, mark);

    if (!is_empty(slot)) {
        slot->value = value;
    } else {
        (void)map_add(map, mark, value);
    }
}

size_t ingest_map_count(const struct ingest_map *map)
{
    return map->young.count + map->old.count;
}
