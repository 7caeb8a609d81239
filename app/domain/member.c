/* Members and invitations of a tenant. Called by the handlers of /v1/users, /v1/invites and
 * /admin/users. */
#include "domain/member.h"

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

/* ---- members ---- */

static enum err load_members(struct db_tx *tx, int64_t only_id, int64_t after_id, int limit,
                             struct member_list *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    arg_id_or_null(&args, only_id);
    arg_id_or_null(&args, after_id);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_member_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct member){
            .id = db_int64(rows, i, MEMBER_LIST_ID),
            .email = db_text(rows, i, MEMBER_LIST_EMAIL),
            .name = db_text(rows, i, MEMBER_LIST_NAME),
            .role = db_text(rows, i, MEMBER_LIST_ROLE),
            .joined_us = db_time(rows, i, MEMBER_LIST_JOINED_AT),
            .last_seen_us = db_time_or(rows, i, MEMBER_LIST_LAST_SEEN, MEMBER_NEVER),
            .is_last_admin = db_bool(rows, i, MEMBER_LIST_IS_LAST_ADMIN),
            .may_reset = db_bool(rows, i, MEMBER_LIST_MAY_RESET),
        };
    }
    return OK;
}

enum err member_list(struct db_tx *tx, int64_t after_id, int limit, struct member_list *out)
{
    return load_members(tx, 0, after_id, limit, out);
}

enum err member_find(struct db_tx *tx, int64_t id, struct member *out)
{
    struct member_list found = { NULL, 0 };
    enum err err = id > 0 ? load_members(tx, id, 0, 1, &found) : OK;

    if (err != OK) {
        return err;
    }
    if (found.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such member.");
    }
    *out = found.items[0];
    return OK;
}

enum err member_change(struct db_tx *tx, int64_t id, const char *role)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    db_arg_text(&args, role);
    return db_run(tx, &q_member_change, &args, NULL);
}

enum err member_remove(struct db_tx *tx, int64_t id, bool *is_erased)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    enum err err = db_run(tx, &q_member_remove, &args, &rows);
    if (err == OK) {
        *is_erased = db_bool(rows, 0, MEMBER_REMOVE_IS_ERASED);
    }
    return err;
}

enum err member_reset_add(struct db_tx *tx, int64_t id, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    return db_run(tx, &q_reset_add, &args, NULL);
}

/* ---- invitations ---- */

static enum err load_invites(struct db_tx *tx, int64_t only_id, int64_t after_id, int limit,
                             struct invite_list *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    arg_id_or_null(&args, only_id);
    arg_id_or_null(&args, after_id);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_invite_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct invite){
            .id = db_int64(rows, i, INVITE_LIST_ID),
            .email = db_text(rows, i, INVITE_LIST_EMAIL),
            .role = db_text(rows, i, INVITE_LIST_ROLE),
            .made_by = db_text(rows, i, INVITE_LIST_MADE_BY),
            .created_us = db_time(rows, i, INVITE_LIST_CREATED_AT),
            .expires_us = db_time(rows, i, INVITE_LIST_EXPIRES_AT),
        };
    }
    return OK;
}

enum err invite_list(struct db_tx *tx, int64_t after_id, int limit, struct invite_list *out)
{
    return load_invites(tx, 0, after_id, limit, out);
}

enum err invite_find(struct db_tx *tx, int64_t id, struct invite *out)
{
    struct invite_list found = { NULL, 0 };
    enum err err = id > 0 ? load_invites(tx, id, 0, 1, &found) : OK;

    if (err != OK) {
        return err;
    }
    if (found.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such invitation.");
    }
    *out = found.items[0];
    return OK;
}

enum err invite_check(struct db_tx *tx, const char *email, bool *is_email, bool *is_member)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    enum err err = db_run(tx, &q_invite_check, &args, &rows);
    if (err == OK) {
        *is_email = db_bool(rows, 0, INVITE_CHECK_IS_EMAIL);
        *is_member = db_bool(rows, 0, INVITE_CHECK_IS_MEMBER);
    }
    return err;
}

enum err invite_add(struct db_tx *tx, const char *email, const char *role,
                    const uint8_t hash[CRYPTO_HASH_BYTES], int64_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, email);
    db_arg_text(&args, role);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    db_arg_int(&args, INVITE_DAYS);
    enum err err = db_run(tx, &q_invite_add, &args, &rows);
    if (err == OK) {
        *id = db_int64(rows, 0, INVITE_ADD_ID);
    }
    return err;
}

enum err invite_withdraw(struct db_tx *tx, int64_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    return db_run(tx, &q_invite_withdraw, &args, NULL);
}
