/* zlib over an arena: its state is released with the operation, so no path can leak it, and
 * its output stops one byte beyond the cap, whatever the compressed bytes promise. Called by
 * coding.c, and by ingest formats whose body is compressed by their own convention. */
#include "http/inflate.h"

#include "base/buf.h"
#include "http/unpack.h"

#define ZLIB_CONST
#include <zlib.h>

#define STEP_BYTES (64u << 10) /* output asked for at a time */

static voidpf zlib_alloc(voidpf opaque, uInt items, uInt size)
{
    return arena_array(opaque, items, size);
}

static void zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque; /* the arena's reset releases it */
    (void)block;
}

/* RFC 1950's header: compression method 8 and a checksum over the first two bytes. */
static bool has_zlib_header(struct str in)
{
    if (in.len < 2) {
        return false;
    }
    unsigned first = (unsigned char)in.ptr[0];
    unsigned second = (unsigned char)in.ptr[1];
    return (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
}

static int window_bits(struct str in, enum inflate_format format)
{
    if (format == INFLATE_GZIP) {
        return 15 + 16;
    }
    return has_zlib_header(in) ? 15 : -15;
}

static enum err fail_damaged(struct op *op)
{
    return fail(op, ERR_MALFORMED, "The compressed body is damaged or cut short.");
}

/* One call of inflate with room for some more output, or for the one byte too many. */
static int inflate_step(z_stream *stream, struct buf *out, bool *is_over)
{
    char spill = 0;
    size_t room = out->cap - out->len < STEP_BYTES ? out->cap - out->len : STEP_BYTES;
    char *at = room > 0 ? buf_reserve(out, room) : &spill;

    if (!at) {
        return Z_MEM_ERROR;
    }
    stream->next_out = (Bytef *)at;
    stream->avail_out = room > 0 ? (uInt)room : 1;
    uInt before = stream->avail_out;
    int status = inflate(stream, Z_NO_FLUSH);
    uInt written = before - stream->avail_out;
    if (room == 0) {
        *is_over = written > 0;
    } else {
        out->len += written;
    }
    return status;
}

static enum err inflate_all(struct op *op, z_stream *stream, enum inflate_format format, size_t cap,
                            struct buf *out)
{
    bool is_over = false;

    for (;;) {
        int status = inflate_step(stream, out, &is_over);
        if (is_over) {
            return http_fail_over(op, cap);
        }
        if (status == Z_MEM_ERROR) {
            return fail_memory(op);
        }
        if (status == Z_STREAM_END) {
            if (stream->avail_in == 0) {
                return OK;
            }
            if (format != INFLATE_GZIP || inflateReset(stream) != Z_OK) {
                return fail(op, ERR_MALFORMED,
                            "The compressed body is followed by something else.");
            }
            continue; /* a further gzip member; anything else fails at its header */
        }
        if (status != Z_OK) {
            return fail_damaged(op); /* Z_BUF_ERROR: more input was needed */
        }
    }
}

enum err http_inflate(struct op *op, struct str in, enum inflate_format format, size_t cap,
                      struct str *out)
{
    z_stream stream = { .zalloc = zlib_alloc, .zfree = zlib_free, .opaque = op->arena };
    struct buf inflated;

    *out = (struct str){ NULL, 0 };
    if (in.len == 0 || in.len > UINT32_MAX) {
        return fail_damaged(op);
    }
    if (inflateInit2(&stream, window_bits(in, format)) != Z_OK) {
        return fail_memory(op);
    }
    stream.next_in = (const Bytef *)in.ptr;
    stream.avail_in = (uInt)in.len;
    buf_init(&inflated, op->arena, http_unpack_cap(op, cap));
    enum err err = inflate_all(op, &stream, format, cap, &inflated);
    if (err != OK) {
        return err;
    }
    *out = buf_str(&inflated);
    return OK;
}
