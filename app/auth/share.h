/* The secrets of read-only links, and whom a request with one may be. */
#ifndef TIDEMARK_AUTH_SHARE_H
#define TIDEMARK_AUTH_SHARE_H

#include "auth/identity.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/str.h"

struct db_tx;

#define SHARE_RANDOM_BYTES 32
#define SHARE_SECRET_SIZE CRYPTO_BASE64URL_SIZE(SHARE_RANDOM_BYTES)

/* A new secret with its NUL, and what is stored of it. */
void share_make(char secret[SHARE_SECRET_SIZE], uint8_t hash[CRYPTO_HASH_BYTES]);

/* Who comes with this secret: a viewer of its tenant (IDENTITY_SHARE) who may see one page.
 * `who->kind` is IDENTITY_NONE when the link does not work. */
enum err share_resolve(struct db_tx *tx, struct str secret, struct identity *who) MUST_CHECK;

#endif
