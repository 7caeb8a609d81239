/* Tokens: how they are made and hashed, and whose they are. A per-process cache keeps answers
 * for TOKEN_CACHE_AGE_MS, so a revoked token stops everywhere within that. */
#ifndef TIDEMARK_AUTH_TOKEN_H
#define TIDEMARK_AUTH_TOKEN_H

#include "auth/identity.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/op.h"

struct db_tx;

#define TOKEN_PREFIX "tmk_"
#define TOKEN_SIZE (sizeof TOKEN_PREFIX - 1 + CRYPTO_BASE64URL_SIZE(TOKEN_RANDOM_BYTES))
#define TOKEN_HEX_BYTES 16 /* random ones of token_make_hex */
#define TOKEN_SHOWN_BYTES 10 /* of a token, kept in clear to tell tokens apart in lists */

/* A new token with its NUL. */
void token_make(char out[TOKEN_SIZE]);

/* The same of hexadecimal digits alone, 128 random bits, for devices that know only the keys of
 * emoncms (IoTaWatt sends nothing else). */
void token_make_hex(char out[TOKEN_SIZE]);

/* The token of those digits, with its NUL; and of such a token the bytes. False for one that has
 * other digits or more. */
void token_of_key(const uint8_t key[TOKEN_HEX_BYTES], char out[TOKEN_SIZE]);
bool token_key(struct str token, uint8_t out[TOKEN_HEX_BYTES]) MUST_CHECK;

/* What is stored of a token. */
void token_hash(struct str token, uint8_t out[CRYPTO_HASH_BYTES]);

/* False for text that no token can be: it need not be looked up. */
bool token_is_plausible(struct str text);

/* ---- cache; safe from several threads ---- */

struct token_cache;

/* A cache of `capacity` answers (a power of two). NULL without memory. Release with
 * token_cache_free. */
struct token_cache *token_cache_new(size_t capacity);
void token_cache_free(struct token_cache *cache);

/* The remembered answer for a hash, its texts copied into the op's arena. False when there is
 * none, or it is too old. */
bool token_cache_find(struct token_cache *cache, struct op *op,
                      const uint8_t hash[CRYPTO_HASH_BYTES], struct identity *out);

/* ---- asking the database ---- */

/* Resolves a token's hash and remembers a good answer. `who->kind` is IDENTITY_NONE for a token
 * that is none; such answers are not remembered. Notes the token's use about once a minute,
 * when the transaction may write. */
enum err token_resolve(struct token_cache *cache, struct db_tx *tx,
                       const uint8_t hash[CRYPTO_HASH_BYTES], struct identity *who) MUST_CHECK;

#endif
