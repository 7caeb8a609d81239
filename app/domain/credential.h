/* What the database knows about credentials: tokens, sessions, logins. Asked by hashes only;
 * extracting, hashing and caching them is auth's business. */
#ifndef TIDEMARK_DOMAIN_CREDENTIAL_H
#define TIDEMARK_DOMAIN_CREDENTIAL_H

#include "base/crypto.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db_conn;
struct db_tx;
struct op;

/* A token that may be used now. Texts live in the operation's arena. */
struct token_record {
    int64_t token_id;
    const char *kind; /* "device", "api", "admin" */
    int32_t tenant_id;
    const char *tenant_slug, *tenant_name, *tenant_timezone, *tenant_currency;
    bool may_register;
    int32_t device_id; /* 0: not bound */
    const char *device_key;
    bool is_backfill;
    int raw_days; /* the tenant's own retention of samples; 0: the installation's */
    int64_t expires_us; /* of the secret that was shown; 0: never */
    int request_rate, token_rate, max_series; /* the tenant's own; -1: the installation's */
    int64_t rows_per_day;                     /* the same */
    int64_t adapters_version;
};

/* Whose token has this hash. *is_found is false when it is unknown, revoked, expired, or its
 * tenant is suspended: the caller cannot tell which. */
enum err credential_token_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                               struct token_record *out, bool *is_found) MUST_CHECK;

/* The keys that may have encrypted what comes in the name of a token; see auth/sealed.h. */
#define TOKEN_KEY_BYTES CRYPTO_AES_BYTES
struct token_keys {
    uint8_t keys[2][TOKEN_KEY_BYTES]; /* of the secret, and of the former one */
    int n; /* 0: the token is unknown or revoked, or its key is not kept */
};
enum err credential_token_keys(struct db_tx *tx, int64_t token_id, struct token_keys *out)
    MUST_CHECK;

/* Notes when tokens were used: `n` of them, each at its time. One that somebody changes just now is
 * left out. */
enum err credential_tokens_touch(struct db_tx *tx, const int64_t *token_ids,
                                 const int64_t *times_us, size_t n) MUST_CHECK;

/* The same in a transaction of its own, on a connection that has none open. */
enum err credential_tokens_note(struct op *op, struct db_conn *conn, const int64_t *token_ids,
                                const int64_t *times_us, size_t n) MUST_CHECK;

/* A session that may be used now. */
struct session_record {
    int64_t person_id;
    const char *email, *name;
    const char *operator_role; /* "", "operator", "operator_admin" */
    int32_t tenant_id;         /* 0: looks at none; the texts below are NULL then */
    const char *tenant_slug, *tenant_name, *tenant_timezone, *tenant_currency;
    const char *role; /* in that tenant: "viewer", "admin" or "" */
    const char *homes; /* JSON [[slug, name, role], …] where there is a choice, else NULL */
};

/* Whose session has this hash; notes that it was seen. *is_found is false when it is unknown
 * or expired. In a transaction of its own, on a connection that has none open. */
enum err credential_session_find(struct op *op, struct db_conn *conn,
                                 const uint8_t hash[CRYPTO_HASH_BYTES],
                                 struct session_record *out, bool *is_found) MUST_CHECK;

/* Turns a session to another tenant of its person; *is_switched is false where that cannot be. */
enum err credential_session_switch(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                                   const char *tenant_slug, bool *is_switched) MUST_CHECK;

/* Logs a session out; an unknown one is no failure. */
enum err credential_session_end(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES]) MUST_CHECK;

/* What a login by e-mail and password has to be checked against. */
struct login_record {
    int64_t person_id;         /* 0: nobody has this e-mail */
    const char *password_hash; /* NULL then */
    int wait_s;                /* more than 0: refuse without looking at the password */
};

/* Fills `out` for an e-mail and the address that the login comes from. */
enum err credential_login_find(struct db_tx *tx, const char *email, const char *address,
                               struct login_record *out) MUST_CHECK;
/* Counts a failure of both. */
enum err credential_login_failed(struct db_tx *tx, const char *email,
                                 const char *address) MUST_CHECK;
/* Forgets the failures and starts the session of `hash`, which ends SESSION_IDLE_DAYS unused. */
enum err credential_login_passed(struct db_tx *tx, const char *email, const char *address,
                                 int64_t person_id,
                                 const uint8_t hash[CRYPTO_HASH_BYTES]) MUST_CHECK;

#endif
