/* Answers that a connection keeps, for db_ask_all alone: as many as there is room for, each for the
 * statement, the arguments and the stamp that it was asked with. Not shared between threads. */
#ifndef TIDEMARK_DB_KEEP_H
#define TIDEMARK_DB_KEEP_H

#include "base/crypto.h"
#include "db/ask.h"

#include <libpq-fe.h>

#define DB_KEEP_SLOTS 128
#define DB_KEEP_BYTES (8u << 20) /* of one connection */

struct db_kept {
    uint8_t key[CRYPTO_HASH_BYTES];
    PGresult *result; /* NULL: a free slot */
    size_t bytes;
    uint64_t used_at; /* a count of lookups */
};

/* Zeroed: empty. */
struct db_keep {
    struct db_kept slots[DB_KEEP_SLOTS];
    size_t bytes;
    uint64_t clock;
};

/* What an answer is found by; false: it is not to be kept (no stamp, or a broken argument). */
bool db_keep_key(const struct db_ask *ask, uint8_t key[CRYPTO_HASH_BYTES]);

/* The answer, which stays ours and is there until the operation that asks has ended; NULL: none. */
PGresult *db_keep_find(struct db_keep *keep, const uint8_t key[CRYPTO_HASH_BYTES]);

/* Keeps a copy of an answer; those that were not asked for the longest make room. What they leave
 * is freed with `arena`, which must be that of all the operation: their rows may be read yet. */
void db_keep_put(struct db_keep *keep, struct arena *arena, const uint8_t key[CRYPTO_HASH_BYTES],
                 const PGresult *result);

/* Frees all of it. */
void db_keep_clear(struct db_keep *keep);

#endif
