/* Tenants, persons and tokens as operators manage them. Over the operator role's connection; the
 * functions in the database leave the audit trail. Texts that come out live in the operation's
 * arena; times are in µs, ACCOUNT_NEVER where there is none. */
#ifndef TIDEMARK_DOMAIN_ACCOUNT_H
#define TIDEMARK_DOMAIN_ACCOUNT_H

#include "base/err.h"
#include "domain/credential.h"
#include "domain/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;
struct op;

#define ACCOUNT_NEVER INT64_MIN

/* ---- tenants ---- */

struct tenant_record {
    const char *slug, *name, *timezone, *currency, *status;
    int64_t created_us, devices;
    struct tenant_limits limits; /* its own, and what it stored today: of domain/operator alone */
    int64_t rows_today;
};

/* Refuses (ERR_INVALID, with what is allowed) a slug or a currency of another form. */
enum err account_check_slug(struct op *op, const char *slug) MUST_CHECK;
enum err account_check_currency(struct op *op, const char *currency) MUST_CHECK;

/* NULLs take the defaults: the slug, UTC, USD. ERR_INVALID for a zone that PostgreSQL does not
 * know, ERR_CONFLICT for a slug that is taken. */
enum err account_tenant_add(struct db_tx *tx, const char *slug, const char *name, const char *zone,
                            const char *currency) MUST_CHECK;
enum err account_tenant_list(struct db_tx *tx, const struct tenant_record **out, int *n) MUST_CHECK;
/* Erases all of the tenant; `counts` gets a JSON object of rows by table. */
enum err account_tenant_remove(struct db_tx *tx, const char *slug, const char **counts) MUST_CHECK;

/* ---- persons ---- */

struct person_record {
    const char *email, *name, *operator_role, *memberships; /* "slug:role, slug:role" */
    int64_t created_us;
};

enum err account_person_exists(struct db_tx *tx, const char *email, bool *is_there) MUST_CHECK;
/* Makes the person; one that exists keeps name and password. `operator_role` may be NULL. */
enum err account_person_add(struct db_tx *tx, const char *email, const char *name,
                            const char *password_hash, const char *operator_role) MUST_CHECK;
enum err account_membership_add(struct db_tx *tx, const char *email, const char *tenant_slug,
                                const char *role) MUST_CHECK;
/* Ends the person's sessions too. ERR_NOT_FOUND where nobody has the e-mail. */
enum err account_set_password(struct db_tx *tx, const char *email,
                              const char *password_hash) MUST_CHECK;
/* Erases the person wherever a member; `counts` gets a JSON object of rows by table. ERR_CONFLICT
 * for whoever alone may change the installation. */
enum err account_person_erase(struct db_tx *tx, const char *email, const char **counts) MUST_CHECK;
/* Of one tenant, or (NULL) all. */
enum err account_person_list(struct db_tx *tx, const char *tenant_slug,
                             const struct person_record **out, int *n) MUST_CHECK;

/* ---- tokens ---- */

struct new_token {
    const char *tenant_slug;
    const char *kind;       /* "device", "api", "admin" */
    const char *device_key; /* or NULL; made where it is missing */
    const char *name;       /* or NULL */
    const uint8_t *hash;    /* CRYPTO_HASH_BYTES */
    const char *prefix;     /* of the token, for lists */
    int64_t expires_us;     /* or ACCOUNT_NEVER */
    const uint8_t *key;     /* TOKEN_KEY_BYTES of a token of digits, to be kept; or NULL */
    bool is_backfill;
};

struct issued_token {
    int64_t id;
    const char *tenant, *kind, *device, *name, *prefix;
    int64_t created_us, last_used_us, expires_us, revoked_us;
    bool is_backfill;
};

enum err account_token_add(struct db_tx *tx, const struct new_token *token, int64_t *id) MUST_CHECK;
/* By id or prefix, of one tenant or (NULL) any; *n is how many were revoked now. */
enum err account_token_revoke(struct db_tx *tx, const char *tenant_slug, const char *id_or_prefix,
                              int *n) MUST_CHECK;
enum err account_token_list(struct db_tx *tx, const char *tenant_slug,
                            const struct issued_token **out, int *n) MUST_CHECK;

#endif
