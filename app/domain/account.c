/* Accounts at the command line: what is checked here is what deserves a better sentence than
 * the database's. Called by `tidemark tenant`, `user` and `token`. */
#include "domain/account.h"

#include "db/db.h"
#include "gen/queries.h"

#define MAX_SLUG_BYTES 63

/* ---- tenants ---- */

enum err account_check_slug(struct op *op, const char *slug)
{
    size_t len = strlen(slug);
    bool is_good = len > 0 && len <= MAX_SLUG_BYTES && slug[0] != '-' &&
                   strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;

    return is_good ? OK
                   : fail(op, ERR_INVALID,
                          "%s is no slug: lower-case letters, digits and hyphens, at most %d", slug,
                          MAX_SLUG_BYTES);
}

enum err account_check_currency(struct op *op, const char *currency)
{
    bool is_good = strlen(currency) == 3 && strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;

    return is_good ? OK
                   : fail(op, ERR_INVALID, "%s is no currency: three capital letters of ISO 4217",
                          currency);
}

enum err account_tenant_add(struct db_tx *tx, const char *slug, const char *name, const char *zone,
                            const char *currency)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, slug);
    db_arg_text(&args, name);
    db_arg_text(&args, zone);
    db_arg_text(&args, currency);
    return db_run(tx, &q_tenant_add, &args, NULL);
}

enum err account_tenant_list(struct db_tx *tx, const struct tenant_record **out, int *n)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_tenant_list, NULL, &rows);

    if (err != OK) {
        return err;
    }
    *n = db_count(rows);
    struct tenant_record *list = arena_array(db_op(tx)->arena, (size_t)*n + 1, sizeof *list);
    if (!list) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < *n; i++) {
        list[i] = (struct tenant_record){
            .slug = db_text(rows, i, TENANT_LIST_SLUG),
            .name = db_text(rows, i, TENANT_LIST_NAME),
            .timezone = db_text(rows, i, TENANT_LIST_TIMEZONE),
            .currency = db_text(rows, i, TENANT_LIST_CURRENCY),
            .status = db_text(rows, i, TENANT_LIST_STATUS),
            .created_us = db_time(rows, i, TENANT_LIST_CREATED_AT),
            .devices = db_int64(rows, i, TENANT_LIST_DEVICES),
        };
    }
    *out = list;
    return OK;
}

enum err account_tenant_remove(struct db_tx *tx, const char *slug, const char **counts)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, slug);
    enum err err = db_run(tx, &q_tenant_remove, &args, &rows);
    if (err == OK) {
        *counts = db_text(rows, 0, TENANT_REMOVE_COUNTS);
    }
    return err;
}

/* ---- persons ---- */

enum err account_person_exists(struct db_tx *tx, const char *email, bool *is_there)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    enum err err = db_run(tx, &q_person_exists, &args, &rows);
    *is_there = err == OK && db_bool(rows, 0, PERSON_EXISTS_IS_THERE);
    return err;
}

enum err account_person_add(struct db_tx *tx, const char *email, const char *name,
                            const char *password_hash, const char *operator_role)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    db_arg_text(&args, name);
    db_arg_text(&args, password_hash);
    db_arg_text(&args, operator_role);
    return db_run(tx, &q_person_add, &args, NULL);
}

enum err account_membership_add(struct db_tx *tx, const char *email, const char *tenant_slug,
                                const char *role)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    db_arg_text(&args, tenant_slug);
    db_arg_text(&args, role);
    return db_run(tx, &q_membership_add, &args, NULL);
}

enum err account_person_erase(struct db_tx *tx, const char *email, const char **counts)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    enum err err = db_run(tx, &q_person_erase, &args, &rows);
    if (err == OK) {
        *counts = db_text(rows, 0, PERSON_ERASE_COUNTS);
    }
    return err;
}

enum err account_set_password(struct db_tx *tx, const char *email, const char *password_hash)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    db_arg_text(&args, password_hash);
    enum err err = db_run(tx, &q_person_set_password, &args, &rows);
    if (err == OK && !db_bool(rows, 0, PERSON_SET_PASSWORD_IS_SET)) {
        return fail(db_op(tx), ERR_NOT_FOUND, "nobody has the e-mail %s", email);
    }
    return err;
}

enum err account_person_list(struct db_tx *tx, const char *tenant_slug,
                             const struct person_record **out, int *n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, tenant_slug);
    enum err err = db_run(tx, &q_person_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    *n = db_count(rows);
    struct person_record *list = arena_array(db_op(tx)->arena, (size_t)*n + 1, sizeof *list);
    if (!list) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < *n; i++) {
        list[i] = (struct person_record){
            .email = db_text(rows, i, PERSON_LIST_EMAIL),
            .name = db_text(rows, i, PERSON_LIST_NAME),
            .operator_role = db_text(rows, i, PERSON_LIST_OPERATOR_ROLE),
            .memberships = db_text(rows, i, PERSON_LIST_MEMBERSHIPS),
            .created_us = db_time(rows, i, PERSON_LIST_CREATED_AT),
        };
    }
    *out = list;
    return OK;
}

/* ---- tokens ---- */

enum err account_token_add(struct db_tx *tx, const struct new_token *token, int64_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, token->tenant_slug);
    db_arg_text(&args, token->kind);
    db_arg_text(&args, token->device_key);
    db_arg_text(&args, token->name);
    db_arg_bytes(&args, token->hash, CRYPTO_HASH_BYTES);
    db_arg_text(&args, token->prefix);
    if (token->expires_us == ACCOUNT_NEVER) {
        db_arg_null(&args);
    } else {
        db_arg_time(&args, token->expires_us);
    }
    db_arg_bool(&args, token->is_backfill);
    enum err err = db_run(tx, &q_token_add, &args, &rows);
    if (err == OK) {
        *id = db_int64(rows, 0, TOKEN_ADD_ID);
    }
    if (err == OK && token->key) {
        db_args_init(&args, db_op(tx)->arena);
        db_arg_int64(&args, *id);
        db_arg_bytes(&args, token->key, TOKEN_KEY_BYTES);
        err = db_run(tx, &q_token_key_set, &args, NULL);
    }
    return err;
}

enum err account_token_revoke(struct db_tx *tx, const char *tenant_slug, const char *id_or_prefix,
                              int *n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, tenant_slug);
    db_arg_text(&args, id_or_prefix);
    enum err err = db_run(tx, &q_token_revoke, &args, &rows);
    if (err == OK) {
        *n = db_int(rows, 0, TOKEN_REVOKE_REVOKED);
    }
    return err;
}

enum err account_token_list(struct db_tx *tx, const char *tenant_slug,
                            const struct issued_token **out, int *n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, tenant_slug);
    enum err err = db_run(tx, &q_token_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    *n = db_count(rows);
    struct issued_token *list = arena_array(db_op(tx)->arena, (size_t)*n + 1, sizeof *list);
    if (!list) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < *n; i++) {
        list[i] = (struct issued_token){
            .id = db_int64(rows, i, TOKEN_LIST_ID),
            .tenant = db_text(rows, i, TOKEN_LIST_TENANT),
            .kind = db_text(rows, i, TOKEN_LIST_KIND),
            .device = db_text(rows, i, TOKEN_LIST_DEVICE),
            .name = db_text(rows, i, TOKEN_LIST_NAME),
            .prefix = db_text(rows, i, TOKEN_LIST_PREFIX),
            .created_us = db_time_or(rows, i, TOKEN_LIST_CREATED_AT, ACCOUNT_NEVER),
            .last_used_us = db_time_or(rows, i, TOKEN_LIST_LAST_USED, ACCOUNT_NEVER),
            .expires_us = db_time_or(rows, i, TOKEN_LIST_EXPIRES_AT, ACCOUNT_NEVER),
            .revoked_us = db_time_or(rows, i, TOKEN_LIST_REVOKED_AT, ACCOUNT_NEVER),
            .is_backfill = db_bool(rows, i, TOKEN_LIST_IS_BACKFILL),
        };
    }
    *out = list;
    return OK;
}
