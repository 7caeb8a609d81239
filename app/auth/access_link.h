/* Links that carry a one-time secret: an invitation, or the setting of a password. Only the
 * secret's hash is stored. */
#ifndef TIDEMARK_AUTH_ACCESS_LINK_H
#define TIDEMARK_AUTH_ACCESS_LINK_H

#include "base/crypto.h"
#include "base/str.h"

#define ACCESS_LINK_RANDOM_BYTES 24 /* 192 bits */
#define ACCESS_LINK_SIZE CRYPTO_BASE64URL_SIZE(ACCESS_LINK_RANDOM_BYTES)

/* A new secret with its NUL, and its hash. */
void access_link_make(char secret[ACCESS_LINK_SIZE], uint8_t hash[CRYPTO_HASH_BYTES]);

/* The hash of a secret that somebody shows. */
void access_link_hash(struct str secret, uint8_t hash[CRYPTO_HASH_BYTES]);

#endif
