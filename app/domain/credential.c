/* The doors of the database for tokens, sessions and logins, as C functions. Decides nothing:
 * which credentials are good is said by the functions behind them. Called by auth. */
#include "domain/credential.h"

#include "base/limits.h"
#include "db/ask.h"
#include "gen/queries.h"

static void args_hash(struct db_args *args, struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    db_args_init(args, db_op(tx)->arena);
    db_arg_bytes(args, hash, CRYPTO_HASH_BYTES);
}

/* -1 for none of the tenant's own. */
static int64_t limit_at(const struct db_rows *rows, int column)
{
    return db_is_null(rows, 0, column) ? -1 : db_int64(rows, 0, column);
}

enum err credential_token_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                               struct token_record *out, bool *is_found)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    enum err err = db_run(tx, &q_token_resolve, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_found = db_count(rows) > 0;
    if (!*is_found) {
        return OK;
    }
    *out = (struct token_record){
        .token_id = db_int64(rows, 0, TOKEN_RESOLVE_TOKEN_ID),
        .kind = db_text(rows, 0, TOKEN_RESOLVE_KIND),
        .tenant_id = db_int(rows, 0, TOKEN_RESOLVE_TENANT_ID),
        .tenant_slug = db_text(rows, 0, TOKEN_RESOLVE_TENANT_SLUG),
        .tenant_name = db_text(rows, 0, TOKEN_RESOLVE_TENANT_NAME),
        .tenant_timezone = db_text(rows, 0, TOKEN_RESOLVE_TENANT_TIMEZONE),
        .tenant_currency = db_text(rows, 0, TOKEN_RESOLVE_TENANT_CURRENCY),
        .may_register = db_bool(rows, 0, TOKEN_RESOLVE_AUTO_REGISTER),
        .device_id = db_int(rows, 0, TOKEN_RESOLVE_DEVICE_ID),
        .device_key = db_text(rows, 0, TOKEN_RESOLVE_DEVICE_KEY),
        .is_backfill = db_bool(rows, 0, TOKEN_RESOLVE_IS_BACKFILL),
        .raw_days = db_int(rows, 0, TOKEN_RESOLVE_RAW_DAYS),
        .expires_us = db_time(rows, 0, TOKEN_RESOLVE_EXPIRES_AT),
        .request_rate = (int)limit_at(rows, TOKEN_RESOLVE_REQUEST_RATE),
        .token_rate = (int)limit_at(rows, TOKEN_RESOLVE_TOKEN_RATE),
        .max_series = (int)limit_at(rows, TOKEN_RESOLVE_MAX_SERIES),
        .rows_per_day = limit_at(rows, TOKEN_RESOLVE_ROWS_PER_DAY),
        .adapters_version = db_int64(rows, 0, TOKEN_RESOLVE_ADAPTERS_VERSION),
    };
    return OK;
}

enum err credential_token_keys(struct db_tx *tx, int64_t token_id, struct token_keys *out)
{
    struct db_args args;
    struct db_rows *rows;

    out->n = 0;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, token_id);
    enum err err = db_run(tx, &q_token_keys, &args, &rows);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < db_count(rows) && i < 2; i++) {
        struct str key = db_str(rows, i, TOKEN_KEYS_KEY);
        if (key.len == TOKEN_KEY_BYTES) {
            memcpy(out->keys[out->n++], key.ptr, TOKEN_KEY_BYTES);
        }
    }
    return OK;
}

static void args_uses(struct db_args *args, const int64_t *token_ids, const int64_t *times_us,
                      size_t n)
{
    db_arg_int64_array(args, token_ids, n);
    db_arg_time_array(args, times_us, n);
}

enum err credential_tokens_touch(struct db_tx *tx, const int64_t *token_ids,
                                 const int64_t *times_us, size_t n)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    args_uses(&args, token_ids, times_us, n);
    return db_run(tx, &q_token_touch, &args, NULL);
}

enum err credential_tokens_note(struct op *op, struct db_conn *conn, const int64_t *token_ids,
                                const int64_t *times_us, size_t n)
{
    struct db_ask ask;

    db_ask_init(&ask, op, &q_token_touch);
    args_uses(&ask.args, token_ids, times_us, n);
    return db_ask_alone(op, conn, &ask);
}

enum err credential_session_find(struct op *op, struct db_conn *conn,
                                 const uint8_t hash[CRYPTO_HASH_BYTES],
                                 struct session_record *out, bool *is_found)
{
    struct db_ask ask;

    db_ask_init(&ask, op, &q_session_resolve);
    db_arg_bytes(&ask.args, hash, CRYPTO_HASH_BYTES);
    enum err err = db_ask_alone(op, conn, &ask);
    if (err != OK) {
        return err;
    }
    const struct db_rows *rows = ask.rows;
    *is_found = db_count(rows) > 0;
    if (!*is_found) {
        return OK;
    }
    *out = (struct session_record){
        .person_id = db_int64(rows, 0, SESSION_RESOLVE_PERSON_ID),
        .email = db_text(rows, 0, SESSION_RESOLVE_EMAIL),
        .name = db_text(rows, 0, SESSION_RESOLVE_NAME),
        .operator_role = db_text(rows, 0, SESSION_RESOLVE_OPERATOR_ROLE),
        .tenant_id = db_int(rows, 0, SESSION_RESOLVE_TENANT_ID),
        .tenant_slug = db_text(rows, 0, SESSION_RESOLVE_TENANT_SLUG),
        .tenant_name = db_text(rows, 0, SESSION_RESOLVE_TENANT_NAME),
        .tenant_timezone = db_text(rows, 0, SESSION_RESOLVE_TENANT_TIMEZONE),
        .tenant_currency = db_text(rows, 0, SESSION_RESOLVE_TENANT_CURRENCY),
        .role = db_text(rows, 0, SESSION_RESOLVE_ROLE),
        .homes = db_text(rows, 0, SESSION_RESOLVE_HOMES),
    };
    return OK;
}

enum err credential_session_switch(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                                   const char *tenant_slug, bool *is_switched)
{
    struct db_args args;
    struct db_rows *rows;

    args_hash(&args, tx, hash);
    db_arg_text(&args, tenant_slug);
    enum err err = db_run(tx, &q_session_switch, &args, &rows);
    if (err == OK) {
        *is_switched = db_bool(rows, 0, SESSION_SWITCH_IS_SWITCHED);
    }
    return err;
}

enum err credential_session_end(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    struct db_args args;

    args_hash(&args, tx, hash);
    return db_run(tx, &q_session_end, &args, NULL);
}

static void args_login(struct db_args *args, struct db_tx *tx, const char *email,
                       const char *address)
{
    db_args_init(args, db_op(tx)->arena);
    db_arg_text(args, email);
    db_arg_text(args, address);
}

enum err credential_login_find(struct db_tx *tx, const char *email, const char *address,
                               struct login_record *out)
{
    struct db_args args;
    struct db_rows *rows;

    *out = (struct login_record){ .wait_s = 0 };
    args_login(&args, tx, email, address);
    enum err err = db_run(tx, &q_login_check, &args, &rows);
    if (err != OK || db_count(rows) == 0) {
        return err;
    }
    out->person_id = db_int64(rows, 0, LOGIN_CHECK_PERSON_ID);
    out->password_hash = db_text(rows, 0, LOGIN_CHECK_PASSWORD_HASH);
    out->wait_s = db_int(rows, 0, LOGIN_CHECK_WAIT_S);
    return OK;
}

enum err credential_login_failed(struct db_tx *tx, const char *email, const char *address)
{
    struct db_args args;

    args_login(&args, tx, email, address);
    return db_run(tx, &q_login_failed, &args, NULL);
}

enum err credential_login_passed(struct db_tx *tx, const char *email, const char *address,
                                 int64_t person_id, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    struct db_args args;

    args_login(&args, tx, email, address);
    db_arg_int64(&args, person_id);
    db_arg_bytes(&args, hash, CRYPTO_HASH_BYTES);
    db_arg_int(&args, SESSION_IDLE_DAYS);
    return db_run(tx, &q_login_passed, &args, NULL);
}
