/* Compressed bodies: what is accepted, and what must not be. The compressed texts are made by
 * zlib's other half. */
#include "http/inflate.h"
#include "http_test.h"
#include "tap.h"

#include <stdlib.h>
#include <zlib.h>

#define CAP 1000

/* zlib's windowBits: 31 gzip, 15 zlib, -15 bare. Appends to `out`, returns the new length. */
static size_t deflate_to(char *out, size_t at, size_t size, const char *text, size_t len, int bits)
{
    z_stream stream = { .zalloc = NULL };
    (void)deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = (Bytef *)(uintptr_t)text;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)out + at;
    stream.avail_out = (uInt)(size - at);
    (void)deflate(&stream, Z_FINISH);
    size_t end = size - stream.avail_out;
    (void)deflateEnd(&stream);
    return end;
}

static enum err inflate_text(struct arena *arena, const char *in, size_t len, enum inflate_format format,
                             struct str *out)
{
    struct op op;
    arena_reset(arena);
    op_init(&op, arena, "test");
    return http_inflate(&op, (struct str){ in, len }, format, CAP, out);
}

static void test_formats(struct arena *arena)
{
    char packed[256];
    struct str out;
    size_t len = deflate_to(packed, 0, sizeof packed, "hello", 5, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), OK, "gzip inflates");
    is_view(out, "hello", "to what it was");
    is_int(inflate_text(arena, packed, len, INFLATE_DEFLATE, &out), ERR_MALFORMED, "gzip is no deflate");
    size_t first = len;
    len = deflate_to(packed, len, sizeof packed, " world", 6, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), OK, "a second gzip member is accepted");
    is_view(out, "hello world", "and continues the first");
    packed[first] = 'x';
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), ERR_MALFORMED, "other bytes behind are not");
    is_int(inflate_text(arena, packed, first + 1, INFLATE_GZIP, &out), ERR_MALFORMED, "not even one");
    is_int(inflate_text(arena, packed, first - 1, INFLATE_GZIP, &out), ERR_MALFORMED, "a cut checksum is refused");
    packed[first - 5] ^= 1;
    is_int(inflate_text(arena, packed, first, INFLATE_GZIP, &out), ERR_MALFORMED, "a wrong checksum is refused");
    is_int(inflate_text(arena, packed, 0, INFLATE_GZIP, &out), ERR_MALFORMED, "nothing is no gzip");
    is_int(inflate_text(arena, "plain text", 10, INFLATE_GZIP, &out), ERR_MALFORMED, "plain text is no gzip");
    len = deflate_to(packed, 0, sizeof packed, "hello", 5, 15);
    is_int(inflate_text(arena, packed, len, INFLATE_DEFLATE, &out), OK, "deflate with zlib's header inflates");
    is_view(out, "hello", "to what it was");
    is_int(inflate_text(arena, packed, len - 1, INFLATE_DEFLATE, &out), ERR_MALFORMED, "a cut one is refused");
    len = deflate_to(packed, 0, sizeof packed, "hello", 5, -15);
    is_int(inflate_text(arena, packed, len, INFLATE_DEFLATE, &out), OK, "bare deflate inflates");
    is_view(out, "hello", "to what it was");
    packed[len] = 0;
    is_int(inflate_text(arena, packed, len + 1, INFLATE_DEFLATE, &out), ERR_MALFORMED, "and nothing may follow");
}

static void test_caps(struct arena *arena)
{
    size_t bomb_bytes = 100u << 20;
    char *zeros = calloc(1, bomb_bytes);
    char *packed = malloc(1 << 20);
    struct str out;
    size_t len = deflate_to(packed, 0, 1 << 20, zeros, CAP, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), OK, "exactly the cap is accepted");
    is_int((int64_t)out.len, CAP, "whole");
    len = deflate_to(packed, 0, 1 << 20, zeros, CAP + 1, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), ERR_TOO_LARGE, "a byte more is not");
    len = deflate_to(packed, 0, 1 << 20, zeros, CAP, 31);
    len = deflate_to(packed, len, 1 << 20, zeros, 1, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), ERR_TOO_LARGE, "members count together");
    len = deflate_to(packed, 0, 1 << 20, zeros, bomb_bytes, 31);
    is_int(inflate_text(arena, packed, len, INFLATE_GZIP, &out), ERR_TOO_LARGE, "100 MiB in %zu bytes are refused",
           len);
    ok(arena_used(arena) < (1u << 20), "before they take memory");
    free(zeros);
    free(packed);
}

/* On a thread that others need only what comes out short is unpacked. */
static void test_hurry(struct arena *arena)
{
    static const struct {
        size_t len, cap;
        enum err err;
        bool is_long;
    } cases[] = {
        { QUICK_BODY_BYTES, 1u << 20, OK, false },
        { QUICK_BODY_BYTES + 1, 1u << 20, ERR_UNAVAILABLE, true },
        { 10u << 20, 1u << 20, ERR_UNAVAILABLE, true },
        { CAP, CAP, OK, false },
        { CAP + 1, CAP, ERR_TOO_LARGE, false },
        { QUICK_BODY_BYTES + 1, QUICK_BODY_BYTES, ERR_TOO_LARGE, false },
    };
    char *zeros = calloc(1, 10u << 20), *packed = malloc(1 << 20);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = deflate_to(packed, 0, 1 << 20, zeros, cases[i].len, 31);
        struct str out;
        struct op op;
        arena_reset(arena);
        op_init(&op, arena, "test");
        op.must_not_wait = true;
        enum err err = http_inflate(&op, (struct str){ packed, len }, INFLATE_GZIP, cases[i].cap, &out);
        is_int(err, cases[i].err, "in a hurry: %zu bytes of at most %zu", cases[i].len, cases[i].cap);
        ok(op.would_wait == cases[i].is_long && op.is_long == cases[i].is_long, "  %s",
           cases[i].is_long ? "another thread may" : "which no other thread would do better");
    }
    free(zeros);
    free(packed);
}

static void test_encodings(struct arena *arena)
{
    static const struct {
        const char *encoding;
        enum err err;
    } cases[] = {
        { "", OK }, { "identity", OK }, { "IDENTITY", OK }, { "gzip", ERR_MALFORMED },
        { "x-gzip", ERR_MALFORMED }, { "deflate", ERR_MALFORMED }, { "br", ERR_MEDIA_TYPE },
        { "gzip, gzip", ERR_MEDIA_TYPE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("POST", "/x");
        struct http_request request;
        struct op op;
        struct str out;
        fake_set(&fake, "HTTP_CONTENT_ENCODING", cases[i].encoding);
        fake.body = STR("[1,2,3]");
        arena_reset(arena);
        op_init(&op, arena, "test");
        enum err err = http_request_init(&request, &op, &fake.transport);
        is_int(err == OK ? http_read_decoded_body(&request, CAP, &out) : err, cases[i].err,
               "Content-Encoding \"%s\" over plain text", cases[i].encoding);
    }
}

int main(void)
{
    struct arena *arena = arena_new(4 << 20);
    test_formats(arena);
    test_caps(arena);
    test_hurry(arena);
    test_encodings(arena);
    arena_free(arena);
    return done_testing();
}
