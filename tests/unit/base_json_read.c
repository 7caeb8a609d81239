/* The pull reader: what is JSON and what is not (cases in the manner of Nicolas Seriot's
 * JSONTestSuite, "Parsing JSON is a Minefield"), and what the values are. */
#include "base/json.h"

#include "tap.h"

static struct arena *arena;

static struct json_reader reader_of(struct str text, int max_depth)
{
    struct json_reader reader;
    json_reader_init(&reader, text, arena, max_depth);
    return reader;
}

static bool is_json(struct str text)
{
    struct json_reader reader = reader_of(text, 64);
    return json_skip(&reader, NULL) && json_at_end(&reader);
}

static const struct str accepted[] = {
    STR_INIT("[]"),
    STR_INIT("{}"),
    STR_INIT("[[]   ]"),
    STR_INIT("[\"\"]"),
    STR_INIT(" [1] "),
    STR_INIT("\t\n\r[1\n,\r2\t]\n"),
    STR_INIT("[null, 1, \"1\", {}]"),
    STR_INIT("[false]"),
    STR_INIT("true"),
    STR_INIT("null"),
    STR_INIT("\"alone\""),
    STR_INIT("42"),
    STR_INIT("-0.1"),
    STR_INIT("[1,null,null,null,2]"),
    STR_INIT("[-0]"),
    STR_INIT("[0]"),
    STR_INIT("[0e1]"),
    STR_INIT("[0e+1]"),
    STR_INIT("[0E-1]"),
    STR_INIT("[1E22]"),
    STR_INIT("[1.5e+9999]"),
    STR_INIT("[123.456e78]"),
    STR_INIT("[-123123123123123123123123123123]"),
    STR_INIT("[0.000000000000000000000000000000000000000000000000000000000000000000000001]"),
    STR_INIT("{\"a\":1,\"a\":2}"),
    STR_INIT("{\"\":0}"),
    STR_INIT("{\"a\" : [ ] , \"b\":{}}"),
    STR_INIT("{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430\"}"),
    STR_INIT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    STR_INIT("[\"\\\\u0000\"]"),
    STR_INIT("[\"\\uD801\\udc37\"]"),
    STR_INIT("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    STR_INIT("[\"\\uFFFF\"]"),
    STR_INIT("[\"\\u0012\"]"),
    STR_INIT("[\"\x7f\"]"),
    STR_INIT("[\"\xe2\x82\xac\xf4\x8f\xbf\xbf\"]"),
    STR_INIT("[\"a/*b*/c/*d//e\"]"),
    STR_INIT("[\"\xe2\x80\xa8\"]"),
    STR_INIT("\"\\uDBFF\\uDFFF\""),
    STR_INIT("{\"device\":\"m\",\"metrics\":{\"energy_kwh\":1.234,\"on\":true}}"),
};

static void test_accepted(void)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        ok(is_json(accepted[i]), "accepted: %.*s", (int)accepted[i].len, accepted[i].ptr);
    }
}

static const struct {
    struct str text;
    const char *name;
} refused[] = {
    { STR_INIT(""), "nothing" },
    { STR_INIT("   "), "white space" },
    { STR_INIT("\xef\xbb\xbf{}"), "a byte order mark" },
    { STR_INIT("[1,]"), "a comma after the last element" },
    { STR_INIT("[,1]"), "a comma before the first" },
    { STR_INIT("[1,,2]"), "two commas" },
    { STR_INIT("[1 2]"), "no comma" },
    { STR_INIT("[1"), "an open array" },
    { STR_INIT("["), "a bracket" },
    { STR_INIT("]"), "a closing bracket" },
    { STR_INIT("[1}"), "a brace closing a bracket" },
    { STR_INIT("{\"a\":1]"), "a bracket closing a brace" },
    { STR_INIT("[]]"), "a bracket too many" },
    { STR_INIT("{}}"), "a brace too many" },
    { STR_INIT("{} {}"), "two values" },
    { STR_INIT("1 2"), "two numbers" },
    { STR_INIT("{\"a\":1,}"), "a comma after the last member" },
    { STR_INIT("{,\"a\":1}"), "a comma before the first member" },
    { STR_INIT("{\"a\" 1}"), "no colon" },
    { STR_INIT("{\"a\"::1}"), "two colons" },
    { STR_INIT("{\"a\"}"), "a member without a value" },
    { STR_INIT("{\"a\":}"), "a colon without a value" },
    { STR_INIT("{a:1}"), "a bare name" },
    { STR_INIT("{'a':1}"), "single quotes" },
    { STR_INIT("{1:1}"), "a number as name" },
    { STR_INIT("{\"a\":1"), "an open object" },
    { STR_INIT("{\"a\":1,"), "an object cut after its comma" },
    { STR_INIT("{\"a"), "an object cut within a name" },
    { STR_INIT("{"), "a brace" },
    { STR_INIT("[\"a"), "an open string" },
    { STR_INIT("\""), "a quote" },
    { STR_INIT("\"\\"), "a quote and a backslash" },
    { STR_INIT("\"\\\""), "a string whose end is escaped" },
    { STR_INIT("[\"\\x00\"]"), "an escape of C" },
    { STR_INIT("[\"\\a\"]"), "an unknown escape" },
    { STR_INIT("[\"\\U0041\"]"), "a large U" },
    { STR_INIT("[\"\\u004\"]"), "three digits" },
    { STR_INIT("[\"\\u00G0\"]"), "a digit that is none" },
    { STR_INIT("\"\\u12"), "an escape cut at the end" },
    { STR_INIT("[\"\\u0000\"]"), "an escaped NUL" },
    { STR_INIT("{\"\\u0000\":1}"), "an escaped NUL in a name" },
    { STR_INIT("[\"\\uD800\"]"), "half of a pair" },
    { STR_INIT("[\"\\uDC00\"]"), "the other half" },
    { STR_INIT("[\"\\uD800\\uD800\"]"), "two first halves" },
    { STR_INIT("[\"\\uDC00\\uD800\"]"), "a pair in the wrong order" },
    { STR_INIT("[\"\\uD800\\n\"]"), "a first half and another escape" },
    { STR_INIT("[\"\\uD800abcdef\"]"), "a first half and letters" },
    { STR_INIT("\"\\uD800\\u"), "a pair cut at the end" },
    { STR_INIT("[\"a\nb\"]"), "a line feed in a string" },
    { STR_INIT("[\"a\tb\"]"), "a tab in a string" },
    { STR_INIT("[\"a\0b\"]"), "a NUL in a string" },
    { STR_INIT("[\"12345678\x1f"
               "12345678\"]"),
      "a control in a long string" },
    { STR_INIT("[\"\xff\"]"), "a byte that is not UTF-8" },
    { STR_INIT("[\"\xc0\xaf\"]"), "an overlong form" },
    { STR_INIT("[\"\xed\xa0\x80\"]"), "a surrogate in UTF-8" },
    { STR_INIT("[\"\xf4\x90\x80\x80\"]"), "a character beyond the last" },
    { STR_INIT("[\"\xe2\x82"), "UTF-8 cut at the end" },
    { STR_INIT("[\"caf\xe9\"]"), "Latin-1" },
    { STR_INIT("[nul]"), "a word cut" },
    { STR_INIT("nul"), "a word cut at the end" },
    { STR_INIT("[nulll]"), "a word with a letter too many" },
    { STR_INIT("[True]"), "a word with a capital" },
    { STR_INIT("[NaN]"), "NaN" },
    { STR_INIT("[Infinity]"), "Infinity" },
    { STR_INIT("[-Infinity]"), "-Infinity" },
    { STR_INIT("[-]"), "a sign" },
    { STR_INIT("[+1]"), "a plus sign" },
    { STR_INIT("[--1]"), "two signs" },
    { STR_INIT("[01]"), "a leading zero" },
    { STR_INIT("[-01]"), "a leading zero after a sign" },
    { STR_INIT("[00]"), "two zeros" },
    { STR_INIT("[.5]"), "no digit before the point" },
    { STR_INIT("[5.]"), "no digit after the point" },
    { STR_INIT("[5.e3]"), "an exponent right after the point" },
    { STR_INIT("[1e]"), "an exponent without digits" },
    { STR_INIT("[1e+]"), "an exponent of a sign" },
    { STR_INIT("[1e1.5]"), "a fraction in the exponent" },
    { STR_INIT("[1.2.3]"), "two points" },
    { STR_INIT("[0x10]"), "hexadecimal" },
    { STR_INIT("[1_000]"), "an underscore" },
    { STR_INIT("[1,000.0.0]"), "a number with commas" },
    { STR_INIT("[\xef\xbc\x91]"), "a wide digit" },
    { STR_INIT("[1 // one\n]"), "a comment" },
    { STR_INIT("[1]\0"), "a NUL after the end" },
    { STR_INIT("[\0]"), "a NUL for a value" },
    { STR_INIT("[\v1]"), "a vertical tab for white space" },
    { STR_INIT("[\xc2\xa0"
               "1]"),
      "a no-break space" },
    { STR_INIT("*"), "a star" },
};

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ok(!is_json(refused[i].text), "refused: %s", refused[i].name);
    }
}

/* Every cut of a good document is refused, by pulling and by skipping. */
static void test_cuts(void)
{
    static const char text[] =
        "{\"a\":[1.5e3,true,null,\"\\u00e9\\ud83d\\ude39 \xe2\x82\xac\"],\"b\":{\"c\":[[-1]]}}";
    size_t n_accepted = 0;

    for (size_t length = 0; length < sizeof text - 1; length++) {
        n_accepted += is_json((struct str){ text, length });
    }
    is_int((int64_t)n_accepted, 0, "no cut of a document is one");
    ok(is_json((struct str){ text, sizeof text - 1 }), "but the whole is");
}

static void test_depth(void)
{
    struct json_reader reader = reader_of(STR("[[[]]]"), 3);
    ok(json_skip(&reader, NULL), "nesting up to the limit is allowed");
    reader = reader_of(STR("[[[[]]]]"), 3);
    ok(!json_skip(&reader, NULL), "one more is not");
    is_str(reader.error, "nested too deeply", "and is called so");
    is_int((int64_t)json_offset(&reader), 4, "at its place");

    static char deep[2 * JSON_DEPTH_LIMIT];
    memset(deep, '[', JSON_DEPTH_LIMIT);
    memset(deep + JSON_DEPTH_LIMIT, ']', JSON_DEPTH_LIMIT);
    reader = reader_of((struct str){ deep, sizeof deep }, 100000);
    ok(json_skip(&reader, NULL) && json_at_end(&reader), "the limit of all readers can be reached");
    static char deeper[100000];
    memset(deeper, '[', sizeof deeper);
    reader = reader_of((struct str){ deeper, sizeof deeper }, 100000);
    ok(!json_skip(&reader, NULL), "but not passed");
    reader = reader_of(STR("{\"a\":[{\"b\":[]}]}"), 4);
    ok(json_skip(&reader, NULL) && json_at_end(&reader), "objects and arrays count alike");
}

static const struct {
    const char *text, *value, *name;
} strings[] = {
    { "\"plain\"", "plain", "a plain string" },
    { "\"\"", "", "an empty string" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", "the short escapes" },
    { "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", "escapes of one, two and three bytes" },
    { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", "a pair" },
    { "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", "the last character" },
    { "\"a longer \\n string with \xc3\xa9 and \\u00e9 in it\"",
      "a longer \n string with \xc3\xa9 and \xc3\xa9 in it", "escapes among other text" },
    { "\"\\\\u0041\"", "\\u0041", "an escaped backslash before a u" },
};

static void test_strings(void)
{
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct json_reader reader = reader_of(str_of(strings[i].text), 1);
        struct str value = { NULL, 0 };
        ok(json_read_string(&reader, &value) && json_at_end(&reader), "%s is read",
           strings[i].name);
        is_view(value, strings[i].value, "as what it stands for");
    }
    struct str text = STR("\"view\"");
    struct json_reader reader = reader_of(text, 1);
    struct str value;
    ok(json_read_string(&reader, &value) && value.ptr == text.ptr + 1,
       "a string without escapes is a view into the input");

    struct arena *small = arena_new(16);
    json_reader_init(&reader, STR("\"\\n is longer than the arena\""), small, 1);
    ok(!json_read_string(&reader, &value), "an escape that finds no memory is an error");
    arena_free(small);
}

static void test_pulling(void)
{
    struct json_reader reader =
        reader_of(STR(" { \"device\" : \"m-1\" , \"on\":true,\"off\":false, \"n\":null,"
                      "\"list\":[1,[],{\"x\":{}},-2.5],\"skipped\":{\"deep\":[1,{\"a\\n\":2}]} } "),
                  8);
    struct str key, value, text = STR("");
    double number = 0.0;
    bool flag;

    is_int(json_peek(&reader), JSON_OBJECT, "the first byte tells the type");
    ok(json_enter_object(&reader), "an object is entered");
    ok(json_next_member(&reader, &key) && str_equal(key, STR("device")), "its first member");
    ok(json_read_string(&reader, &value) && str_equal(value, STR("m-1")), "is a string");
    ok(json_next_member(&reader, &key) && json_peek(&reader) == JSON_TRUE &&
           json_read_bool(&reader, &flag) && flag,
       "the next is true");
    ok(json_next_member(&reader, &key) && json_read_bool(&reader, &flag) && !flag, "false");
    ok(json_next_member(&reader, &key) && json_read_null(&reader), "null");
    ok(json_next_member(&reader, &key) && json_enter_array(&reader), "an array");
    ok(json_next_element(&reader) && json_read_number(&reader, &number, &text), "with a number");
    ok(number == 1.0 && str_equal(text, STR("1")), "that is 1 and was written so");
    ok(json_next_element(&reader) && json_enter_array(&reader) && !json_next_element(&reader),
       "an empty array within");
    ok(json_next_element(&reader) && json_skip(&reader, &text), "an object is skipped");
    is_view(text, "{\"x\":{}}", "and its bytes are known");
    ok(json_next_element(&reader) && json_read_number(&reader, &number, NULL) && number == -2.5,
       "a negative number");
    ok(!json_next_element(&reader) && !reader.error, "the array ends");
    ok(json_next_member(&reader, &key) && json_skip(&reader, NULL), "the last member is skipped");
    ok(!json_next_member(&reader, &key) && !reader.error, "the object ends");
    ok(json_at_end(&reader), "and so does the text");
}

static void test_errors(void)
{
    struct str key, value;
    double number;
    bool flag;
    struct json_reader reader = reader_of(STR("[1, x]"), 4);

    ok(!json_skip(&reader, NULL), "a document with an error is refused");
    is_int((int64_t)json_offset(&reader), 4, "the error is located");
    is_str(reader.error, "a value was expected", "and said");
    ok(!json_next_element(&reader) && !json_read_number(&reader, &number, NULL) &&
           !json_at_end(&reader),
       "after an error nothing is read");
    is_int((int64_t)json_offset(&reader), 4, "and the first error stays");

    reader = reader_of(STR("  "), 4);
    ok(json_peek(&reader) == JSON_NONE && !reader.error, "the end of the input is no error to ask");
    ok(!json_skip(&reader, NULL), "but to read");
    is_str(reader.error, "unexpected end", "and is called so");

    reader = reader_of(STR("12"), 4);
    ok(!json_read_string(&reader, &value), "a number is not a string");
    reader = reader_of(STR("\"12\""), 4);
    ok(!json_read_number(&reader, &number, NULL), "nor a string a number");
    reader = reader_of(STR("1"), 4);
    ok(!json_read_bool(&reader, &flag), "nor 1 true");
    reader = reader_of(STR("[]"), 4);
    ok(!json_enter_object(&reader), "nor an array an object");
    reader = reader_of(STR("{}"), 4);
    ok(!json_enter_array(&reader), "nor an object an array");
    reader = reader_of(STR("0"), 4);
    ok(!json_read_null(&reader), "nor 0 null");

    reader = reader_of(STR("{\"time\":5}"), 4);
    ok(json_enter_object(&reader) && json_next_member(&reader, &key), "a caller can look");
    ok(!json_fail(&reader, "time is before the flood"), "and refuse");
    ok(!json_skip(&reader, NULL), "as if the reader had");
    is_str(reader.error, "time is before the flood", "in its own words");
    is_int((int64_t)json_offset(&reader), 8, "where it stood");
}

/* NDJSON: one value after another in one text. */
static void test_sequence(void)
{
    struct json_reader reader = reader_of(STR("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}"), 4);
    int n_values = 0;

    while (!json_at_end(&reader) && json_skip(&reader, NULL)) {
        n_values++;
    }
    is_int(n_values, 3, "several values can be read from one text");
}

int main(void)
{
    arena = arena_new(1 << 20);
    test_accepted();
    test_refused();
    test_cuts();
    test_depth();
    test_strings();
    test_pulling();
    test_errors();
    test_sequence();
    arena_free(arena);
    return done_testing();
}
