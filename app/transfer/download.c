/* GET and HEAD of a file: whole, a range of it, or nothing where the client has it. Never shown as
 * a page of ours, whatever it is. What is sent whole is held against its SHA-256: of a file that
 * the store has otherwise the last bytes are never sent. */
#include "transfer/download.h"

#include "base/sha256.h"
#include "http/disposition.h"
#include "http/tag.h"
#include "transfer/range.h"
#include "transfer/receive.h"
#include "transfer/transfer.h"

#include <inttypes.h>

/* What goes out. */
struct outgoing {
    struct web *web;
    struct upload upload;
    const char *tag; /* quoted */
    enum range_kind kind;
    struct store_range range;
    struct sha256 sha; /* of what is sent, where that is all of the file */
    int64_t n_left;    /* bytes of it to come */
};

static bool add(struct outgoing *out, const char *name, const char *value)
{
    return value && http_add_header(out->web->response, name, value);
}

/* Of every answer about the file, that of 304 too. */
static bool add_facts(struct outgoing *out)
{
    return add(out, "ETag", out->tag) && add(out, "Cache-Control", "private, no-cache") &&
           add(out, "Content-Security-Policy", "sandbox; default-src 'none'");
}

static bool add_lengths(struct outgoing *out)
{
    struct arena *arena = out->web->op->arena;
    int64_t size = out->upload.size;
    const char *range = NULL;

    if (out->kind == RANGE_PART) {
        range = arena_printf(arena, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, out->range.from,
                             out->range.from + out->range.len - 1, size);
    }
    return (out->kind != RANGE_PART || add(out, "Content-Range", range)) &&
           add(out, "Content-Length", arena_printf(arena, "%" PRId64, out->range.len));
}

/* Ranges are of GET alone (RFC 9110, 14.2). If-Range lets one be only of the same file. */
static void choose_range(struct outgoing *out)
{
    const struct http_request *request = out->web->request;
    struct str if_range = http_header(request, "If-Range");
    bool is_same = if_range.len == 0 || str_equal(str_trim(if_range), str_of(out->tag));

    out->range = (struct store_range){ 0, out->upload.size };
    out->kind = RANGE_WHOLE;
    if (is_same && request->method == HTTP_GET) {
        out->kind = range_read(http_header(request, "Range"), out->upload.size, &out->range.from,
                               &out->range.len);
    }
}

static enum err answer_unchanged(struct outgoing *out)
{
    out->web->response->status = 304;
    return add_facts(out) ? OK : fail_memory(out->web->op);
}

static enum err answer_no_range(struct outgoing *out)
{
    struct op *op = out->web->op;
    const char *range = arena_printf(op->arena, "bytes */%" PRId64, out->upload.size);

    out->web->response->status = 416;
    return add_facts(out) && add(out, "Content-Range", range) ? OK : fail_memory(op);
}

/* The last bytes go out only when all of them are those that were stored. */
static enum err check_sum(struct outgoing *out)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];
    struct op *op = out->web->op;

    if (!sha256_end(&out->sha, hash)) {
        return fail_memory(op);
    }
    crypto_hex(hash, sizeof hash, hex);
    return strcmp(hex, out->upload.sha256) == 0
               ? OK
               : fail(op, ERR_INTERNAL, "%s is damaged: its SHA-256 is %s, not %s",
                      out->upload.key, hex, out->upload.sha256);
}

static enum err pass_on(void *context, struct op *op, struct str bytes)
{
    struct outgoing *out = context;
    enum err err = OK;

    (void)op; /* it is the request's own */
    if (out->sha.digest) {
        sha256_add(&out->sha, bytes);
        out->n_left -= (int64_t)bytes.len;
        err = out->n_left <= 0 ? check_sum(out) : OK;
    }
    return err == OK ? out->web->own->send(out->web, bytes) : err;
}

static enum err send_object(struct outgoing *out)
{
    struct web *web = out->web;

    out->n_left = out->upload.size;
    if (out->range.len == out->upload.size && !sha256_open(&out->sha)) {
        return fail_memory(web->op);
    }
    enum err err = store_get(web->own->store, web->op, out->upload.key, out->range, pass_on, out);
    sha256_close(&out->sha);
    return err;
}

static enum err send_file(struct outgoing *out)
{
    struct web *web = out->web;

    int n_headers = web->response->n_headers;

    web->response->status = out->kind == RANGE_PART ? 206 : 200;
    web->response->content_type = out->upload.type;
    if (!add_facts(out) || !add_lengths(out) || !add(out, "Accept-Ranges", "bytes") ||
        !add(out, "Content-Disposition",
             http_disposition(web->op->arena, out->upload.name))) {
        return fail_memory(web->op);
    }
    if (web->request->method == HTTP_HEAD || out->range.len == 0) {
        return web->own->send(web, STR(""));
    }
    enum err err = send_object(out);
    if (err != OK) {
        web->response->n_headers = n_headers; /* what was said is of no other answer */
    }
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        return fail(web->op, ERR_INTERNAL, "the store has no %s", out->upload.key);
    }
    return err;
}

enum err download_answer(struct web *web, const struct upload *file)
{
    struct outgoing out = { .web = web, .upload = *file };

    out.tag = arena_printf(web->op->arena, "\"%s\"", out.upload.sha256);
    if (!out.tag) {
        return fail_memory(web->op);
    }
    struct str if_match = http_header(web->request, "If-Match");
    if (if_match.len > 0 && !http_names_tag(if_match, out.tag, false)) {
        web->response->status = 412;
        return OK;
    }
    if (http_names_tag(http_header(web->request, "If-None-Match"), out.tag, true)) {
        return answer_unchanged(&out);
    }
    choose_range(&out);
    return out.kind == RANGE_NONE ? answer_no_range(&out) : send_file(&out);
}

enum err transfer_uploads_show(struct web *web)
{
    struct upload upload;
    const char *id;
    enum err err = receive_id(web, &id);

    if (err == OK) {
        err = web->own->begin(web, false);
    }
    if (err == OK) {
        err = web->own->end(web, upload_find(web->tx, id, &upload));
    }
    return err == OK ? download_answer(web, &upload) : err;
}
