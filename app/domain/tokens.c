/* A tenant's tokens, by api.token and the functions beside it. Called by the handlers of
 * /v1/tokens and /admin/tokens. */
#include "domain/tokens.h"

#include "db/db.h"
#include "gen/queries.h"

static void arg_id_or_null(struct db_args *args, int64_t id)
{
    if (id > 0) {
        db_arg_int64(args, id);
    } else {
        db_arg_null(args);
    }
}

static void arg_time_or_null(struct db_args *args, int64_t time_us)
{
    if (time_us == TOKENS_NEVER) {
        db_arg_null(args);
    } else {
        db_arg_time(args, time_us);
    }
}

static enum err load(struct db_tx *tx, const struct db_args *args, struct token_items *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_tokens_list, args, &rows);

    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct token_item){
            .id = db_int64(rows, i, TOKENS_LIST_ID),
            .kind = db_text(rows, i, TOKENS_LIST_KIND),
            .device = db_text(rows, i, TOKENS_LIST_DEVICE),
            .name = db_text(rows, i, TOKENS_LIST_NAME),
            .prefix = db_text(rows, i, TOKENS_LIST_PREFIX),
            .is_backfill = db_bool(rows, i, TOKENS_LIST_IS_BACKFILL),
            .is_active = db_bool(rows, i, TOKENS_LIST_IS_ACTIVE),
            .is_encrypted = db_bool(rows, i, TOKENS_LIST_IS_ENCRYPTED),
            .created_us = db_time_or(rows, i, TOKENS_LIST_CREATED_AT, TOKENS_NEVER),
            .last_used_us = db_time_or(rows, i, TOKENS_LIST_LAST_USED, TOKENS_NEVER),
            .expires_us = db_time_or(rows, i, TOKENS_LIST_EXPIRES_AT, TOKENS_NEVER),
            .revoked_us = db_time_or(rows, i, TOKENS_LIST_REVOKED_AT, TOKENS_NEVER),
            .old_until_us = db_time_or(rows, i, TOKENS_LIST_OLD_UNTIL, TOKENS_NEVER),
        };
    }
    return OK;
}

enum err tokens_list(struct db_tx *tx, int64_t before_id, bool with_ended, int limit,
                     struct token_items *out)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    arg_id_or_null(&args, before_id);
    db_arg_bool(&args, with_ended);
    db_arg_null(&args);
    db_arg_int(&args, limit);
    return load(tx, &args, out);
}

enum err tokens_find(struct db_tx *tx, int64_t id, struct token_item *out)
{
    struct db_args args;
    struct token_items found;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_null(&args);
    db_arg_bool(&args, true);
    db_arg_int64(&args, id);
    db_arg_int(&args, 1);
    enum err err = load(tx, &args, &found);
    if (err != OK) {
        return err;
    }
    if (found.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such token.");
    }
    *out = found.items[0];
    return OK;
}

enum err tokens_add(struct db_tx *tx, const struct token_item *token,
                    const uint8_t hash[CRYPTO_HASH_BYTES], int64_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, token->kind);
    db_arg_text(&args, token->device);
    db_arg_text(&args, token->name);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    db_arg_text(&args, token->prefix);
    arg_time_or_null(&args, token->expires_us);
    db_arg_bool(&args, token->is_backfill);
    enum err err = db_run(tx, &q_tokens_add, &args, &rows);
    if (err == OK) {
        *id = db_int64(rows, 0, TOKENS_ADD_ID);
    }
    return err;
}

enum err tokens_change(struct db_tx *tx, const struct token_item *token)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, token->id);
    db_arg_text(&args, token->name);
    arg_time_or_null(&args, token->expires_us);
    db_arg_bool(&args, token->is_backfill);
    return db_run(tx, &q_tokens_change, &args, NULL);
}

enum err tokens_rotate(struct db_tx *tx, int64_t id, const uint8_t hash[CRYPTO_HASH_BYTES],
                       const char *prefix, int grace_hours)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    db_arg_text(&args, prefix);
    db_arg_int(&args, grace_hours);
    return db_run(tx, &q_tokens_rotate, &args, NULL);
}

enum err tokens_key_set(struct db_tx *tx, int64_t id, const uint8_t *key)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    db_arg_bytes(&args, key, TOKEN_KEY_BYTES);
    return db_run(tx, &q_tokens_key_set, &args, NULL);
}

enum err tokens_revoke(struct db_tx *tx, int64_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    return db_run(tx, &q_tokens_revoke, &args, NULL);
}
