/* What a person does to the own account, named by the session's hash, and what the holder of a
 * link may do: become a member, or set a password. Texts live in the operation's arena; times
 * are in µs. */
#ifndef TIDEMARK_DOMAIN_OWN_H
#define TIDEMARK_DOMAIN_OWN_H

#include "base/crypto.h"
#include "base/op.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define OWN_MAX_NAME_BYTES 200

struct own_session {
    int64_t created_us, last_seen_us, expires_us;
    const char *tenant_name; /* that it looks at, or NULL */
    bool is_this;
};

/* The person's sessions, this one first. */
enum err own_sessions(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                      const struct own_session **out, int *n) MUST_CHECK;
/* Ends the others. */
enum err own_sessions_end(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES]) MUST_CHECK;
enum err own_name_set(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                      const char *name) MUST_CHECK;
/* Ends the other sessions too. */
enum err own_password_set(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                          const char *password_hash) MUST_CHECK;

/* An invitation that can be accepted now. */
struct own_invite {
    const char *tenant_slug, *tenant_name;
    const char *email, *role, *made_by;
    int64_t expires_us;
};

/* ERR_NOT_FOUND where the secret's hash is that of no such link, or one that was used, withdrawn
 * or has expired. */
enum err own_invite_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                         struct own_invite *out) MUST_CHECK;
/* Accepts it for *person_id, who proved to have its e-mail, or (0) for a new person of this name
 * and password, whose id is then in *person_id. */
enum err own_invite_accept(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                           const char *name, const char *password_hash,
                           int64_t *person_id) MUST_CHECK;

/* A link that can set a password now; its errors as above. */
struct own_reset {
    int64_t person_id;
    const char *email, *tenant_name;
};
enum err own_reset_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                        struct own_reset *out) MUST_CHECK;
/* Sets the password and ends all sessions. */
enum err own_reset_use(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                       const char *password_hash) MUST_CHECK;

#endif
