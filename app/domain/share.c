/* Links as the database keeps them. Called by auth/share, which knows their secrets, and by the
 * handlers with which a tenant's admins manage them. */
#include "domain/share.h"

#include "db/db.h"
#include "gen/queries.h"

enum err share_list(struct db_tx *tx, int64_t before_id, int limit, struct share_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    if (before_id > 0) {
        db_arg_int64(&args, before_id);
    } else {
        db_arg_null(&args);
    }
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_share_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct share){
            .id = db_int64(rows, i, SHARE_LIST_ID),
            .name = db_text(rows, i, SHARE_LIST_NAME),
            .device = db_text(rows, i, SHARE_LIST_DEVICE),
            .created_by = db_text(rows, i, SHARE_LIST_CREATED_BY),
            .created_us = db_time_or(rows, i, SHARE_LIST_CREATED_AT, SHARE_NEVER),
            .expires_us = db_time_or(rows, i, SHARE_LIST_EXPIRES_AT, SHARE_NEVER),
            .revoked_us = db_time_or(rows, i, SHARE_LIST_REVOKED_AT, SHARE_NEVER),
            .last_used_us = db_time_or(rows, i, SHARE_LIST_LAST_USED, SHARE_NEVER),
        };
    }
    return OK;
}

enum err share_add(struct db_tx *tx, const char *name, const char *device,
                   const uint8_t hash[CRYPTO_HASH_BYTES], int days, int64_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, name);
    db_arg_text(&args, device);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    db_arg_int(&args, days);
    enum err err = db_run(tx, &q_share_add, &args, &rows);
    if (err == OK) {
        *id = db_int64(rows, 0, SHARE_ADD_ID);
    }
    return err;
}

enum err share_revoke(struct db_tx *tx, int64_t id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    enum err err = db_run(tx, &q_share_revoke, &args, &rows);
    if (err != OK) {
        return err;
    }
    return db_bool(rows, 0, SHARE_REVOKE_IS_REVOKED)
               ? OK
               : fail(db_op(tx), ERR_NOT_FOUND, "no link that still works has this number");
}

enum err share_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                    struct share_record *out, bool *is_found)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    enum err err = db_run(tx, &q_share_resolve, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_found = db_count(rows) > 0;
    if (!*is_found) {
        return OK;
    }
    *out = (struct share_record){
        .id = db_int64(rows, 0, SHARE_RESOLVE_SHARE_ID),
        .tenant_id = db_int(rows, 0, SHARE_RESOLVE_TENANT_ID),
        .tenant_slug = db_text(rows, 0, SHARE_RESOLVE_TENANT_SLUG),
        .tenant_name = db_text(rows, 0, SHARE_RESOLVE_TENANT_NAME),
        .tenant_timezone = db_text(rows, 0, SHARE_RESOLVE_TENANT_TIMEZONE),
        .tenant_currency = db_text(rows, 0, SHARE_RESOLVE_TENANT_CURRENCY),
        .device = db_text(rows, 0, SHARE_RESOLVE_DEVICE_KEY),
    };
    return OK;
}
