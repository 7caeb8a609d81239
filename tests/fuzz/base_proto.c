/* The reader of protobuf on whatever bytes: every field lies within the message, and what it reads,
 * written again by the writer, is read as the same. */
#include "base/proto.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static uint64_t little_endian(struct str bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes.len; i > 0; i--) {
        value = value << 8 | (uint8_t)bytes.ptr[i - 1];
    }
    return value;
}

static void write_again(struct buf *out, struct proto_reader *reader, const struct proto_field *field)
{
    switch (field->wire) {
    case PROTO_VARINT: proto_put_uint(out, field->number, proto_uint(reader, field)); break;
    case PROTO_64: proto_put_64(out, field->number, little_endian(field->bytes)); break;
    case PROTO_32: proto_put_32(out, field->number, (uint32_t)little_endian(field->bytes)); break;
    case PROTO_BYTES: proto_put_bytes(out, field->number, proto_bytes(reader, field)); break;
    }
}

static bool is_same(struct proto_reader *a, const struct proto_field *x, struct proto_reader *b,
                    const struct proto_field *y)
{
    if (x->number != y->number || x->wire != y->wire) {
        return false;
    }
    return x->wire == PROTO_VARINT ? proto_uint(a, x) == proto_uint(b, y) : str_equal(x->bytes, y->bytes);
}

/* Packed values: as varints and as 64-bit ones, whatever they are. */
static void walk_values(struct str bytes)
{
    bool is_broken = false;
    struct proto_reader reader = proto_reader(bytes, &is_broken);
    uint64_t value;
    size_t n = 0;

    while (proto_next_uint(&reader, &value)) {
        n++;
    }
    require(n <= bytes.len && (is_broken || (n > 0) == (bytes.len > 0)), "a varint has a byte at least");
    is_broken = false;
    reader = proto_reader(bytes, &is_broken);
    for (n = 0; proto_next_64(&reader, &value); n++) {
    }
    require(n == bytes.len / 8 && is_broken == (bytes.len % 8 != 0), "the others have eight");
}

static void walk(struct arena *arena, struct str message, int depth)
{
    bool is_broken = false, is_again_broken = false;
    struct proto_reader reader = proto_reader(message, &is_broken), first = reader;
    struct proto_field field, again_field;
    struct buf out;

    buf_init(&out, arena, 1u << 20);
    while (proto_next(&reader, &field)) {
        require(field.number > 0 && field.number < 1u << 29, "a field's number is one");
        require(field.bytes.len <= message.len, "and its value within the message");
        if (field.wire == PROTO_BYTES && depth < MAX_DEPTH) {
            walk_values(field.bytes);
            walk(arena, field.bytes, depth + 1);
        }
        write_again(&out, &reader, &field);
    }
    require(!out.is_broken, "there is room");
    is_broken = false;
    struct proto_reader again = proto_reader(buf_str(&out), &is_again_broken);
    while (proto_next(&again, &again_field)) {
        require(proto_next(&first, &field), "nothing is there that was not written");
        require(is_same(&first, &field, &again, &again_field), "what is written is read as the same");
    }
    require(!is_again_broken && !proto_next(&first, &field), "and all of it");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64u << 20);

    if (size <= 4096) { /* a message in a message is walked once for each depth */
        walk(arena, (struct str){ (const char *)data, size }, 0);
    }
    arena_free(arena);
    return 0;
}
