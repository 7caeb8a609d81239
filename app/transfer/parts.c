/* Files in parts. Each part is an object of its own until the last has come; then they are joined
 * into another (join.c), and nothing that is visible is written again. What begins at 0 begins a
 * file, whatever came before by its name; any later part that was there already is there, so that
 * whoever heard no answer may send it again. Where to go on is told by Range of every answer.
 * Called by uploads.c. */
#include "transfer/parts.h"

#include "http/transport.h"
#include "transfer/join.h"
#include "web/list.h"

#include <inttypes.h>

/* Of Content-Range: [first, end) of `total`. */
struct part {
    int64_t first, end, total;
    bool is_question; /* how much is there? */
};

/* Whether it begins a file. */
static bool is_beginning(const struct part *part)
{
    return !part->is_question && part->first == 0;
}

/* What goes on with the parts of one file. */
struct joining {
    struct receiving file;
    struct part part;
    int64_t received;   /* bytes that are there */
    bool is_stored;     /* all of them, and visible */
    const char *former; /* id of what came of it before, where it begins again; NULL: nothing */
};

static bool take_number(struct str text, int64_t *out)
{
    long long value;

    if (text.len == 0 || text.ptr[0] == '-' || !str_to_int64(text, &value)) {
        return false;
    }
    *out = value;
    return true;
}

/* "bytes 0-499/1234", or "bytes " with a star, and "/1234". */
static enum err read_range(struct web *web, struct part *part)
{
    struct str rest = http_header(web->request, "Content-Range");
    struct str unit = str_cut(&rest, ' ');
    struct str range = str_cut(&rest, '/');
    bool is_good = str_equal_nocase(unit, STR("bytes")) && rest.ptr &&
                   take_number(rest, &part->total) && part->total > 0;

    part->is_question = str_equal(range, STR("*"));
    if (is_good && !part->is_question) {
        struct str first = str_cut(&range, '-');
        is_good = range.ptr && take_number(first, &part->first) && take_number(range, &part->end) &&
                  part->first <= part->end && part->end < part->total;
        part->end += 1;
    }
    return is_good ? OK
                   : fail(web->op, ERR_MALFORMED,
                          "Content-Range: must be as in bytes 0-499/1234, the length known; an "
                          "empty file is sent without");
}

/* ---- answers ---- */

/* 202, and how much is there. */
static enum err answer_more(struct web *web, const struct joining *joining)
{
    static const char *const COLUMNS[] = { "name", "received", "size" };
    struct list_writer list;

    if (joining->received > 0) {
        const char *range = arena_printf(web->op->arena, "bytes=0-%" PRId64,
                                         joining->received - 1);
        if (!range || !http_add_header(web->response, "Range", range)) {
            return fail_memory(web->op);
        }
    }
    web->response->status = 202;
    list_single(&list, web, COLUMNS, 3);
    list_item(&list);
    list_text(&list, joining->file.draft.name);
    list_int(&list, joining->received);
    list_int(&list, joining->part.total);
    list_end_item(&list);
    return OK;
}

static enum err refuse_place(struct web *web, const struct joining *joining)
{
    if (joining->received > 0) {
        const char *range = arena_printf(web->op->arena, "bytes=0-%" PRId64,
                                         joining->received - 1);
        (void)(range && http_add_header(web->response, "Range", range));
    }
    return fail(web->op, ERR_CONFLICT, "Of the file %" PRId64 " bytes are there; go on with those.",
                joining->received);
}

/* What the database says of a file that was begun. */
static void take_progress(struct joining *joining, const struct upload_progress *progress)
{
    struct receiving *file = &joining->file;

    file->begun.id = progress->id;
    file->begun.key = progress->key;
    joining->received = progress->received;
    joining->is_stored = progress->is_stored;
    file->written.size = progress->received;
    memcpy(file->written.sha256, progress->sha256, sizeof progress->sha256);
}

/* After a conflict: looks how far the file has come meanwhile, and tells where to go on unless the
 * part is there. The conflict stays where there is no such file any more. */
static enum err look_again(struct web *web, struct joining *joining)
{
    struct upload_progress progress;
    bool is_found = false;
    struct fault why = web->op->fault;

    op_clear_fault(web->op);
    enum err err = web->own->begin(web, false);
    if (err == OK) {
        err = web->own->end(web, upload_find_progress(web->tx, joining->file.begun.id, &is_found,
                                                      &progress));
    }
    if (err != OK) {
        return err;
    }
    if (!is_found) {
        web->op->fault = why;
        return ERR_CONFLICT;
    }
    take_progress(joining, &progress);
    return joining->received >= joining->part.end ? OK : refuse_place(web, joining);
}

/* ---- a part ---- */

/* Drops the body of a part that is there, of the length that its Content-Range announced. */
static enum err drop_body(struct web *web, const struct part *part)
{
    return http_drain_body(web->request->transport, (size_t)(part->end - part->first))
               ? OK
               : fail(web->op, ERR_MALFORMED,
                      "The body was cut short, or is longer than Content-Range says.");
}

/* Puts the body into the part's object. */
static enum err keep_part(struct web *web, struct joining *joining, const char *key)
{
    int64_t length = joining->part.end - joining->part.first, n = 0;
    struct store_put *put = NULL;
    enum err err = store_put_begin(web->own->store, web->op, key, &put);

    if (err != OK) {
        return err;
    }
    err = receive_body(web, put, length, &n);
    if (err == OK && n != length) {
        err = fail(web->op, ERR_MALFORMED, "The body is not as long as Content-Range says.");
    }
    if (err != OK) {
        store_put_abort(put);
        return err;
    }
    return store_put_finish(put, web->op, NULL);
}

/* From the first byte to the row that says that it is there. */
static enum err fill_part(struct web *web, struct joining *joining,
                          const struct upload_part_begun *begun)
{
    enum err err = keep_part(web, joining, begun->key);

    if (err == OK) {
        err = web->own->begin(web, true);
    }
    if (err == OK) {
        err = web->own->end(web, upload_part_finish(web->tx, joining->file.begun.id, begun->id,
                                                    &joining->received));
    }
    return err;
}

/* The database knows of the object before there is one: however this ends, it is found again. */
static enum err take_part(struct web *web, struct joining *joining)
{
    const struct part *part = &joining->part;
    struct upload_part_begun begun;
    enum err err = web->own->begin(web, true);

    if (err == OK) {
        err = web->own->end(web, upload_part_begin(web->tx, joining->file.begun.id, part->first,
                                                   part->end - part->first, &begun));
    }
    if (err != OK) {
        return err;
    }
    err = fill_part(web, joining, &begun);
    if (err != OK) {
        join_abandon(web, joining->file.begun.id, &begun);
    }
    return err;
}

/* Finds what is there of the file; begun.id is NULL where nothing is, or another is to begin. */
static enum err find(struct web *web, struct joining *joining)
{
    struct upload_progress progress;
    bool is_found = false;
    enum err err = web->own->begin(web, false);

    if (err == OK) {
        err = web->own->end(web, upload_resume(web->tx, &joining->file.draft, joining->part.total,
                                               &is_found, &progress));
    }
    if (err != OK || !is_found) {
        return err;
    }
    if (is_beginning(&joining->part)) {
        joining->former = progress.is_stored ? NULL : progress.id;
    } else {
        take_progress(joining, &progress);
    }
    return OK;
}

/* What came of the same file before and did not come to its end makes room for it. */
static enum err begin(struct web *web, struct joining *joining)
{
    enum err err = web->own->begin(web, true);

    joining->file.draft.length = joining->part.total;
    if (err != OK) {
        return err;
    }
    if (joining->former) {
        err = upload_abandon(web->tx, joining->former);
    }
    if (err == OK) {
        err = upload_begin(web->tx, &joining->file.draft, &joining->file.begun);
    }
    return web->own->end(web, err);
}

/* The part at its place: taken, or there already, of another who sends the same at once, too. */
static enum err place_part(struct web *web, struct joining *joining)
{
    enum err err = OK;

    if (joining->part.end <= joining->received) {
        return drop_body(web, &joining->part);
    }
    if (joining->part.first != joining->received) {
        return refuse_place(web, joining);
    }
    err = joining->file.begun.id ? OK : begin(web, joining);
    if (err == OK) {
        err = take_part(web, joining);
        err = err == ERR_CONFLICT ? look_again(web, joining) : err;
    }
    return err;
}

/* The last part that comes makes the file, unless somebody who sent the same has done so. */
static enum err end_part(struct web *web, struct joining *joining)
{
    const int64_t total = joining->part.total;

    if (joining->is_stored || joining->received < total) {
        return OK;
    }
    enum err err = join_parts(web, &joining->file, total, &joining->received);
    joining->is_stored = err == OK;
    if (err == ERR_CONFLICT) {
        err = look_again(web, joining);
        if (err == OK && !joining->is_stored && joining->received == total) {
            return join_busy(web); /* another has taken this attempt's place */
        }
    }
    return err;
}

enum err parts_put(struct web *web)
{
    struct joining joining = { .part = { .first = 0 } };
    enum err err = read_range(web, &joining.part);

    if (err == OK) {
        err = receive_draft(web, &joining.file.draft);
    }
    if (err == OK) {
        err = receive_name(web, http_capture(web->request, "name"), web->request->content_type,
                           &joining.file.draft);
    }
    if (err == OK && joining.part.total > ((int64_t)web->config->upload_max_mib << 20)) {
        err = fail(web->op, ERR_TOO_LARGE, "The file is larger than files may be.");
    }
    joining.file.draft.is_by_parts = true;
    if (err == OK) {
        err = find(web, &joining);
    }
    if (err == OK && !joining.part.is_question) {
        err = place_part(web, &joining);
        if (err == OK) {
            err = end_part(web, &joining);
        }
    }
    if (err != OK) {
        return err;
    }
    return joining.is_stored ? receive_answer(web, &joining.file) : answer_more(web, &joining);
}
