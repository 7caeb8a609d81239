/* A person's own account, and links. Called by the handlers of /account, /invite and /reset; what
 * a secret opens is decided by the functions of the database. */
#include "domain/own.h"

#include "db/db.h"
#include "gen/queries.h"

static void args_hash(struct db_args *args, struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    db_args_init(args, db_op(tx)->arena);
    db_arg_bytes(args, hash, CRYPTO_HASH_BYTES);
}

/* ---- the account ---- */

enum err own_sessions(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                      const struct own_session **out, int *n)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    enum err err = db_run(tx, &q_own_sessions, &args, &rows);
    if (err != OK) {
        return err;
    }
    *n = db_count(rows);
    struct own_session *list = arena_array(db_op(tx)->arena, (size_t)*n + 1, sizeof *list);
    if (!list) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < *n; i++) {
        list[i] = (struct own_session){
            .created_us = db_time(rows, i, OWN_SESSIONS_CREATED_AT),
            .last_seen_us = db_time(rows, i, OWN_SESSIONS_LAST_SEEN),
            .expires_us = db_time(rows, i, OWN_SESSIONS_EXPIRES_AT),
            .tenant_name = db_text(rows, i, OWN_SESSIONS_TENANT_NAME),
            .is_this = db_bool(rows, i, OWN_SESSIONS_IS_THIS),
        };
    }
    *out = list;
    return OK;
}

enum err own_sessions_end(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    struct db_args args;

    args_hash(&args, tx, hash);
    return db_run(tx, &q_own_sessions_end, &args, NULL);
}

enum err own_name_set(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES], const char *name)
{
    struct db_args args;

    args_hash(&args, tx, hash);
    db_arg_text(&args, name);
    return db_run(tx, &q_own_name_set, &args, NULL);
}

enum err own_password_set(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                          const char *password_hash)
{
    struct db_args args;

    args_hash(&args, tx, hash);
    db_arg_text(&args, password_hash);
    return db_run(tx, &q_own_password_set, &args, NULL);
}

/* ---- links ---- */

enum err own_invite_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                         struct own_invite *out)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    enum err err = db_run(tx, &q_invite_resolve, &args, &rows);
    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "This invitation is used, withdrawn or expired.");
    }
    *out = (struct own_invite){
        .tenant_slug = db_text(rows, 0, INVITE_RESOLVE_TENANT_SLUG),
        .tenant_name = db_text(rows, 0, INVITE_RESOLVE_TENANT_NAME),
        .email = db_text(rows, 0, INVITE_RESOLVE_EMAIL),
        .role = db_text(rows, 0, INVITE_RESOLVE_ROLE),
        .made_by = db_text(rows, 0, INVITE_RESOLVE_MADE_BY),
        .expires_us = db_time(rows, 0, INVITE_RESOLVE_EXPIRES_AT),
    };
    return OK;
}

enum err own_invite_accept(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                           const char *name, const char *password_hash, int64_t *person_id)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    if (*person_id != 0) {
        db_arg_int64(&args, *person_id);
    } else {
        db_arg_null(&args);
    }
    db_arg_text(&args, name);
    db_arg_text(&args, password_hash);
    enum err err = db_run(tx, &q_invite_accept, &args, &rows);
    if (err == OK) {
        *person_id = db_int64(rows, 0, INVITE_ACCEPT_PERSON_ID);
    }
    return err;
}

enum err own_reset_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                        struct own_reset *out)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    enum err err = db_run(tx, &q_reset_resolve, &args, &rows);
    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "This link is used or expired.");
    }
    *out = (struct own_reset){
        .person_id = db_int64(rows, 0, RESET_RESOLVE_PERSON_ID),
        .email = db_text(rows, 0, RESET_RESOLVE_EMAIL),
        .tenant_name = db_text(rows, 0, RESET_RESOLVE_TENANT_NAME),
    };
    return OK;
}

enum err own_reset_use(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                       const char *password_hash)
{
    struct db_args args;

    args_hash(&args, tx, hash);
    db_arg_text(&args, password_hash);
    return db_run(tx, &q_reset_use, &args, NULL);
}
