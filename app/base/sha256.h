/* SHA-256 of what comes in pieces, by OpenSSL, which uses the processor's instructions for it. What
 * lies in memory whole: crypto.h. */
#ifndef TIDEMARK_BASE_SHA256_H
#define TIDEMARK_BASE_SHA256_H

#include "base/crypto.h"
#include "base/str.h"

#include <stdbool.h>

struct sha256 {
    void *digest; /* OpenSSL's; NULL: not begun, or without memory */
};

/* At the beginning of a text. False without memory; release with sha256_close. */
bool sha256_open(struct sha256 *sha);

/* Adds the next bytes. */
void sha256_add(struct sha256 *sha, struct str bytes);

/* The digest of all that was added; the next add begins anew. False when the library failed. */
bool sha256_end(struct sha256 *sha, uint8_t out[CRYPTO_HASH_BYTES]);

/* May be called more than once, and on a zeroed one. */
void sha256_close(struct sha256 *sha);

#endif
