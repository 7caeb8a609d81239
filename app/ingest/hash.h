/* A seeded hash of bytes for the tables of ingest: eight bytes a step, no promise beyond
 * spreading keys. The seed is random, so that colliding keys cannot be prepared; names
 * are short, so what a stubborn client could still do stays small.
 * Identities that are stored are made by event_key, never by this. */
#ifndef TIDEMARK_INGEST_HASH_H
#define TIDEMARK_INGEST_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One step: stirs a word into the hash. */
static inline uint64_t ingest_hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ (hash >> 29);
}

/* The hash of some bytes. For tables in memory only: it may differ between builds. */
static inline uint64_t ingest_hash(uint64_t seed, const void *bytes, size_t len)
{
    const char *at = bytes;
    uint64_t hash = ingest_hash_mix(seed, len);
    uint64_t word;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = ingest_hash_mix(hash, word);
    }
    if (len) {
        word = 0;
        memcpy(&word, at, len);
        hash = ingest_hash_mix(hash, word);
    }
    hash = ingest_hash_mix(hash, seed);
    return hash ^ (hash >> 32);
}

#endif
