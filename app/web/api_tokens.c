/* /v1/tokens: a tenant's admins make, rotate and revoke what machines come in with. A secret is
 * in one answer only, that of the request that made it. */
#include "web/api_access.h"

#include "base/clock.h"
#include "domain/device.h"
#include "domain/tokens.h"
#include "web/body.h"
#include "web/by_id.h"
#include "web/new_secret.h"

static const char NO_TOKEN[] = "There is no such token.";

static const char *const KINDS[] = { "device", "api", "admin" };
enum { KIND_DEVICE, KIND_API, KIND_ADMIN, N_KINDS };

static const char *const COLUMNS[] = {
    "id",        "kind",       "device",    "name",       "prefix",     "backfill",
    "encrypted", "created_at", "last_used", "expires_at", "revoked_at", "old_until",
    "token",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

/* `secret`: of the answer that shows it; else the item has no such member. */
static void write_token(struct list_writer *list, const struct token_item *token,
                        const char *secret)
{
    list_item(list);
    list_int(list, token->id);
    list_text(list, token->kind);
    list_text(list, token->device);
    list_text(list, token->name);
    list_text(list, token->prefix);
    list_bool(list, token->is_backfill);
    list_bool(list, token->is_encrypted);
    by_id_time(list, token->created_us);
    by_id_time(list, token->last_used_us);
    by_id_time(list, token->expires_us);
    by_id_time(list, token->revoked_us);
    by_id_time(list, token->old_until_us);
    if (secret) {
        list_text(list, secret);
    }
    list_end_item(list);
}

enum err api_tokens_list(struct web *web)
{
    int limit = 0;
    int64_t before = 0;
    struct token_items tokens;
    struct list_writer list;
    enum err err = by_id_span(web, CURSOR_TOKENS, &limit, &before);

    if (err == OK) {
        err = tokens_list(web->tx, before, true, limit + 1, &tokens);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS - 1);
    }
    if (err != OK) {
        return err;
    }
    int n = tokens.n > limit ? limit : tokens.n;
    for (int i = 0; i < n; i++) {
        write_token(&list, &tokens.items[i], NULL);
    }
    return by_id_end(&list, CURSOR_TOKENS, tokens.n > limit ? tokens.items[n - 1].id : 0);
}

static enum err show(struct web *web, int64_t id, const char *secret)
{
    struct token_item token;
    struct list_writer item;
    enum err err = tokens_find(web->tx, id, &token);

    if (err == OK) {
        list_single(&item, web, COLUMNS, N_COLUMNS);
        write_token(&item, &token, secret);
    }
    return err;
}

enum err api_tokens_show(struct web *web)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_TOKEN, &id);

    return err == OK ? show(web, id, NULL) : err;
}

/* name, expires_at and backfill, over what the token has; adding and changing share them. */
static void read_common(struct web *web, struct body *body, struct token_item *token)
{
    struct str name = body_text(body, "name", 0, TOKENS_MAX_NAME_BYTES);

    if (name.ptr) {
        token->name = arena_copy(web->op->arena, name);
    }
    if (body_is_null(body, "expires_at")) {
        token->expires_us = TOKENS_NEVER;
    } else if (body_has(body, "expires_at")) {
        token->expires_us = body_time(body, "expires_at", INT64_MAX);
        if (token->expires_us <= clock_now_us()) {
            body_refuse(body, "expires_at", "must be ahead");
        }
    }
    token->is_backfill = body_bool(body, "backfill", token->is_backfill);
    if (token->is_backfill && token->kind && strcmp(token->kind, "api") == 0) {
        body_refuse(body, "backfill", "is for tokens that may ingest");
    }
}

/* The device to bind the token to. */
static enum err read_device(struct web *web, struct body *body, struct token_item *token)
{
    struct device device;

    if (body_is_null(body, "device")) {
        return OK;
    }
    struct str key = body_text(body, "device", 1, MAX_NAME_BYTES);
    if (!key.ptr) {
        return OK;
    }
    if (token->kind && strcmp(token->kind, "device") != 0) {
        body_refuse(body, "device", "is for device tokens");
        return OK;
    }
    enum err err = device_find(web->tx, key, &device);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        body_refuse(body, "device", "is no device of this tenant");
        return OK;
    }
    token->device = arena_copy(web->op->arena, key);
    return err;
}

static enum err read_new(struct web *web, struct token_item *token)
{
    struct body body;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    body_require(&body, "kind");
    int kind = body_choice(&body, "kind", KINDS, N_KINDS);
    token->kind = kind >= 0 ? KINDS[kind] : NULL;
    token->is_encrypted = body_bool(&body, "encrypted", false);
    if (token->is_encrypted && kind != KIND_DEVICE) {
        body_refuse(&body, "encrypted", "is for device tokens");
    }
    read_common(web, &body, token);
    err = read_device(web, &body, token);
    return err == OK ? body_finish(&body) : err;
}

enum err api_tokens_add(struct web *web)
{
    struct token_item token = { .name = "", .expires_us = TOKENS_NEVER };
    struct new_secret secret;
    int64_t id = 0;
    enum err err = read_new(web, &token);

    if (err != OK) {
        return err;
    }
    new_secret_make(&secret, token.is_encrypted);
    token.prefix = secret.prefix;
    err = tokens_add(web->tx, &token, secret.hash, &id);
    if (err == OK) {
        err = new_secret_keep(web, &secret, id);
    }
    if (err == OK) {
        err = by_id_created(web, "/v1/tokens/", id);
    }
    return err == OK ? show(web, id, secret.text) : err;
}

enum err api_tokens_change(struct web *web)
{
    struct token_item token;
    struct body body;
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_TOKEN, &id);

    if (err == OK) {
        err = tokens_find(web->tx, id, &token);
    }
    if (err == OK) {
        err = body_read(web, &body);
    }
    if (err != OK) {
        return err;
    }
    read_common(web, &body, &token);
    err = body_finish(&body);
    if (err == OK) {
        err = tokens_change(web->tx, &token);
    }
    return err == OK ? show(web, id, NULL) : err;
}

enum err api_tokens_revoke(struct web *web)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_TOKEN, &id);

    if (err == OK) {
        err = tokens_revoke(web->tx, id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

/* `grace_hours`; without a body none. */
static enum err read_grace(struct web *web, int *hours)
{
    struct body body;

    *hours = 0;
    if (web->request->content_length <= 0 && web->request->content_type.len == 0) {
        return OK;
    }
    enum err err = body_read(web, &body);
    if (err != OK) {
        return err;
    }
    *hours = (int)body_int(&body, "grace_hours", 0, TOKENS_MAX_GRACE_HOURS, 0);
    return body_finish(&body);
}

enum err api_tokens_rotate(struct web *web)
{
    struct new_secret secret;
    struct token_item token;
    int64_t id = 0;
    int hours = 0;
    enum err err = by_id_capture(web, NO_TOKEN, &id);

    if (err == OK) {
        err = read_grace(web, &hours);
    }
    if (err == OK) {
        err = tokens_find(web->tx, id, &token);
    }
    if (err != OK) {
        return err;
    }
    new_secret_make(&secret, token.is_encrypted);
    err = tokens_rotate(web->tx, id, secret.hash, secret.prefix, hours);
    if (err == OK) {
        err = new_secret_keep(web, &secret, id);
    }
    return err == OK ? show(web, id, secret.text) : err;
}
