/* /v1/shares: a tenant's admins give read-only links of a dashboard away and withdraw them. */
#include "auth/share.h"
#include "base/clock.h"
#include "domain/share.h"
#include "web/api.h"
#include "web/body.h"
#include "web/list.h"

static const char *const share_columns[] = {
    "id", "name", "device", "created_by", "created_at", "expires_at", "revoked_at", "last_used",
};
#define N_SHARE_COLUMNS ((int)(sizeof share_columns / sizeof *share_columns))

#define SHARE_DEFAULT_DAYS 30

static void write_time(struct list_writer *list, int64_t time_us)
{
    if (time_us == SHARE_NEVER) {
        list_null(list);
    } else {
        list_time(list, time_us);
    }
}

static void write_share(struct list_writer *list, const struct share *share)
{
    list_item(list);
    list_int(list, share->id);
    list_text(list, share->name);
    list_text(list, share->device);
    list_text(list, share->created_by);
    write_time(list, share->created_us);
    write_time(list, share->expires_us);
    write_time(list, share->revoked_us);
    write_time(list, share->last_used_us);
    list_end_item(list);
}

enum err api_shares_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor = { 0 };
    struct share_list shares;
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_SHARES, &has_cursor, &cursor);
    }
    if (err == OK) {
        err = share_list(web->tx, cursor.time_us, limit + 1, &shares);
    }
    if (err == OK) {
        err = list_begin(&list, web, share_columns, N_SHARE_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = shares.n > limit ? limit : shares.n;
    for (int i = 0; i < n; i++) {
        write_share(&list, &shares.items[i]);
    }
    /* the list's order is the number, which takes the time's place */
    struct cursor last = { .time_us = n > 0 ? shares.items[n - 1].id : 0, .key = STR("") };
    return list_end(&list, CURSOR_SHARES, shares.n > limit ? &last : NULL);
}

static enum err answer_added(struct web *web, int64_t id, const char *secret)
{
    struct arena *arena = web->op->arena;
    const char *path = arena_printf(arena, "/share/%s", secret);
    const char *url = arena_printf(arena, "%s%s", web_base_url(web), path);
    const char *location = arena_printf(arena, "/v1/shares/%lld", (long long)id);
    struct json_writer json;

    if (!path || !url || !location || !http_add_header(web->response, "Location", location)) {
        return fail_memory(web->op);
    }
    web->response->status = 201;
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "id");
    json_int(&json, id);
    json_key(&json, "path");
    json_text(&json, path);
    json_key(&json, "url");
    json_text(&json, url);
    json_close_object(&json);
    return OK;
}

enum err api_shares_add(struct web *web)
{
    struct body body;
    char secret[SHARE_SECRET_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];
    int64_t id = 0;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    struct str name = body_text(&body, "name", 1, SHARE_MAX_NAME_BYTES);
    struct str device = { NULL, 0 };
    if (!body_is_null(&body, "device")) {
        device = body_text(&body, "device", 1, MAX_NAME_BYTES);
    }
    int days = (int)body_int(&body, "days", 1, SHARE_MAX_DAYS, SHARE_DEFAULT_DAYS);
    body_require(&body, "name");
    err = body_finish(&body);
    if (err != OK) {
        return err;
    }
    share_make(secret, hash);
    err = share_add(web->tx, arena_copy(web->op->arena, name),
                    device.ptr ? arena_copy(web->op->arena, device) : NULL, hash, days, &id);
    return err == OK ? answer_added(web, id, secret) : err;
}

enum err api_shares_revoke(struct web *web)
{
    long long id = 0;

    if (!str_to_int64(http_capture(web->request, "id"), &id)) {
        return fail(web->op, ERR_NOT_FOUND, "no link that still works has this number");
    }
    enum err err = share_revoke(web->tx, id);
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}
