/* A tenant's tokens as its admins manage them. Secrets never come here, only their hashes; those
 * who come in with one are domain/credential's business. Texts live in the operation's arena;
 * times are in µs, TOKENS_NEVER where there is none. */
#ifndef TIDEMARK_DOMAIN_TOKENS_H
#define TIDEMARK_DOMAIN_TOKENS_H

#include "base/op.h"
#include "domain/credential.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define TOKENS_NEVER INT64_MIN
#define TOKENS_MAX_NAME_BYTES 200
#define TOKENS_MAX_GRACE_HOURS 24 /* that a rotated token's old secret may go on working */

struct token_item {
    int64_t id;
    const char *kind;   /* "device", "api", "admin" */
    const char *device; /* the key of the one device that it is bound to, or NULL */
    const char *name, *prefix;
    bool is_backfill, is_active;
    bool is_encrypted; /* its key is kept, for what its device encrypts */
    int64_t created_us, last_used_us, expires_us, revoked_us;
    int64_t old_until_us; /* how long the secret before the last rotation works */
};

struct token_items {
    struct token_item *items;
    int n;
};

/* At most `limit` tokens, newest first, those before `before_id` (0: from the newest), with or
 * without those that are revoked or expired. */
enum err tokens_list(struct db_tx *tx, int64_t before_id, bool with_ended, int limit,
                     struct token_items *out) MUST_CHECK;

/* ERR_NOT_FOUND where the tenant has no such token. */
enum err tokens_find(struct db_tx *tx, int64_t id, struct token_item *out) MUST_CHECK;

/* Stores a new token's hash: kind, device, name, is_backfill and expires_us of `token` count, and
 * the prefix that tells it apart in lists. ERR_INVALID for a device that is not there. */
enum err tokens_add(struct db_tx *tx, const struct token_item *token,
                    const uint8_t hash[CRYPTO_HASH_BYTES], int64_t *id) MUST_CHECK;

/* Sets name, expires_us and is_backfill of the token token->id. ERR_CONFLICT where it is
 * revoked. */
enum err tokens_change(struct db_tx *tx, const struct token_item *token) MUST_CHECK;

/* A new secret in the place of the old one, which works for `grace_hours` more. ERR_CONFLICT
 * where the token is revoked or expired. */
enum err tokens_rotate(struct db_tx *tx, int64_t id, const uint8_t hash[CRYPTO_HASH_BYTES],
                       const char *prefix, int grace_hours) MUST_CHECK;

/* Keeps the key of the token's secret, which was just made; TOKEN_KEY_BYTES that stay alive.
 * ERR_INVALID where it is not that secret's. */
enum err tokens_key_set(struct db_tx *tx, int64_t id, const uint8_t *key) MUST_CHECK;

/* Ends it; one that was revoked before stays so. */
enum err tokens_revoke(struct db_tx *tx, int64_t id) MUST_CHECK;

#endif
