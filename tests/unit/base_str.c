/* Views of text: comparing, cutting, UTF-8, integers. */
#include "base/str.h"

#include "tap.h"

#include <limits.h>

static void test_comparison(void)
{
    ok(str_equal(STR("abc"), STR("abc")), "equal bytes are equal");
    ok(!str_equal(STR("abc"), STR("abd")), "other bytes are not");
    ok(!str_equal(STR("abc"), STR("ab")), "a prefix is not the whole");
    ok(str_equal((struct str){ NULL, 0 }, STR("")), "all empty views are equal");
    ok(str_of(NULL).len == 0, "a missing string is the empty view");
    ok(str_equal_nocase(STR("Content-Type"), STR("content-TYPE")), "header names ignore case");
    ok(!str_equal_nocase(STR("a[b"), STR("a{b")), "only letters have case");
    ok(!str_equal_nocase(STR("\xc3\x84"), STR("\xc3\xa4")), "only ASCII letters have case");
    ok(str_starts_with(STR("/v1/event"), STR("/v1/")), "a prefix is found");
    ok(str_starts_with(STR("x"), STR("")), "everything starts with nothing");
    ok(!str_starts_with(STR("/v"), STR("/v1")), "a text shorter than the prefix is not found");
}

static void test_trim(void)
{
    is_view(str_trim(STR(" \t a b \r\n")), "a b", "blanks at both ends go, those within stay");
    is_view(str_trim(STR(" \r\n\t")), "", "a blank text becomes empty");
    is_view(str_trim((struct str){ NULL, 0 }), "", "nothing stays nothing");
}

static void test_cut(void)
{
    struct str rest = STR("a,,b");

    is_view(str_cut(&rest, ','), "a", "the first part ends at the separator");
    is_view(str_cut(&rest, ','), "", "two separators enclose an empty part");
    is_view(str_cut(&rest, ','), "b", "the last part ends at the end");
    ok(rest.ptr == NULL, "after the last part the rest is NULL");

    rest = STR("a,");
    str_cut(&rest, ',');
    ok(rest.ptr != NULL && rest.len == 0, "a trailing separator leaves an empty rest");
}

static void test_utf8(void)
{
    static const struct {
        const char *name;
        struct str text;
        bool is_good;
    } cases[] = {
        { "ASCII is UTF-8", STR_INIT("plain text, longer than a word of the machine"), true },
        { "the empty text is", STR_INIT(""), true },
        { "two bytes: U+00E9", STR_INIT("caf\xc3\xa9"), true },
        { "three bytes: U+20AC",
          STR_INIT("12345678\xe2\x82\xac"
                   "12345678"),
          true },
        { "four bytes: U+1F600", STR_INIT("\xf0\x9f\x98\x80"), true },
        { "controls are", STR_INIT("a\tb\x01"), true },
        { "the last code point, U+10FFFF, is", STR_INIT("\xf4\x8f\xbf\xbf"), true },
        { "U+110000 does not exist", STR_INIT("\xf4\x90\x80\x80"), false },
        { "NUL is refused", STR_INIT("a\0b"), false },
        { "NUL is refused inside a long text", STR_INIT("abcdefghijklmno\0pqrstuvwxyz"), false },
        { "a lone continuation is not", STR_INIT("\x80"), false },
        { "a cut sequence is not", STR_INIT("abc\xe2\x82"), false },
        { "an overlong slash is not", STR_INIT("\xc0\xaf"), false },
        { "an overlong three-byte slash is not", STR_INIT("\xe0\x80\xaf"), false },
        { "an overlong four-byte sequence is not", STR_INIT("\xf0\x8f\xbf\xbf"), false },
        { "a surrogate, U+D800, is not", STR_INIT("\xed\xa0\x80"), false },
        { "U+D7FF, before the surrogates, is", STR_INIT("\xed\x9f\xbf"), true },
        { "U+E000, after them, is", STR_INIT("\xee\x80\x80"), true },
        { "Latin-1 is not", STR_INIT("caf\xe9 au lait"), false },
        { "0xff never is", STR_INIT("\xff"), false },
        { "a sequence whose third byte is ASCII is not", STR_INIT("\xe2\x82z"), false },
        { "a sequence whose fourth byte is ASCII is not", STR_INIT("\xf0\x9f\x98z"), false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ok(str_is_utf8(cases[i].text) == cases[i].is_good, "UTF-8: %s", cases[i].name);
    }
}

static void test_integers(void)
{
    static const struct {
        const char *text;
        bool is_good;
        long long value;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "007", true, 7 },
        { "1700000000123", true, 1700000000123 },
        { "9223372036854775807", true, LLONG_MAX },
        { "-9223372036854775808", true, LLONG_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "1.0", false, 0 },
        { "0x10", false, 0 },
        { "--1", false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long long got = 0;
        bool is_good = str_to_int64(str_of(cases[i].text), &got);
        ok(is_good == cases[i].is_good && got == cases[i].value, "integer: \"%s\" is %s",
           cases[i].text, cases[i].is_good ? "read" : "refused");
    }
}

int main(void)
{
    test_comparison();
    test_trim();
    test_cut();
    test_utf8();
    test_integers();
    return done_testing();
}
