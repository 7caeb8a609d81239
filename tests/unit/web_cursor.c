/* Cursors: what was given out comes back, anything else is refused. */
#include "web/cursor.h"

#include "base/crypto.h"
#include "base/limits.h"

#include "tap.h"

static void check_round_trip(struct arena *arena, int64_t time_us, struct str key, const char *name)
{
    struct cursor got = { 0 };
    const char *text = cursor_encode(arena, CURSOR_SAMPLES, (struct cursor){ time_us, key });
    ok(text != NULL && cursor_decode(arena, CURSOR_SAMPLES, str_of(text), &got) &&
           got.time_us == time_us && str_equal(got.key, key),
       "%s comes back as it was", name);
    ok(text != NULL && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_") == strlen(text),
       "%s needs no percent-encoding", name);
}

static void test_round_trips(struct arena *arena)
{
    char longest[MAX_NAME_BYTES + 1];
    memset(longest, 'x', sizeof longest);
    check_round_trip(arena, 0, STR("meter-1"), "a key");
    check_round_trip(arena, INT64_C(1795176000250000), STR("17"), "a time with a number");
    check_round_trip(arena, INT64_C(-62135596800000000), STR("z\xc3\xa4hler/1"), "a time long ago");
    check_round_trip(arena, INT64_MAX, (struct str){ longest, MAX_NAME_BYTES }, "the longest key");
    check_round_trip(arena, 5, STR(""), "an empty key");
    ok(cursor_encode(arena, CURSOR_SAMPLES,
                     (struct cursor){ 0, { longest, sizeof longest } }) == NULL,
       "a longer key has no cursor");
}

static void test_refusals(struct arena *arena)
{
    static const struct { struct str text; const char *name; } bad[] = {
        { { "", 0 }, "nothing" },
        { { "c", 1 }, "a single character" },
        { { "abc", 3 }, "a word" },
        { { "c29tZXRoaW5nIGVsc2UgYWx0b2dldGhlcg", 34 }, "base64url of something else" },
        { { "not base64!", 11 }, "other characters" },
        { { "\0\0\0\0", 4 }, "NUL bytes" },
    };
    struct cursor got;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ok(!cursor_decode(arena, CURSOR_SAMPLES, bad[i].text, &got), "%s is refused", bad[i].name);
    }
}

static void test_tampering(struct arena *arena)
{
    struct cursor got;
    const char *text = cursor_encode(arena, CURSOR_EVENTS, (struct cursor){ 7, STR("meter-1") });
    size_t len = strlen(text);
    int n_accepted = 0;
    for (size_t i = 0; i < len; i++) {
        char *changed = arena_copy(arena, str_of(text));
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        n_accepted += cursor_decode(arena, CURSOR_EVENTS, str_of(changed), &got);
    }
    is_int(n_accepted, 0, "no changed character goes unnoticed");
    ok(!cursor_decode(arena, CURSOR_EVENTS, (struct str){ text, len - 4 }, &got), "nor a cut");
    ok(!cursor_decode(arena, CURSOR_DEVICES, str_of(text), &got), "another list's is refused");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    if (!crypto_open() || arena == NULL) {
        return 1;
    }
    test_round_trips(arena);
    test_refusals(arena);
    test_tampering(arena);
    arena_free(arena);
    return done_testing();
}
