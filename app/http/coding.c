/* The one table of content codings, and the two that are not zlib's (http/inflate has those):
 * snappy as Prometheus sends it, which is the block format without frames, and zstd. What comes
 * out is measured against the cap before it gets memory. Called by request.c. */
#include "http/coding.h"

#include "base/buf.h"
#include "http/inflate.h"
#include "http/unpack.h"

#include <snappy-c.h>
#define ZSTD_STATIC_LINKING_ONLY /* for memory of one's own */
#include <zstd.h>

#define STEP_BYTES (128u << 10) /* zstd's largest block: output asked for at a time */

/* The window that RFC 9659 allows a body in HTTP, 8 MiB; a larger one is memory for nothing. */
#define ZSTD_WINDOW_LOG_MAX 23

static enum err fail_damaged(struct op *op)
{
    return fail(op, ERR_MALFORMED, "The compressed body is damaged or cut short.");
}

/* ---- zlib's ---- */

static enum err decode_gzip(struct op *op, struct str in, size_t cap, struct str *out)
{
    return http_inflate(op, in, INFLATE_GZIP, cap, out);
}

static enum err decode_deflate(struct op *op, struct str in, size_t cap, struct str *out)
{
    return http_inflate(op, in, INFLATE_DEFLATE, cap, out);
}

/* ---- snappy: the length stands first ---- */

static enum err decode_snappy(struct op *op, struct str in, size_t cap, struct str *out)
{
    size_t len = 0;

    *out = (struct str){ NULL, 0 };
    if (in.len == 0 || snappy_uncompressed_length(in.ptr, in.len, &len) != SNAPPY_OK) {
        return fail_damaged(op);
    }
    if (len > http_unpack_cap(op, cap)) {
        return http_fail_over(op, cap);
    }
    char *bytes = arena_alloc(op->arena, len + 1);
    if (!bytes) {
        return fail_memory(op);
    }
    if (snappy_uncompress(in.ptr, in.len, bytes, &len) != SNAPPY_OK) {
        return fail_damaged(op);
    }
    *out = (struct str){ bytes, len };
    return OK;
}

/* ---- zstd ---- */

/* Before each block of zstd's: its size, which zstd does not say again. */
union block_head {
    size_t size;
    max_align_t alignment;
};

static void *zstd_alloc(void *arena, size_t size)
{
    union block_head *head = arena_resize(arena, NULL, 0, sizeof *head + size);

    if (!head) {
        return NULL;
    }
    head->size = sizeof *head + size;
    return head + 1;
}

static void zstd_free(void *arena, void *block)
{
    if (block) {
        union block_head *head = (union block_head *)block - 1;
        arena_release(arena, head, head->size);
    }
}

/* Its memory, a window of up to 8 MiB most of all, is the arena's, which weighs it. */
static ZSTD_DCtx *new_zstd(struct op *op)
{
    ZSTD_DCtx *context =
        ZSTD_createDCtx_advanced((ZSTD_customMem){ zstd_alloc, zstd_free, op->arena });

    if (context) {
        (void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    }
    return context;
}

/* One or several frames, one after the other. */
static enum err unpack_zstd(struct op *op, ZSTD_DCtx *context, struct str in, size_t cap,
                            struct buf *out)
{
    ZSTD_inBuffer source = { in.ptr, in.len, 0 };

    for (;;) {
        char spill = 0;
        size_t room = out->cap - out->len < STEP_BYTES ? out->cap - out->len : STEP_BYTES;
        char *at = room > 0 ? buf_reserve(out, room) : &spill; /* or for the one byte too many */
        if (!at) {
            return fail_memory(op);
        }
        ZSTD_outBuffer target = { at, room > 0 ? room : 1, 0 };
        size_t status = ZSTD_decompressStream(context, &target, &source);
        if (ZSTD_isError(status)) {
            return fail_damaged(op);
        }
        if (room == 0 && target.pos > 0) {
            return http_fail_over(op, cap);
        }
        out->len += target.pos;
        if (source.pos == source.size && (status == 0 || target.pos < target.size)) {
            return status == 0 ? OK : fail_damaged(op);
        }
    }
}

static enum err decode_zstd(struct op *op, struct str in, size_t cap, struct str *out)
{
    ZSTD_DCtx *context = in.len ? new_zstd(op) : NULL;
    struct buf unpacked;

    *out = (struct str){ NULL, 0 };
    if (!context) {
        return in.len ? fail_memory(op) : fail_damaged(op);
    }
    buf_init(&unpacked, op->arena, http_unpack_cap(op, cap));
    enum err err = unpack_zstd(op, context, in, cap, &unpacked);
    (void)ZSTD_freeDCtx(context);
    if (err == OK) {
        *out = buf_str(&unpacked);
    }
    return err;
}

/* ---- the table ---- */

static const struct http_coding codings[] = {
    { "identity", NULL },
    { "", NULL },
    { "gzip", decode_gzip },
    { "x-gzip", decode_gzip },
    { "deflate", decode_deflate },
    { "snappy", decode_snappy },
    { "zstd", decode_zstd },
};

const struct http_coding *http_coding_find(struct str value)
{
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        if (str_equal_nocase(value, str_of(codings[i].name))) {
            return &codings[i];
        }
    }
    return NULL;
}
