/* The writer: exact texts, and what it writes read back by the reader (which tests/fuzz/json.c
 * compares with another implementation; its names clash with ours, so it cannot be linked here). */
#include "base/json.h"

#include "tap.h"

#include <math.h>

static struct arena *arena;

static struct json_writer writer_into(struct buf *buf)
{
    struct json_writer writer;
    buf_init(buf, arena, 1 << 20);
    json_writer_init(&writer, buf);
    return writer;
}

static void test_structure(void)
{
    struct buf buf;
    struct json_writer writer = writer_into(&buf);

    json_open_object(&writer);
    json_key(&writer, "items");
    json_open_array(&writer);
    json_open_object(&writer);
    json_key(&writer, "time");
    json_text(&writer, "2026-11-20T12:00:00Z");
    json_key(&writer, "value");
    json_double(&writer, 1.25);
    json_close_object(&writer);
    json_open_object(&writer);
    json_close_object(&writer);
    json_open_array(&writer);
    json_close_array(&writer);
    json_close_array(&writer);
    json_key_str(&writer, STR("next"));
    json_null(&writer);
    json_key(&writer, "n");
    json_int(&writer, -42);
    json_key(&writer, "flags");
    json_open_array(&writer);
    json_bool(&writer, true);
    json_bool(&writer, false);
    json_text(&writer, NULL);
    json_double(&writer, (double)NAN);
    json_double(&writer, (double)INFINITY);
    json_close_array(&writer);
    json_key(&writer, "data");
    json_raw(&writer, STR("{\"a\": 1}"));
    json_close_object(&writer);
    is_view(buf_str(&buf),
            "{\"items\":[{\"time\":\"2026-11-20T12:00:00Z\",\"value\":1.25},{},[]],\"next\":null,"
            "\"n\":-42,\"flags\":[true,false,null,null,null],\"data\":{\"a\": 1}}",
            "commas and colons stand where they are due");
}

static void test_escapes(void)
{
    static const struct {
        struct str value;
        const char *text, *name;
    } cases[] = {
        { STR_INIT(""), "\"\"", "nothing" },
        { STR_INIT("plain"), "\"plain\"", "plain text" },
        { STR_INIT("\"\\/"), "\"\\\"\\\\/\"", "quotes and backslashes, not slashes" },
        { STR_INIT("\b\t\n\v\f\r"), "\"\\b\\t\\n\\u000b\\f\\r\"", "the short escapes" },
        { STR_INIT("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\"", "other controls" },
        { STR_INIT("a\0b"), "\"a\\u0000b\"", "NUL" },
        { STR_INIT("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"", "UTF-8" },
        { STR_INIT("caf\xe9!"), "\"caf\\ufffd!\"", "what is not UTF-8 is replaced" },
        { STR_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"", "surrogates are, byte by byte" },
        { STR_INIT("long enough for words\n and more words"),
          "\"long enough for words\\n and more words\"", "a long text" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf buf;
        struct json_writer writer = writer_into(&buf);
        json_string(&writer, cases[i].value);
        is_view(buf_str(&buf), cases[i].text, "string: %s", cases[i].name);
    }
}

/* Each byte in each place of a word, read back. */
static void test_round_trip(void)
{
    int n_wrong = 0;

    for (int c = 1; c < 128; c++) {
        for (size_t place = 0; place < 20; place++) {
            char text[20];
            memset(text, 'x', sizeof text);
            text[place] = (char)c;
            struct str value = { text, sizeof text };
            struct str back;
            struct buf buf;
            struct json_writer writer = writer_into(&buf);
            struct json_reader reader;
            json_string(&writer, value);
            json_reader_init(&reader, buf_str(&buf), arena, 1);
            n_wrong += !json_read_string(&reader, &back) || !json_at_end(&reader) ||
                       !str_equal(back, value);
            arena_reset(arena);
        }
    }
    is_int(n_wrong, 0, "each ASCII character at each place reads back");
}

static void test_depth(void)
{
    struct buf buf;
    struct json_writer writer = writer_into(&buf);
    struct json_reader reader;
    int n_numbers = 0;

    for (int i = 0; i < 60; i++) {
        json_open_array(&writer);
        json_int(&writer, i);
    }
    for (int i = 0; i < 59; i++) {
        json_close_array(&writer);
        json_int(&writer, i);
    }
    json_close_array(&writer);
    json_reader_init(&reader, buf_str(&buf), arena, 60);
    ok(json_enter_array(&reader) && json_next_element(&reader) && json_skip(&reader, NULL) &&
           json_next_element(&reader) && json_skip(&reader, NULL),
       "nesting 60 deep keeps its commas");
    while (json_next_element(&reader) && json_skip(&reader, NULL)) {
        n_numbers++;
    }
    is_int(n_numbers, 1, "on the way down and up");
}

static void test_broken(void)
{
    struct buf buf;
    struct json_writer writer;

    buf_init(&buf, arena, 10);
    json_writer_init(&writer, &buf);
    json_open_array(&writer);
    json_text(&writer, "longer than the buffer");
    json_close_array(&writer);
    ok(buf.is_broken && buf.len <= 10, "a full buffer is broken, and nothing else");
}

int main(void)
{
    arena = arena_new(4 << 20);
    test_structure();
    test_escapes();
    test_round_trip();
    test_depth();
    test_broken();
    arena_free(arena);
    return done_testing();
}
