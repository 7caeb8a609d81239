/* Content codings that are not zlib's: snappy blocks and zstd frames, whole, cut, damaged and
 * larger than allowed. Packed by the libraries' other halves, and by hand from the formats'
 * descriptions (google/snappy format_description.txt; RFC 8878). */
#include "base/limits.h"
#include "http/coding.h"
#include "tap.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <zstd.h>

#define CAP 1000

static enum err decode(struct arena *arena, const char *coding, struct str in, struct str *out)
{
    struct op op;

    arena_reset(arena);
    op_init(&op, arena, "test");
    return http_coding_find(str_of(coding))->decode(&op, in, CAP, out);
}

/* Written by hand: {coding, bytes, error, what comes out}. */
static const struct {
    const char *says;
    const char *coding;
    struct str in;
    enum err err;
    const char *out;
} cases[] = {
    { "snappy: a literal", "snappy", STR_INIT("\x05\x10hello"), OK, "hello" },
    { "snappy: a literal and a copy that overlaps itself", "snappy",
      STR_INIT("\x08\x04xy\x09\x02"), OK, "xyxyxyxy" },
    { "snappy: nothing, packed", "snappy", STR_INIT("\x00"), OK, "" },
    { "snappy: no bytes at all", "snappy", STR_INIT(""), ERR_MALFORMED, "" },
    { "snappy: a cut literal", "snappy", STR_INIT("\x05\x10hell"), ERR_MALFORMED, "" },
    { "snappy: one byte more", "snappy", STR_INIT("\x05\x10hello!"), ERR_MALFORMED, "" },
    { "snappy: less than promised", "snappy", STR_INIT("\x06\x10hello"), ERR_MALFORMED, "" },
    { "snappy: more than promised", "snappy", STR_INIT("\x04\x10hello"), ERR_MALFORMED, "" },
    { "snappy: a copy from before the beginning", "snappy", STR_INIT("\x06\x04xy\x01\x09"),
      ERR_MALFORMED, "" },
    { "snappy: a copy from nowhere", "snappy", STR_INIT("\x06\x04xy\x01\x00"), ERR_MALFORMED, "" },
    { "snappy: a length without end", "snappy", STR_INIT("\xff\xff\xff\xff\xff\xff"),
      ERR_MALFORMED, "" },
    { "snappy: 4 GiB promised in six bytes", "snappy", STR_INIT("\xff\xff\xff\xff\x0f\x00"),
      ERR_TOO_LARGE, "" },
    { "snappy: a byte over the cap promised", "snappy", STR_INIT("\xe9\x07\x00x"), ERR_TOO_LARGE,
      "" },
    { "snappy: the framed format is another", "snappy",
      STR_INIT("\xff\x06\x00\x00sNaPpY\x01\x09\x00\x00\xbb\x1f\x1c\x19hello"), ERR_MALFORMED, "" },
    { "snappy: plain text", "snappy", STR_INIT("[1,2,3]"), ERR_MALFORMED, "" },
    { "zstd: a frame of one raw block", "zstd",
      STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"), OK, "hello" },
    { "zstd: two frames, and one to be skipped between them", "zstd",
      STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"
               "\x50\x2a\x4d\x18\x03\x00\x00\x00" "abc"
               "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00!"),
      OK, "hello!" },
    { "zstd: a run of one byte", "zstd", STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x2b\x00\x00x"), OK,
      "xxxxx" },
    { "zstd: cut", "zstd", STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hell"), ERR_MALFORMED,
      "" },
    { "zstd: cut in its header", "zstd", STR_INIT("\x28\xb5\x2f"), ERR_MALFORMED, "" },
    { "zstd: followed by something else", "zstd",
      STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello tail"), ERR_MALFORMED, "" },
    { "zstd: followed by one byte", "zstd",
      STR_INIT("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello\x28"), ERR_MALFORMED, "" },
    { "zstd: a window of 16 MiB", "zstd", STR_INIT("\x28\xb5\x2f\xfd\x00\x70\x29\x00\x00hello"),
      ERR_MALFORMED, "" },
    { "zstd: a run over the cap", "zstd",
      STR_INIT("\x28\xb5\x2f\xfd\x60\xe9\x02\x4b\x1f\x00x"), ERR_TOO_LARGE, "" },
    { "zstd: no bytes at all", "zstd", STR_INIT(""), ERR_MALFORMED, "" },
    { "zstd: plain text", "zstd", STR_INIT("[1,2,3]"), ERR_MALFORMED, "" },
};

static void test_by_hand(struct arena *arena)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str out;
        is_int(decode(arena, cases[i].coding, cases[i].in, &out), cases[i].err, "%s",
               cases[i].says);
        is_view(out, cases[i].out, "  gives what it should");
    }
}

/* Text that packs well, but not into nothing. */
static char *make_text(size_t len)
{
    char *text = malloc(len);

    for (size_t i = 0; i < len; i++) {
        text[i] = (char)('a' + (i * i / 7) % 26);
    }
    return text;
}

static struct str pack(const char *coding, const char *text, size_t len)
{
    size_t size = 2 * len + 1024;
    char *packed = malloc(size);

    if (strcmp(coding, "zstd") == 0) {
        size = ZSTD_compress(packed, size, text, len, 3);
    } else {
        (void)snappy_compress(text, len, packed, &size);
    }
    return (struct str){ packed, size };
}

/* Whatever is cut off or turned over gives an error or at most the cap, never a crash. */
static void test_damage(struct arena *arena, const char *coding)
{
    char *text = make_text(CAP);
    struct str packed = pack(coding, text, CAP), out;
    char *damaged = malloc(packed.len);
    bool is_refused = true, is_bounded = true;

    is_int(decode(arena, coding, packed, &out), OK, "%s: exactly the cap", coding);
    ok(out.len == CAP && memcmp(out.ptr, text, CAP) == 0, "  is whole");
    for (size_t len = 0; len < packed.len; len++) {
        is_refused = decode(arena, coding, (struct str){ packed.ptr, len }, &out) != OK && is_refused;
    }
    ok(is_refused, "  cut anywhere it is refused");
    for (size_t bit = 0; bit < packed.len * 8; bit++) {
        memcpy(damaged, packed.ptr, packed.len);
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ (1 << bit % 8));
        enum err err = decode(arena, coding, (struct str){ damaged, packed.len }, &out);
        is_bounded = is_bounded && (err == OK ? out.len <= CAP
                                              : err == ERR_MALFORMED || err == ERR_TOO_LARGE);
    }
    ok(is_bounded, "  with any bit turned over it is refused or within the cap");
    free(damaged);
    free(text);
    free((void *)(uintptr_t)packed.ptr);
}

static void test_bomb(struct arena *arena, const char *coding)
{
    size_t len = 16u << 20;
    char *zeros = calloc(1, len);
    struct str packed = pack(coding, zeros, len), out;

    is_int(decode(arena, coding, packed, &out), ERR_TOO_LARGE, "%s: 16 MiB in %zu bytes are refused",
           coding, packed.len);
    ok(arena_used(arena) < (1u << 18), "  before they take memory");
    free(zeros);
    free((void *)(uintptr_t)packed.ptr);
}

/* On a thread that others need what comes out long is left to another. */
static void test_hurry(struct arena *arena, const char *coding)
{
    char *zeros = calloc(1, QUICK_BODY_BYTES + 1);
    struct str packed = pack(coding, zeros, QUICK_BODY_BYTES), out;
    struct op op;

    arena_reset(arena);
    op_init(&op, arena, "test");
    op.must_not_wait = true;
    is_int(http_coding_find(str_of(coding))->decode(&op, packed, 1u << 20, &out), OK,
           "%s: in a hurry as much as is quick", coding);
    is_int((int64_t)out.len, QUICK_BODY_BYTES, "  is whole");
    ok(!op.would_wait && !op.is_long, "  and needs no other thread");
    free((void *)(uintptr_t)packed.ptr);
    packed = pack(coding, zeros, QUICK_BODY_BYTES + 1);
    is_int(http_coding_find(str_of(coding))->decode(&op, packed, 1u << 20, &out), ERR_UNAVAILABLE,
           "  a byte more");
    ok(op.would_wait && op.is_long, "  is another thread's");
    free((void *)(uintptr_t)packed.ptr);
    free(zeros);
}

static void test_names(void)
{
    static const char *const known[] = { "", "identity", "gzip", "X-GZip", "deflate", "Snappy",
                                         "zstd" };
    static const char *const unknown[] = { "br", "snappy, gzip", "x-snappy-framed", "compress",
                                           "gzip2" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ok(http_coding_find(str_of(known[i])) != NULL, "\"%s\" is known", known[i]);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ok(http_coding_find(str_of(unknown[i])) == NULL, "\"%s\" is not", unknown[i]);
    }
}

int main(void)
{
    struct arena *arena = arena_new(4 << 20);

    test_names();
    test_by_hand(arena);
    test_damage(arena, "snappy");
    test_damage(arena, "zstd");
    test_bomb(arena, "snappy");
    test_bomb(arena, "zstd");
    test_hurry(arena, "snappy");
    test_hurry(arena, "zstd");
    arena_free(arena);
    return done_testing();
}
