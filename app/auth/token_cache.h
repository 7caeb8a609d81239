/* The writing side of the token cache, for auth/token alone. */
#ifndef TIDEMARK_AUTH_TOKEN_CACHE_H
#define TIDEMARK_AUTH_TOKEN_CACHE_H

#include "auth/token.h"

/* Remembers an answer that was asked for at `asked_us` (monotonic). True when the use of the
 * token was noted longer ago than `touch_every_us`, or never here: the caller notes it now. */
bool token_cache_put(struct token_cache *cache, const uint8_t hash[CRYPTO_HASH_BYTES],
                     const struct identity *who, int64_t asked_us, int64_t touch_every_us);

#endif
