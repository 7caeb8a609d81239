/* Randomness, hashes and passwords, by libsodium; AES, by OpenSSL. Nothing of our own. */
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

/* SipHash-2-4 of 128 bits: for tables in memory whose keys come from outside. Who does not know the
 * key can prepare no two texts of one hash. */
#define CRYPTO_SHORT_HASH_BYTES 16
#define CRYPTO_SHORT_KEY_BYTES 16
void crypto_short_hash(struct str bytes, const uint8_t key[CRYPTO_SHORT_KEY_BYTES],
                       uint8_t out[CRYPTO_SHORT_HASH_BYTES]);

/* HMAC-SHA256 (RFC 2104) with a key of any length. */
void crypto_hmac_sha256(struct str bytes, struct str key, uint8_t out[CRYPTO_HASH_BYTES]);

/* Decrypts AES-128 in CBC mode, for conventions that have it; padding is left as it is. `bytes` are
 * whole blocks, and so `out` gets as many. Proves nothing: what comes out wants a MAC. False for a
 * length that is none, or without memory. */
#define CRYPTO_AES_BYTES 16 /* of a key, a block and what a chain begins with */
bool crypto_aes128_cbc_open(const uint8_t key[CRYPTO_AES_BYTES], const uint8_t iv[CRYPTO_AES_BYTES],
                            struct str bytes, uint8_t *out);

/* Comparison in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* argon2id, 2 passes over 64 MiB (about 70 ms). `out` gets the encoded string.
 * False when the memory is not to be had. */
bool crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_SIZE]);
/* True when the password fits the encoded string; takes as long for a wrong one. */
bool crypto_password_verify(struct str password, const char *encoded);

/* Lower-case hexadecimal with NUL; out holds 2 * len + 1. */
void crypto_hex(const void *bytes, size_t len, char *out);

/* Reads 2 * len digits of either case. False for any other text. */
bool crypto_hex_decode(struct str hex, void *out, size_t len);

/* base64url without padding (RFC 4648 section 5). Sizes with the NUL. */
#define CRYPTO_BASE64URL_SIZE(len) (((len)*4 + 2) / 3 + 1)
void crypto_base64url(const void *bytes, size_t len, char *out);
/* False on characters outside the alphabet or a result over `cap` bytes. */
bool crypto_base64url_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len);
/* Standard base64 with padding. */
#define CRYPTO_BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
void crypto_base64(const void *bytes, size_t len, char *out);
/* Standard base64 with or without padding (Basic authentication). */
bool crypto_base64_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len);

#endif
