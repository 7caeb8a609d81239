/* /v1/uploads: files are sent by a form, or alone by PUT; listed and removed. */
#include "transfer/transfer.h"

#include "http/multipart_stream.h"
#include "transfer/parts.h"
#include "transfer/receive.h"
#include "web/list.h"

/* ---- alone ---- */

enum err transfer_uploads_put(struct web *web)
{
    struct receiving file = { .put = NULL };
    int64_t n;

    if (http_header(web->request, "Content-Range").len > 0) {
        return parts_put(web);
    }
    enum err err = receive_draft(web, &file.draft);
    if (err == OK) {
        err = receive_name(web, http_capture(web->request, "name"), web->request->content_type,
                           &file.draft);
    }
    if (err != OK) {
        return err;
    }
    file.draft.length = web->request->content_length;
    err = receive_begin(web, &file);
    if (err == OK) {
        err = receive_body(web, file.put, file.most, &n);
    }
    if (err == OK) {
        err = receive_end(web, &file);
    }
    err = receive_settle(web, &file, 1, err);
    return err == OK ? receive_answer(web, &file) : err;
}

/* ---- by a form ---- */

#define MAX_FIELD_SPACE_BYTES 64 /* around a field's text */

/* What stands behind the last slash: some browsers send a path. */
static struct str base_name(struct str name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\') {
            return (struct str){ name.ptr + i, name.len - i };
        }
    }
    return name;
}

static enum err take_part(struct web *web, struct multipart_stream *form,
                          const struct multipart_head *head, struct receiving *file)
{
    struct str piece;
    enum err err = receive_name(web, base_name(head->file_name), head->type, &file->draft);

    if (err == OK) {
        err = receive_begin(web, file);
    }
    while (err == OK) {
        err = multipart_read(form, &piece);
        if (err != OK || piece.len == 0) {
            break;
        }
        err = receive_bytes(web, file, piece);
    }
    return err == OK ? receive_end(web, file) : err;
}

/* A field of the form that is no file: `device` and `event` say whose the files after it are. */
static enum err take_field(struct web *web, struct multipart_stream *form,
                           const struct multipart_head *head, struct upload_draft *draft)
{
    const bool is_event = str_equal(head->name, STR("event"));
    struct str text;

    if (!is_event && !str_equal(head->name, STR("device"))) {
        return OK;
    }
    enum err err = multipart_read_text(form, MAX_NAME_BYTES + MAX_FIELD_SPACE_BYTES, &text);
    if (err != OK) {
        return err;
    }
    text = str_trim(text);
    if (text.len == 0) {
        return OK;
    }
    if (is_event) {
        return web_event_id(web, text, &draft->event);
    }
    if (text.len > MAX_NAME_BYTES || !str_is_utf8(text)) {
        return fail(web->op, ERR_INVALID, "device: is no key of a device");
    }
    if (web->who->device_key && !str_equal(text, str_of(web->who->device_key))) {
        return fail(web->op, ERR_FORBIDDEN, "This token is of another device.");
    }
    draft->device = arena_copy(web->op->arena, text);
    return draft->device ? OK : fail_memory(web->op);
}

/* Files of the form, those with a name; a field where nothing was chosen is passed over. */
static enum err take_files(struct web *web, struct multipart_stream *form,
                           struct upload_draft *draft, struct receiving *files, int *n)
{
    for (;;) {
        struct multipart_head head;
        bool is_there;
        enum err err = multipart_next(form, &head, &is_there);
        if (err != OK || !is_there) {
            return err;
        }
        if (!head.file_name.ptr) {
            err = take_field(web, form, &head, draft);
            if (err != OK) {
                return err;
            }
            continue;
        }
        if (head.file_name.len == 0) {
            continue;
        }
        if (*n == RECEIVE_MAX_FILES) {
            return fail(web->op, ERR_TOO_LARGE, "A form may have at most %d files.",
                        RECEIVE_MAX_FILES);
        }
        files[*n] = (struct receiving){ .draft = *draft };
        err = take_part(web, form, &head, &files[(*n)++]);
        if (err != OK) {
            return err;
        }
    }
}

enum err receive_form(struct web *web, struct multipart_stream *form, struct receiving *files,
                      int *out_n)
{
    struct upload_draft draft;
    enum err err = receive_draft(web, &draft);

    *out_n = 0;
    if (err != OK) {
        return err;
    }
    err = take_files(web, form, &draft, files, out_n);
    if (err == OK && *out_n == 0) {
        err = fail(web->op, ERR_INVALID, "The form has no file.");
    }
    if (err == OK && web->request->content_length >= 0 &&
        form->received != web->request->content_length) {
        err = fail(web->op, ERR_MALFORMED, "The body was cut short.");
    }
    return receive_settle(web, files, *out_n, err);
}

static enum err answer_files(struct web *web, const struct receiving *files, int n)
{
    static const char *const COLUMNS[] = { "id", "name", "size", "sha256" };
    struct list_writer list;
    char hex[CRYPTO_HEX_SIZE];
    enum err err = list_begin(&list, web, COLUMNS, 4);

    if (err != OK) {
        return err;
    }
    for (int i = 0; i < n; i++) {
        crypto_hex(files[i].written.sha256, sizeof files[i].written.sha256, hex);
        list_item(&list);
        list_text(&list, files[i].begun.id);
        list_text(&list, files[i].draft.name);
        list_int(&list, files[i].written.size);
        list_text(&list, hex);
        list_end_item(&list);
    }
    web->response->status = 201;
    return list_end(&list, CURSOR_UPLOADS, NULL);
}

enum err transfer_uploads_post(struct web *web)
{
    struct receiving *files = arena_array(web->op->arena, RECEIVE_MAX_FILES, sizeof *files);
    struct multipart_stream form;
    int n;

    if (!str_equal(web->request->content_type, STR("multipart/form-data"))) {
        return fail(web->op, ERR_MEDIA_TYPE,
                    "Files are sent here as multipart/form-data; PUT /v1/uploads/{name} takes one "
                    "as it is.");
    }
    enum err err = files ? multipart_open(&form, web->request) : fail_memory(web->op);
    if (err == OK) {
        err = receive_form(web, &form, files, &n);
    }
    if (err != OK) {
        return err;
    }
    return n == 1 ? receive_answer(web, &files[0]) : answer_files(web, files, n);
}

/* ---- listing and removing ---- */

static const char *const COLUMNS[] = { "id",     "name",    "type",   "size",     "sha256",
                                       "device", "event", "made_by", "stored_at" };
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static enum err read_filter(struct web *web, struct upload_filter *filter)
{
    bool is_found = false;
    struct cursor cursor;
    enum err err = web_query_cursor(web, CURSOR_UPLOADS, &is_found, &cursor);

    *filter = (struct upload_filter){ .before_us = INT64_MAX,
                                      .device = web_query_text(web, "device") };
    if (err == OK && is_found) {
        filter->before_us = cursor.time_us;
        filter->before_id = arena_copy(web->op->arena, cursor.key);
    }
    return err == OK ? web_query_event(web, &filter->event) : err;
}

enum err transfer_uploads_list(struct web *web)
{
    struct upload_filter filter;
    struct upload_list uploads;
    struct list_writer list;
    int limit = 0;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = read_filter(web, &filter);
    }
    if (err == OK) {
        err = upload_list(web->tx, &filter, limit + 1, &uploads);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = uploads.n > limit ? limit : uploads.n;
    for (int i = 0; i < n; i++) {
        const struct upload *upload = &uploads.items[i];
        list_item(&list);
        list_text(&list, upload->id);
        list_text(&list, upload->name);
        list_text(&list, upload->type);
        list_int(&list, upload->size);
        list_text(&list, upload->sha256);
        list_text(&list, upload->device);
        list_text(&list, upload->event);
        list_text(&list, upload->made_by);
        list_time(&list, upload->stored_us);
        list_end_item(&list);
    }
    struct cursor last = { 0 };
    if (uploads.n > limit) {
        last = (struct cursor){ uploads.items[n - 1].stored_us, str_of(uploads.items[n - 1].id) };
    }
    return list_end(&list, CURSOR_UPLOADS, uploads.n > limit ? &last : NULL);
}

enum err transfer_uploads_remove(struct web *web)
{
    const char *id;
    enum err err = receive_id(web, &id);

    if (err == OK) {
        err = upload_remove(web->tx, id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}
