/* /v1/rejects: what ingest did not take, to be looked at, replayed and removed; /v1/ingest/hours:
 * the accounts of what became of all that was received. */
#include "web/api.h"

#include "base/crypto.h"
#include "web/by_id.h"
#include "web/reject_input.h"

#define EXCERPT_BYTES 256 /* of each text in a list */
#define TEXT_BYTES (64 << 10) /* more than is kept */

static const char NO_REJECT[] = "there is no such rejected item";

static const char *const COLUMNS[] = {
    "id",     "time",       "request_id",   "token",      "device",    "convention", "index",
    "field",  "reason",     "state",        "outcome",    "attempts",  "tried_at",   "method",
    "target", "content_type", "size",       "replayable", "text",      "base64url",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static const char *const HOURS_COLUMNS[] = {
    "time",     "received", "accepted", "duplicates", "updated",
    "rejected", "replayed", "dropped",  "refused",
};
#define N_HOURS_COLUMNS ((int)(sizeof HOURS_COLUMNS / sizeof *HOURS_COLUMNS))

/* ---- output ---- */

static void write_text(struct list_writer *list, const struct reject_row *row)
{
    struct arena *arena = list->web->op->arena;
    struct str text = reject_shown_text(row);

    if (text.ptr || row->text.len == 0) {
        list_text(list, text.ptr ? arena_copy(arena, text) : "");
        list_null(list);
        return;
    }
    char *encoded = arena_alloc(arena, CRYPTO_BASE64URL_SIZE(row->text.len));
    if (encoded) {
        crypto_base64url(row->text.ptr, row->text.len, encoded);
    }
    list_null(list);
    list_text(list, encoded);
}

static void write_reject(struct list_writer *list, const struct reject_row *row)
{
    list_item(list);
    list_int(list, row->id);
    list_time(list, row->time_us);
    list_text(list, row->request_id);
    list_int(list, row->token_id);
    list_text(list, row->device);
    list_text(list, row->convention);
    if (row->item < 0) {
        list_null(list);
    } else {
        list_int(list, row->item);
    }
    list_text(list, row->field);
    list_text(list, row->reason);
    list_text(list, row->state);
    list_text(list, row->outcome);
    list_int(list, row->attempts);
    by_id_time(list, row->tried_us);
    list_text(list, row->method);
    list_text(list, row->target);
    list_text(list, row->content_type);
    list_int(list, row->size);
    list_bool(list, row->is_whole);
    write_text(list, row);
    list_end_item(list);
}

enum err api_rejects_list(struct web *web)
{
    struct reject_filter filter;
    struct reject_rows rows;
    struct list_writer list;
    int limit = 0;
    int64_t before = 0;
    enum err err = reject_input(web, &filter);

    if (err == OK) {
        err = by_id_span(web, CURSOR_REJECTS, &limit, &before);
    }
    if (err == OK) {
        err = reject_list(web->tx, &filter, before, EXCERPT_BYTES, limit + 1, &rows);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = rows.n > limit ? limit : rows.n;
    for (int i = 0; i < n; i++) {
        write_reject(&list, &rows.items[i]);
    }
    return by_id_end(&list, CURSOR_REJECTS, rows.n > limit ? rows.items[n - 1].id : 0);
}

/* The one that the address names. */
static enum err one(struct web *web, struct reject_filter *out)
{
    *out = (struct reject_filter){ .from_us = INT64_MIN, .to_us = INT64_MAX };
    return by_id_capture(web, NO_REJECT, &out->only_id);
}

enum err api_rejects_show(struct web *web)
{
    struct reject_filter filter;
    struct reject_rows rows;
    struct list_writer item;
    enum err err = one(web, &filter);

    if (err == OK) {
        err = reject_list(web->tx, &filter, 0, TEXT_BYTES, 1, &rows);
    }
    if (err == OK && rows.n == 0) {
        err = fail(web->op, ERR_NOT_FOUND, "%s", NO_REJECT);
    }
    if (err == OK) {
        list_single(&item, web, COLUMNS, N_COLUMNS);
        write_reject(&item, &rows.items[0]);
    }
    return err;
}

/* ---- replaying and removing ---- */

static enum err answer_number(struct web *web, int status, const char *name, int64_t n)
{
    struct json_writer json;

    web->response->status = status;
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, name);
    json_int(&json, n);
    json_close_object(&json);
    return OK;
}

static enum err replay(struct web *web, const struct reject_filter *filter)
{
    int64_t n = 0;
    enum err err = reject_replay(web->tx, filter, &n);

    return err == OK ? answer_number(web, 202, "pending", n) : err;
}

enum err api_rejects_replay(struct web *web)
{
    struct reject_filter filter;
    enum err err = one(web, &filter);

    return err == OK ? replay(web, &filter) : err;
}

enum err api_rejects_replay_all(struct web *web)
{
    struct reject_filter filter;
    enum err err = reject_input(web, &filter);

    return err == OK ? replay(web, &filter) : err;
}

enum err api_rejects_delete(struct web *web)
{
    struct reject_filter filter;
    int64_t n = 0;
    enum err err = one(web, &filter);

    if (err == OK) {
        err = reject_delete(web->tx, &filter, &n);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

enum err api_rejects_delete_all(struct web *web)
{
    struct reject_filter filter;
    int64_t n = 0;
    enum err err = reject_input(web, &filter);

    if (err == OK) {
        err = reject_delete(web->tx, &filter, &n);
    }
    return err == OK ? answer_number(web, 200, "deleted", n) : err;
}

/* ---- accounts ---- */

static void write_hour(struct list_writer *list, const struct ingest_hour *hour)
{
    list_item(list);
    list_time(list, hour->time_us);
    list_int(list, hour->received);
    list_int(list, hour->accepted);
    list_int(list, hour->duplicates);
    list_int(list, hour->updated);
    list_int(list, hour->rejected);
    list_int(list, hour->replayed);
    list_int(list, hour->dropped);
    list_int(list, hour->refused);
    list_end_item(list);
}

enum err api_ingest_hours(struct web *web)
{
    struct ingest_hours hours;
    struct list_writer list;
    struct cursor cursor;
    bool has_cursor = false;
    int64_t from_us = 0, to_us = 0;
    int limit = 0;
    enum err err = web_query_span(web, &from_us, &to_us);

    if (err == OK) {
        err = web_query_limit(web, &limit);
    }
    if (err == OK) {
        err = web_query_cursor(web, CURSOR_HOURS, &has_cursor, &cursor);
    }
    if (err == OK) {
        to_us = has_cursor && cursor.time_us < to_us ? cursor.time_us : to_us;
        err = ingest_hours_list(web->tx, from_us, to_us, limit + 1, &hours);
    }
    if (err == OK) {
        err = list_begin(&list, web, HOURS_COLUMNS, N_HOURS_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = hours.n > limit ? limit : hours.n;
    for (int i = 0; i < n; i++) {
        write_hour(&list, &hours.items[i]);
    }
    struct cursor last = { .time_us = n > 0 ? hours.items[n - 1].time_us : 0, .key = STR("") };
    return list_end(&list, CURSOR_HOURS, hours.n > limit ? &last : NULL);
}
