/* Open addressing over at most half of the slots; nothing is ever removed but all. */
#include "parquet/dictionary.h"

#include <string.h>

#define N_SLOTS (DICTIONARY_MAX_ENTRIES * 2)

bool dictionary_init(struct dictionary *dictionary, struct arena *arena)
{
    *dictionary = (struct dictionary){
        .slots = arena_array(arena, N_SLOTS, sizeof *dictionary->slots),
        .starts = arena_array(arena, DICTIONARY_MAX_ENTRIES + 1, sizeof *dictionary->starts),
    };
    buf_init(&dictionary->bytes, arena, DICTIONARY_MAX_BYTES);
    return dictionary->slots != NULL && dictionary->starts != NULL;
}

void dictionary_clear(struct dictionary *dictionary)
{
    if (dictionary->n > 0) {
        memset(dictionary->slots, 0, N_SLOTS * sizeof *dictionary->slots);
    }
    buf_clear(&dictionary->bytes);
    dictionary->n = dictionary->last = 0;
}

/* Eight bytes at a time; what an adversary can do with it is fill the dictionary's slots unevenly,
 * whose number is bounded. */
static uint32_t hash(struct str value)
{
    uint64_t mixed = value.len * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word;

    for (size_t at = 0; at < value.len; at += sizeof word) {
        size_t left = value.len - at;
        word = 0;
        memcpy(&word, value.ptr + at, left < sizeof word ? left : sizeof word);
        mixed = (mixed ^ word) * UINT64_C(0xff51afd7ed558ccd);
        mixed ^= mixed >> 32;
    }
    return (uint32_t)(mixed ^ mixed >> 29);
}

static bool is_entry(const struct dictionary *dictionary, uint32_t place, struct str value)
{
    uint32_t start = dictionary->starts[place];

    return dictionary->starts[place + 1] - start == value.len &&
           (value.len == 0 ||
            memcmp(dictionary->bytes.data + start, value.ptr, value.len) == 0);
}

uint32_t dictionary_place(struct dictionary *dictionary, struct str value, bool *is_new)
{
    *is_new = false;
    if (dictionary->n > 0 && is_entry(dictionary, dictionary->last, value)) {
        return dictionary->last;
    }
    uint32_t slot = hash(value) % N_SLOTS;
    for (; dictionary->slots[slot] != 0; slot = (slot + 1) % N_SLOTS) {
        uint32_t place = dictionary->slots[slot] - 1;
        if (is_entry(dictionary, place, value)) {
            return dictionary->last = place;
        }
    }
    if (dictionary->n == DICTIONARY_MAX_ENTRIES ||
        value.len > DICTIONARY_MAX_BYTES - dictionary->bytes.len) {
        return DICTIONARY_FULL;
    }
    buf_add_str(&dictionary->bytes, value);
    if (dictionary->bytes.is_broken) {
        return DICTIONARY_FULL; /* no memory: the page that is written will say so */
    }
    *is_new = true;
    dictionary->slots[slot] = dictionary->n + 1;
    dictionary->starts[dictionary->n + 1] = (uint32_t)dictionary->bytes.len;
    return dictionary->last = dictionary->n++;
}
