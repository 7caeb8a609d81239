/* The persons of a tenant as its admins manage them: members, and invitations that were not used
 * yet. Texts live in the operation's arena; times are in µs. */
#ifndef TIDEMARK_DOMAIN_MEMBER_H
#define TIDEMARK_DOMAIN_MEMBER_H

#include "base/crypto.h"
#include "base/op.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define MEMBER_NEVER INT64_MIN
#define INVITE_DAYS 7 /* an invitation can be accepted */

struct member {
    int64_t id; /* of the person */
    const char *email, *name;
    const char *role; /* "viewer", "admin" */
    int64_t joined_us;
    int64_t last_seen_us; /* looking at this tenant; MEMBER_NEVER where no session tells */
    bool is_last_admin;   /* stays a member and an admin */
    bool may_reset;       /* the account is this tenant's alone: admins may reset its password */
};

struct member_list {
    struct member *items;
    int n;
};

/* At most `limit` members by id, those after `after_id` (0: from the first). */
enum err member_list(struct db_tx *tx, int64_t after_id, int limit,
                     struct member_list *out) MUST_CHECK;
/* ERR_NOT_FOUND where the tenant has no such member. */
enum err member_find(struct db_tx *tx, int64_t id, struct member *out) MUST_CHECK;
/* ERR_CONFLICT where the last admin would become a viewer. */
enum err member_change(struct db_tx *tx, int64_t id, const char *role) MUST_CHECK;
/* Ends a membership; a person who then belongs nowhere and runs nothing is erased. ERR_CONFLICT
 * for the last admin. */
enum err member_remove(struct db_tx *tx, int64_t id, bool *is_erased) MUST_CHECK;

/* Stores the hash of a link that sets a member's password, valid for a day. ERR_FORBIDDEN where
 * the account is not the tenant's alone. */
enum err member_reset_add(struct db_tx *tx, int64_t id,
                          const uint8_t hash[CRYPTO_HASH_BYTES]) MUST_CHECK;

struct invite {
    int64_t id;
    const char *email, *role;
    const char *made_by; /* e-mail, or "token 17" */
    int64_t created_us, expires_us;
};

struct invite_list {
    struct invite *items;
    int n;
};

/* Invitations that nobody has used, expired ones too; as member_list. */
enum err invite_list(struct db_tx *tx, int64_t after_id, int limit,
                     struct invite_list *out) MUST_CHECK;
enum err invite_find(struct db_tx *tx, int64_t id, struct invite *out) MUST_CHECK;
/* Whether a text can be an e-mail address, and is one of a member. */
enum err invite_check(struct db_tx *tx, const char *email, bool *is_email,
                      bool *is_member) MUST_CHECK;
/* Stores the hash of an invitation, in place of an earlier one of this e-mail. ERR_INVALID for
 * what is no e-mail, ERR_CONFLICT where its owner is a member already. */
enum err invite_add(struct db_tx *tx, const char *email, const char *role,
                    const uint8_t hash[CRYPTO_HASH_BYTES], int64_t *id) MUST_CHECK;
enum err invite_withdraw(struct db_tx *tx, int64_t id) MUST_CHECK;

#endif
