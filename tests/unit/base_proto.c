/* The wire format of Protocol Buffers. Known answers are the examples of its documentation
 * (protobuf.dev/programming-guides/encoding) and, where that has none, its rules by hand. */
#include "base/proto.h"
#include "hex.h"
#include "tap.h"

/* A message written out: "1:150 2:testing", fields of fixed size as numbers. "!" when broken. */
static const char *dump(struct arena *arena, const char *digits)
{
    bool is_broken = false;
    struct proto_reader reader = proto_reader(from_hex(arena, digits), &is_broken);
    struct proto_field field;
    struct buf out;

    buf_init(&out, arena, 4096);
    while (proto_next(&reader, &field)) {
        buf_printf(&out, "%s%u:", out.len ? " " : "", field.number);
        switch (field.wire) {
        case PROTO_VARINT: buf_printf(&out, "%lld", (long long)proto_int(&reader, &field)); break;
        case PROTO_64: buf_printf(&out, "%g", proto_double(&reader, &field)); break;
        case PROTO_32: buf_printf(&out, "(%zu)", field.bytes.len); break;
        case PROTO_BYTES: buf_add_str(&out, proto_bytes(&reader, &field)); break;
        }
    }
    buf_add_text(&out, is_broken ? "!" : "");
    return arena_copy(arena, buf_str(&out));
}

static const struct {
    const char *says;
    const char *digits;
    const char *dump;
} messages[] = {
    { "an empty message", "", "" },
    { "the documentation's int32 a = 150", "089601", "1:150" },
    { "the documentation's string b = \"testing\"", "120774657374696e67", "2:testing" },
    { "an int32 of -2 takes ten bytes", "08feffffffffffffffff01", "1:-2" },
    { "a varint with leading zeros", "0896818000", "1:150" },
    { "a double", "09000000000000f83f", "1:1.5" },
    { "a fixed32", "0d01020304", "1:(4)" },
    { "an empty string", "1200", "2:" },
    { "the largest field number", "f8ffffff0f01", "536870911:1" },
    { "a field number beyond", "8080808010", "!" },
    { "field number 0", "0001", "!" },
    { "a key alone", "08", "!" },
    { "a key that is cut", "88", "!" },
    { "a varint that is cut", "0896", "!" },
    { "a varint of eleven bytes", "08ffffffffffffffffffff01", "!" },
    { "a varint of more than 64 bits", "08ffffffffffffffffff02", "!" },
    { "a double that is cut", "09000000000000f8", "!" },
    { "a fixed32 that is cut", "0d010203", "!" },
    { "a string that is cut", "1208746573", "!" },
    { "a length beyond everything", "12ffffffffffffffffff01", "!" },
    { "a length without its string", "12", "!" },
    { "a group", "0b0c", "!" },
    { "wire type 6", "0e00", "!" },
    { "wire type 7", "0f00", "!" },
    { "what stands before the damage is shown", "08010f", "1:1!" },
};

static void test_messages(struct arena *arena)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        arena_reset(arena);
        is_str(dump(arena, messages[i].digits), messages[i].dump, "%s", messages[i].says);
    }
}

static void test_nested(struct arena *arena)
{
    bool is_broken = false;
    /* message Test3 { Test1 c = 3; }, of the documentation, c.a = 150 */
    struct proto_reader outer = proto_reader(from_hex(arena, "1a03089601"), &is_broken);
    struct proto_field field = { 0 };

    ok(proto_next(&outer, &field) && field.number == 3, "a message within");
    struct proto_reader inner = proto_message(&outer, &field);
    ok(proto_next(&inner, &field) && proto_uint(&inner, &field) == 150, "  is read as one");
    ok(!proto_next(&inner, &field) && !proto_next(&outer, &field) && !is_broken, "  and over");
    outer = proto_reader(from_hex(arena, "1a020896" "0801"), &is_broken);
    ok(proto_next(&outer, &field), "one that is cut within its length");
    inner = proto_message(&outer, &field);
    ok(!proto_next(&inner, &field) && is_broken, "  breaks");
    ok(!proto_next(&outer, &field), "  the outer one too");
}

static void test_repeated(struct arena *arena)
{
    static const uint64_t expected[] = { 3, 270, 86942 };
    bool is_broken = false, is_same = true;
    struct proto_field field;
    uint64_t value = 0;
    int n = 0;
    /* the documentation's packed repeated int32 f = 6, and the same unpacked */
    static const char *const forms[] = { "3206038e029ea705", "3003308e02309ea705" };

    for (size_t i = 0; i < 2; i++) {
        struct proto_reader reader = proto_reader(from_hex(arena, forms[i]), &is_broken);
        for (n = 0; proto_next(&reader, &field);) {
            struct proto_reader values = proto_values(&reader, &field, PROTO_VARINT);
            while (proto_next_uint(&values, &value)) {
                is_same = n < 3 && value == expected[n++] && is_same;
            }
        }
        ok(is_same && n == 3 && !is_broken, "%s numbers are read", i ? "single" : "packed");
    }
    struct proto_reader reader = proto_reader(from_hex(arena, "0a0901000000000000000203"), &is_broken);
    (void)proto_next(&reader, &field);
    struct proto_reader values = proto_values(&reader, &field, PROTO_64);
    ok(proto_next_64(&values, &value) && value == 1, "a packed fixed64 is read");
    ok(!proto_next_64(&values, &value) && is_broken, "  half a one more breaks");
}

static void test_types(struct arena *arena)
{
    static const char *const digits[] = { "089601", "09000000000000f83f", "120774657374696e67" };
    bool is_broken;
    struct proto_field field;

    for (int i = 0; i < 3; i++) {
        for (int asked = 0; asked < 3; asked++) {
            is_broken = false;
            struct proto_reader reader = proto_reader(from_hex(arena, digits[i]), &is_broken);
            (void)proto_next(&reader, &field);
            if (asked == 0) {
                (void)proto_uint(&reader, &field);
            } else if (asked == 1) {
                (void)proto_fixed64(&reader, &field);
            } else {
                (void)proto_bytes(&reader, &field);
            }
            is_int(is_broken, i != asked, "wire type %d asked for as %d", i, asked);
        }
    }
}

static void test_writing(struct arena *arena)
{
    struct buf out;

    buf_init(&out, arena, 100);
    proto_put_uint(&out, 1, 150);
    proto_put_bytes(&out, 2, STR("testing"));
    proto_put_64(&out, 3, 1);
    proto_put_32(&out, 4, 2);
    size_t opened = proto_open(&out, 5);
    proto_put_uint(&out, 1, 150);
    proto_close(&out, opened);
    struct str expected = from_hex(arena, "089601" "120774657374696e67" "190100000000000000"
                                          "2502000000" "2a8380808000089601");
    ok(str_equal(buf_str(&out), expected), "fields are written as the documentation has them");
    buf_init(&out, arena, 3);
    opened = proto_open(&out, 5);
    proto_close(&out, opened);
    ok(out.is_broken, "and not beyond the cap");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);

    test_messages(arena);
    test_nested(arena);
    test_repeated(arena);
    test_types(arena);
    test_writing(arena);
    arena_free(arena);
    return done_testing();
}
