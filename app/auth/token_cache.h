/* The inside of the token cache, for auth/token alone; what others may do with it is said there. */
#ifndef TIDEMARK_AUTH_TOKEN_CACHE_H
#define TIDEMARK_AUTH_TOKEN_CACHE_H

#include "auth/token.h"

/* Seconds after which a token's use is noted again: last_used is for people who look at a list. */
#define TOKEN_NOTED_EVERY_S 60

/* Remembers an answer that was asked for at `asked_us` (monotonic). True when the caller is to note
 * the use of the token now, which was noted longer ago than TOKEN_NOTED_EVERY_S, or never here;
 * where the cache is told of changes, token_cache_take_uses tells of it. */
bool token_cache_put(struct token_cache *cache, const uint8_t hash[CRYPTO_HASH_BYTES],
                     const struct identity *who, int64_t asked_us);

/* A token that was used so many seconds ago. */
struct token_use {
    int64_t token_id;
    uint32_t ago_s;
};

/* Takes at most `max` of those whose use is to be noted again, going on where the last call ended;
 * they count as noted. Returns how many. */
size_t token_cache_take_uses(struct token_cache *cache, struct token_use *uses, size_t max);

#endif
