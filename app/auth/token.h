/* Tokens: how they are made and hashed, and whose they are. A per-process cache keeps answers
 * for TOKEN_CACHE_AGE_MS or, where it is told of changes, for long: a revoked token stops
 * everywhere within TOKEN_CACHE_AGE_MS. */
#ifndef TIDEMARK_AUTH_TOKEN_H
#define TIDEMARK_AUTH_TOKEN_H

#include "auth/identity.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/op.h"

struct db_conn;
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

/* A cache of at most `capacity` answers, half of which stay while they are used; about 136 bytes
 * each. NULL without memory. */
struct token_cache *token_cache_new(size_t capacity);
void token_cache_free(struct token_cache *cache); /* NULL is allowed */

/* The remembered answer for a hash, its texts copied into the op's arena. False when there is
 * none, or it is too old at `now_us` (monotonic). */
bool token_cache_find(struct token_cache *cache, struct op *op,
                      const uint8_t hash[CRYPTO_HASH_BYTES], int64_t now_us, struct identity *out);

/* A token that changed, or with it all tokens of a tenant. */
struct token_change {
    int32_t tenant_id;
    const uint8_t *hash; /* NULL: the tenant */
};

/* Forgets what changed, as was learned by asking from `began_us` on (monotonic): whatever was
 * committed before that is known to the cache then, since the first such call, and what was asked
 * for since holds for NAME_CACHE_LONG_MS, as long as such calls go on. */
void token_cache_hear(struct token_cache *cache, const struct token_change *changes, size_t n,
                      int64_t began_us);

/* The changes were not to be had, or not all of them, and have to be heard from the beginning:
 * what was asked for until now holds for no longer than TOKEN_CACHE_AGE_MS. */
void token_cache_lose_track(struct token_cache *cache);

/* ---- asking the database ---- */

/* Resolves a token's hash and remembers a good answer. `who->kind` is IDENTITY_NONE for a token
 * that is none; such answers are not remembered. Notes the token's use about once a minute,
 * when the transaction may write. */
enum err token_resolve(struct token_cache *cache, struct db_tx *tx,
                       const uint8_t hash[CRYPTO_HASH_BYTES], struct identity *who) MUST_CHECK;

/* Notes the uses of tokens in a cache that is told of changes, each about once a minute, on a
 * connection that has no transaction open: some thousands a call; the next one goes on with others.
 * What fails is not noted again before the token's next minute. */
enum err token_note_uses(struct token_cache *cache, struct op *op, struct db_conn *conn) MUST_CHECK;

#endif
