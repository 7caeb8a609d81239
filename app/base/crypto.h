/* Randomness, hashes and passwords, by libsodium. Nothing of our own. */
#ifndef TIDEMARK_BASE_CRYPTO_H
#define TIDEMARK_BASE_CRYPTO_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_HASH_BYTES 32
#define CRYPTO_HEX_SIZE (CRYPTO_HASH_BYTES * 2 + 1)
#define CRYPTO_PASSWORD_SIZE 128 /* an argon2id string with its NUL */

/* Must be called once before anything else. False when libsodium cannot start. */
bool crypto_open(void);

/* Fills `out` with bytes that nobody can foretell. */
void crypto_random(void *out, size_t len);

/* SHA-256, for tokens (they carry 160 random bits or more) and content. */
void crypto_sha256(struct str bytes, uint8_t out[CRYPTO_HASH_BYTES]);

/* Keyed BLAKE2b of `out_len` (16 to 64) bytes; the key has at most 64 and may be empty. */
void crypto_blake2b(struct str bytes, struct str key, uint8_t *out, size_t out_len);

/* Comparison in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* argon2id, 2 passes over 64 MiB (about 70 ms). `out` gets the encoded string.
 * False when the memory is not to be had. */
bool crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_SIZE]);
/* True when the password fits the encoded string; takes as long for a wrong one. */
bool crypto_password_verify(struct str password, const char *encoded);

/* Lower-case hexadecimal with NUL; out holds 2 * len + 1. */
void crypto_hex(const void *bytes, size_t len, char *out);

/* base64url without padding (RFC 4648 section 5). Sizes with the NUL. */
#define CRYPTO_BASE64URL_SIZE(len) (((len)*4 + 2) / 3 + 1)
void crypto_base64url(const void *bytes, size_t len, char *out);
/* False on characters outside the alphabet or a result over `cap` bytes. */
bool crypto_base64url_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len);
/* Standard base64 with or without padding (Basic authentication). */
bool crypto_base64_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len);

#endif
