/* The way of a file from its first byte to its row. Called by the handlers of this folder. */
#include "transfer/receive.h"

#include "http/transport.h"
#include "web/list.h"

#define MIB (INT64_C(1) << 20)

/* ---- what is said of it ---- */

enum err receive_id(struct web *web, const char **out)
{
    struct str id = http_capture(web->request, "id");

    if (!web_is_uuid(id)) {
        return fail(web->op, ERR_NOT_FOUND, "There is no such file.");
    }
    *out = arena_copy(web->op->arena, id);
    return *out ? OK : fail_memory(web->op);
}

enum err receive_draft(struct web *web, struct upload_draft *out)
{
    struct str device = web_query_text(web, "device");
    const struct identity *who = web->who;

    *out = (struct upload_draft){ .length = -1,
                                  .quota = web->config->upload_quota_mib * MIB };
    if (who->device_key && device.ptr && !str_equal(device, str_of(who->device_key))) {
        return fail(web->op, ERR_FORBIDDEN, "This token is of another device.");
    }
    out->device = who->device_key ? who->device_key
                  : device.ptr    ? arena_copy(web->op->arena, device)
                                  : NULL;
    if (device.ptr && !out->device) {
        return fail_memory(web->op);
    }
    return web_query_event(web, &out->event);
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return name.len >= 1 && name.len <= UPLOAD_MAX_NAME_BYTES && str_is_utf8(name);
}

/* "type/subtype" (RFC 9110). */
static bool is_type(struct str type)
{
    int n_slashes = 0;

    for (size_t i = 0; i < type.len; i++) {
        unsigned char c = (unsigned char)type.ptr[i];
        bool is_edge = i == 0 || i + 1 == type.len;
        if (c == '/' && !is_edge) {
            n_slashes++;
        } else if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c)) {
            return false;
        }
    }
    return n_slashes == 1 && type.len <= UPLOAD_MAX_TYPE_BYTES;
}

enum err receive_name(struct web *web, struct str name, struct str type,
                      struct upload_draft *draft)
{
    if (!is_name(name)) {
        return fail(web->op, ERR_INVALID,
                    "name: must be UTF-8 of 1 to %d bytes without control characters",
                    UPLOAD_MAX_NAME_BYTES);
    }
    draft->name = arena_copy(web->op->arena, name);
    draft->type = arena_copy(web->op->arena, is_type(type) ? type
                                                           : STR("application/octet-stream"));
    return draft->name && draft->type ? OK : fail_memory(web->op);
}

/* ---- its bytes ---- */

static enum err fail_too_large(struct web *web, const struct receiving *file)
{
    return fail(web->op, ERR_TOO_LARGE, "%s",
                file->most < web->config->upload_max_mib * MIB
                    ? "The tenant's files would be more than it may have."
                    : "The file is larger than files may be.");
}

enum err receive_begin(struct web *web, struct receiving *file)
{
    file->most = web->config->upload_max_mib * MIB;
    if (file->draft.length > file->most) {
        return fail_too_large(web, file);
    }
    enum err err = web->own->begin(web, true);
    if (err != OK) {
        return err;
    }
    err = web->own->end(web, upload_begin(web->tx, &file->draft, &file->begun));
    if (err != OK) {
        file->begun.id = NULL;
        return err;
    }
    file->most = file->begun.room < file->most ? file->begun.room : file->most;
    return store_put_begin(web->own->store, web->op, file->begun.key, &file->put);
}

enum err receive_bytes(struct web *web, struct receiving *file, struct str bytes)
{
    if ((int64_t)bytes.len > file->most - file->written.size) {
        return fail_too_large(web, file);
    }
    file->written.size += (int64_t)bytes.len;
    return store_put_write(file->put, web->op, bytes);
}

enum err receive_end(struct web *web, struct receiving *file)
{
    struct store_put *put = file->put;

    file->put = NULL;
    return store_put_finish(put, web->op, &file->written);
}

enum err receive_body(struct web *web, struct store_put *put, int64_t most, int64_t *out_n)
{
    struct http_request *request = web->request;
    char *piece = arena_alloc(web->op->arena, RECEIVE_PIECE_BYTES);
    int64_t n;

    *out_n = 0;
    if (!piece) {
        return fail_memory(web->op);
    }
    while ((n = request->transport->read(request->transport, piece, RECEIVE_PIECE_BYTES)) > 0) {
        *out_n += n;
        if (*out_n > most) {
            return fail(web->op, ERR_TOO_LARGE, "The body is larger than it may be.");
        }
        enum err err = store_put_write(put, web->op, (struct str){ piece, (size_t)n });
        if (err != OK) {
            return err;
        }
    }
    if (n < 0 || (request->content_length >= 0 && *out_n != request->content_length)) {
        return fail(web->op, ERR_MALFORMED, "The body was cut short.");
    }
    return OK;
}

/* ---- its end ---- */

static enum err finish_all(struct web *web, const struct receiving *files, int n)
{
    enum err err = web->own->begin(web, true);

    if (err != OK) {
        return err;
    }
    for (int i = 0; i < n && err == OK; i++) {
        err = upload_finish(web->tx, files[i].begun.id, files[i].written.size,
                            files[i].written.sha256, files[i].draft.quota);
    }
    return web->own->end(web, err);
}

/* Forgets a file that failed, in a transaction of its own, and keeps the failure; where that fails,
 * the worker finds the row a day later. What is visible stays: a commit whose answer was lost may
 * have made it so. */
static void abandon(struct web *web, const struct receiving *file)
{
    struct fault why = web->op->fault;

    op_clear_fault(web->op);
    enum err err = web->own->begin(web, true);

    if (err == OK) {
        err = web->own->end(web, upload_abandon(web->tx, file->begun.id));
    }
    if (err != OK) {
        op_log_fault(web->op);
    }
    web->op->fault = why;
}

enum err receive_settle(struct web *web, struct receiving *files, int n, enum err err)
{
    if (err == OK) {
        err = finish_all(web, files, n);
    }
    if (err == OK) {
        return OK;
    }
    for (int i = 0; i < n; i++) {
        store_put_abort(files[i].put);
        files[i].put = NULL;
        if (files[i].begun.id) {
            abandon(web, &files[i]);
        }
    }
    return err;
}

enum err receive_answer(struct web *web, const struct receiving *file)
{
    static const char *const COLUMNS[] = { "id", "name", "size", "sha256" };
    struct list_writer list;
    char hex[CRYPTO_HEX_SIZE];
    enum err err = web_created(web, "/v1/uploads/", str_of(file->begun.id));

    if (err != OK) {
        return err;
    }
    crypto_hex(file->written.sha256, sizeof file->written.sha256, hex);
    list_single(&list, web, COLUMNS, 4);
    list_item(&list);
    list_text(&list, file->begun.id);
    list_text(&list, file->draft.name);
    list_int(&list, file->written.size);
    list_text(&list, hex);
    list_end_item(&list);
    return OK;
}
