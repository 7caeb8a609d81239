/* The arena and the buffer that lives in it. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/op.h"

#include "tap.h"

#include <stdlib.h>

#define CAP (8u << 20)

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_allocation(void)
{
    static const size_t sizes[] = {
        0, 1, 15, 16, 17, 4000, ARENA_LARGE_BYTES, ARENA_LARGE_BYTES + 1, 300000
    };
    struct arena *arena = arena_new(CAP);
    bool is_aligned = true;
    bool is_zeroed = true;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned char *bytes = arena_alloc(arena, sizes[i]);
            is_aligned = is_aligned && bytes && (uintptr_t)bytes % 16 == 0;
            is_zeroed = is_zeroed && bytes && is_zero(bytes, sizes[i]);
            if (bytes) {
                memset(bytes, 0xff, sizes[i]);
            }
        }
        arena_reset(arena);
    }
    ok(is_aligned, "every size is aligned for any type");
    ok(is_zeroed, "memory is zeroed, also where it was used before a reset");
    is_int((int64_t)arena_used(arena), 0, "a reset takes everything back");
    ok(arena_array(arena, SIZE_MAX / 2, 3) == NULL, "an array whose size overflows is refused");
    unsigned char *array = arena_array(arena, 10, 7);
    ok(array && is_zero(array, 70), "an array is zeroed");
    arena_free(arena);
    arena_free(NULL);
    ok(true, "freeing nothing is allowed");
}

static void test_cap(void)
{
    struct arena *arena = arena_new(100000);
    size_t got = 0;

    while (arena_alloc(arena, 1000)) {
        got += 1000;
    }
    ok(got > 90000 && got <= 100000, "small blocks end at the cap");
    ok(arena_alloc(arena, 50000) == NULL, "a large block does not exceed it either");
    ok(arena_alloc(arena, SIZE_MAX) == NULL, "an absurd size is refused");
    ok(arena_alloc(arena, SIZE_MAX - 7) == NULL, "a size whose rounding would overflow is refused");
    arena_reset(arena);
    void *large = arena_alloc(arena, 90000);
    ok(large != NULL, "after a reset the cap is free again");
    ok(arena_resize(arena, large, 90000, 100001) == NULL, "growing beyond the cap is refused");
    ok(arena_resize(arena, large, 90000, 99000) != NULL, "growing below it is not");
    arena_free(arena);
}

static void fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    }
}

static bool is_filled(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(i * 31 + i / 256)) {
            return false;
        }
    }
    return true;
}

static void test_resize(void)
{
    static const struct {
        size_t from, to;
        const char *name;
    } cases[] = {
        { 100, 200, "a small block grows" },
        { 200, 100, "a small block shrinks" },
        { 100, 100000, "a small block becomes a large one" },
        { 100000, 100, "a large block becomes a small one" },
        { 100000, 500000, "a large block grows" },
        { 500000, 100000, "a large block shrinks" },
        { 0, 64, "an empty block grows" },
    };
    struct arena *arena = arena_new(CAP);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char *bytes = arena_alloc(arena, cases[i].from);
        size_t kept = cases[i].from < cases[i].to ? cases[i].from : cases[i].to;
        fill(bytes, cases[i].from);
        bytes = arena_resize(arena, bytes, cases[i].from, cases[i].to);
        bool has_kept = bytes && is_filled(bytes, kept);
        if (bytes) {
            memset(bytes, 1, cases[i].to);
        }
        ok(has_kept, "resize: %s and keeps its bytes", cases[i].name);
        is_int((int64_t)((uintptr_t)arena_alloc(arena, 1) % 16), 0, "and what follows is aligned");
    }
    arena_reset(arena);
    void *first = arena_alloc(arena, 100);
    ok(arena_resize(arena, first, 100, 1000) == first, "the newest block grows where it is");
    is_int((int64_t)arena_used(arena), 1008, "and is counted once");
    void *second = arena_alloc(arena, 10);
    ok(second && arena_resize(arena, first, 1000, 2000) != first, "an older one moves");
    ok(arena_resize(arena, NULL, 0, 100) != NULL, "a block can grow from nothing");
    arena_free(arena);
}

static int trace[8];
static int n_trace;

static void note(void *object)
{
    trace[n_trace++] = *(int *)object;
}

static void test_hooks(void)
{
    struct arena *arena = arena_new(4096);
    int objects[] = { 1, 2, 3 };

    for (int i = 0; i < 3; i++) {
        ok(arena_on_reset(arena, note, &objects[i]), "hook %d is taken", i + 1);
    }
    is_int(n_trace, 0, "hooks wait for the reset");
    arena_reset(arena);
    ok(n_trace == 3 && trace[0] == 3 && trace[1] == 2 && trace[2] == 1,
       "hooks run in reverse order of registration");
    arena_reset(arena);
    is_int(n_trace, 3, "a hook runs once");

    while (arena_alloc(arena, 16)) {
    }
    n_trace = 0;
    ok(!arena_on_reset(arena, note, &objects[0]), "beyond the cap a hook is refused");
    is_int(n_trace, 1, "and its object released at once");
    arena_free(arena);
}

static void test_text(void)
{
    struct arena *arena = arena_new(CAP);

    is_str(arena_copy(arena, STR("view")), "view", "a view is copied with its NUL");
    is_str(arena_copy(arena, (struct str){ NULL, 0 }), "", "an empty one too");
    is_str(arena_printf(arena, "%d-%s", 7, "x"), "7-x", "printf's output is kept");
    arena_free(arena);
}

static void test_buf(void)
{
    struct arena *arena = arena_new(CAP);
    struct buf buf;

    buf_init(&buf, arena, 100000);
    buf_add_text(&buf, "text ");
    buf_add_text(&buf, NULL);
    buf_add_str(&buf, STR("view "));
    buf_add_char(&buf, '!');
    buf_printf(&buf, " %s %d", "printed", 5);
    is_view(buf_str(&buf), "text view ! printed 5", "what is added follows in order");
    for (int i = 0; i < 5000; i++) {
        buf_add(&buf, "0123456789", 10);
    }
    is_int((int64_t)buf.len, 50021, "it grows beyond a large block");
    ok(memcmp(buf.data + 50011, "0123456789", 10) == 0, "and keeps its bytes");

    char *room = buf_reserve(&buf, 4);
    memcpy(room, "abcd", 4);
    buf.len += 4;
    ok(memcmp(buf.data + buf.len - 4, "abcd", 4) == 0, "reserved room can be written directly");

    buf_clear(&buf);
    is_int((int64_t)buf.len, 0, "clearing forgets the content");
    buf_printf(&buf, "%255d|%256d|%300d|", 7, 8, 9);
    is_int((int64_t)buf.len, 814, "printf's output may be long");
    ok(memcmp(buf.data + 254, "7|", 2) == 0 && memcmp(buf.data + 811, " 9|", 3) == 0, "and is whole");
    buf_clear(&buf);
    buf_printf(&buf, "%255d", 7);
    buf_printf(&buf, "%256d", 8);
    ok(buf.len == 511 && memcmp(buf.data + 509, " 8", 2) == 0, "at the edge of what is brief, too");
    arena_free(arena);
}

static void test_buf_cap(void)
{
    struct arena *arena = arena_new(CAP);
    struct buf buf;

    buf_init(&buf, arena, 10);
    buf_add(&buf, "0123456789", 10);
    ok(!buf.is_broken, "a buffer can be filled to its cap");
    buf_add_char(&buf, 'x');
    ok(buf.is_broken, "one byte more breaks it");
    is_int((int64_t)buf.len, 10, "and is not written");
    buf_clear(&buf);
    buf_add(&buf, "0123456789a", 11);
    buf_add_char(&buf, 'x');
    is_int((int64_t)buf.len, 0, "a broken buffer takes nothing more, even where it would fit");
    ok(buf_reserve(&buf, 1) == NULL, "nor does it reserve");
    buf_clear(&buf);
    buf_add_char(&buf, 'x');
    ok(!buf.is_broken && buf.len == 1, "clearing mends it");
    buf_printf(&buf, "%s", "0123456789");
    ok(buf.is_broken, "printf breaks it like the rest");
    arena_free(arena);

    arena = arena_new(1000);
    buf_init(&buf, arena, 100000);
    for (int i = 0; i < 200; i++) {
        buf_add(&buf, "0123456789", 10);
    }
    ok(buf.is_broken, "the arena's cap breaks it too");
    arena_free(arena);
}

/* Allows up to `most` bytes in all, in steps of 1000. */
struct scale {
    size_t most, wanted;
    int n;
};

static size_t weigh(void *context, size_t wanted)
{
    struct scale *scale = context;

    scale->wanted = wanted;
    scale->n++;
    return wanted > 800000 ? ARENA_NEVER : wanted <= scale->most ? (wanted + 999) / 1000 * 1000 : 0;
}

static void test_meter(void)
{
    struct arena *arena = arena_new(1 << 20);
    struct scale scale = { .most = 200000 };
    struct op op;

    op_init(&op, arena, "test");
    ok(arena_alloc(arena, 320) != NULL, "before it is metered an arena asks nobody");
    arena_meter(arena, 100, weigh, &scale);
    ok(arena_alloc(arena, 16) && scale.n == 1 && scale.wanted == 336, "what it has already counts");
    ok(arena_alloc(arena, 656) && scale.n == 1, "what was granted is handed out");
    ok(arena_alloc(arena, 16) && scale.n == 2 && scale.wanted == 1008, "beyond it is asked for");
    bool is_had = arena_alloc(arena, 900000) != NULL;
    ok(!is_had && !arena_was_refused(arena), "what there never is memory for is not refused for now");
    char *large = arena_resize(arena, NULL, 0, 100000);
    ok(large && scale.wanted == 101008, "a large block likewise");
    large = arena_resize(arena, large, 100000, 150000);
    ok(large && scale.wanted == 151008, "and one that grows, by what it is then");
    ok(!arena_resize(arena, large, 150000, 250000), "what is refused is not to be had");
    ok(arena_was_refused(arena), "  which is remembered");
    ok(arena_alloc(arena, 16) != NULL, "less is");
    size_t used = arena_used(arena);
    arena_release(arena, large, 150000);
    is_int((int64_t)(used - arena_used(arena)), 150000, "a large block can be released before the reset");
    (void)!fail(&op, ERR_MALFORMED, "a number without end");
    is_int(op_settle(&op, ERR_MALFORMED), ERR_UNAVAILABLE, "after a refusal nothing is the sender's fault");
    is_int(op.fault.code, ERR_UNAVAILABLE, "  which is what is answered");
    ok(arena_alloc(arena, 500000) != NULL, "  with memory for it");
    arena_reset(arena);
    ok(!arena_was_refused(arena) && arena_alloc(arena, 900000), "a reset ends it all");
    arena_reset(arena);
    arena_meter(arena, 100, weigh, &scale);
    is_int(op_settle(&op, ERR_INVALID), ERR_INVALID, "while nothing was refused failures are what they are");
    ok(arena_alloc(arena, 900000) != NULL, "  with memory to say so");
    arena_free(arena);
}

static void test_big_endian(void)
{
    struct arena *arena = arena_new(CAP);
    struct buf buf;

    buf_init(&buf, arena, 100);
    buf_add_be16(&buf, 0x0102);
    buf_add_be32(&buf, 0x03040506);
    buf_add_be64(&buf, UINT64_C(0x0708090a0b0c0d0e));
    bool is_ordered = buf.len == 14;
    for (size_t i = 0; is_ordered && i < buf.len; i++) {
        is_ordered = buf.data[i] == (char)(i + 1);
    }
    ok(is_ordered, "network order puts the highest byte first");
    arena_free(arena);
}

int main(void)
{
    test_allocation();
    test_cap();
    test_resize();
    test_hooks();
    test_text();
    test_buf();
    test_buf_cap();
    test_meter();
    test_big_endian();
    return done_testing();
}
