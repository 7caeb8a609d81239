/* Protocol Buffers on the wire: keys, varints, fixed values and lengths, each checked against
 * the end before it is looked at. Called by the formats of ingest that speak it. */
#include "base/proto.h"

#define MAX_FIELD_NUMBER ((1u << 29) - 1)

/* A message's length is written before its content is known: as a varint of this many bytes,
 * with leading zeros, which every reader takes. */
#define LENGTH_BYTES 5

/* ---- reading ---- */

static void break_reader(struct proto_reader *reader)
{
    *reader->is_broken = true;
    reader->at = reader->end;
}

struct proto_reader proto_reader(struct str message, bool *is_broken)
{
    const char *at = message.ptr ? message.ptr : ""; /* NULL of an empty one has no end */

    return (struct proto_reader){ at, at + message.len, is_broken };
}

/* At most ten bytes, of which the last adds one bit. */
static bool read_varint(struct proto_reader *reader, uint64_t *out)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint64_t byte = (unsigned char)*reader->at++;
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    break_reader(reader);
    return false;
}

static bool take(struct proto_reader *reader, uint64_t len, struct str *out)
{
    if (len > (uint64_t)(reader->end - reader->at)) {
        break_reader(reader);
        return false;
    }
    *out = (struct str){ reader->at, (size_t)len };
    reader->at += len;
    return true;
}

static bool read_value(struct proto_reader *reader, struct proto_field *field)
{
    const char *start = reader->at;
    uint64_t number;

    switch (field->wire) {
    case PROTO_VARINT:
        if (!read_varint(reader, &number)) {
            return false;
        }
        field->bytes = (struct str){ start, (size_t)(reader->at - start) };
        return true;
    case PROTO_64: return take(reader, 8, &field->bytes);
    case PROTO_32: return take(reader, 4, &field->bytes);
    case PROTO_BYTES: return read_varint(reader, &number) && take(reader, number, &field->bytes);
    }
    break_reader(reader); /* a group, which no message of ours has, or no wire type at all */
    return false;
}

bool proto_next(struct proto_reader *reader, struct proto_field *out)
{
    uint64_t key;

    if (*reader->is_broken || reader->at == reader->end || !read_varint(reader, &key)) {
        return false;
    }
    if (key >> 3 == 0 || key >> 3 > MAX_FIELD_NUMBER) {
        break_reader(reader);
        return false;
    }
    *out = (struct proto_field){ .number = (uint32_t)(key >> 3), .wire = key & 7 };
    return read_value(reader, out);
}

static bool has_wire(struct proto_reader *reader, const struct proto_field *field,
                     enum proto_wire wire)
{
    if (field->wire != wire) {
        break_reader(reader);
    }
    return field->wire == wire;
}

struct proto_reader proto_values(struct proto_reader *reader, const struct proto_field *field,
                                 enum proto_wire element)
{
    if (field->wire != PROTO_BYTES && !has_wire(reader, field, element)) {
        return proto_reader((struct str){ reader->end, 0 }, reader->is_broken);
    }
    return proto_reader(field->bytes, reader->is_broken);
}

bool proto_next_uint(struct proto_reader *values, uint64_t *out)
{
    return !*values->is_broken && values->at < values->end && read_varint(values, out);
}

bool proto_next_64(struct proto_reader *values, uint64_t *out)
{
    struct str bytes;
    uint64_t value = 0;

    if (*values->is_broken || values->at == values->end || !take(values, 8, &bytes)) {
        return false;
    }
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | (unsigned char)bytes.ptr[i];
    }
    *out = value;
    return true;
}

uint64_t proto_uint(struct proto_reader *reader, const struct proto_field *field)
{
    struct proto_reader values = proto_reader(field->bytes, reader->is_broken);
    uint64_t value = 0;

    if (has_wire(reader, field, PROTO_VARINT)) {
        (void)proto_next_uint(&values, &value);
    }
    return value;
}

int64_t proto_int(struct proto_reader *reader, const struct proto_field *field)
{
    return (int64_t)proto_uint(reader, field);
}

uint64_t proto_fixed64(struct proto_reader *reader, const struct proto_field *field)
{
    struct proto_reader values = proto_reader(field->bytes, reader->is_broken);
    uint64_t value = 0;

    if (has_wire(reader, field, PROTO_64)) {
        (void)proto_next_64(&values, &value);
    }
    return value;
}

double proto_to_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t proto_from_double(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

double proto_double(struct proto_reader *reader, const struct proto_field *field)
{
    return proto_to_double(proto_fixed64(reader, field));
}

struct str proto_bytes(struct proto_reader *reader, const struct proto_field *field)
{
    return has_wire(reader, field, PROTO_BYTES) ? field->bytes : (struct str){ "", 0 };
}

struct proto_reader proto_message(struct proto_reader *reader, const struct proto_field *field)
{
    return proto_reader(proto_bytes(reader, field), reader->is_broken);
}

/* ---- writing ---- */

static void put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_char(out, (char)(unsigned char)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    buf_add_char(out, (char)value);
}

static void put_key(struct buf *out, uint32_t number, enum proto_wire wire)
{
    put_varint(out, (uint64_t)number << 3 | wire);
}

static void put_fixed(struct buf *out, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        buf_add_char(out, (char)(unsigned char)(value >> 8 * i));
    }
}

void proto_put_uint(struct buf *out, uint32_t number, uint64_t value)
{
    put_key(out, number, PROTO_VARINT);
    put_varint(out, value);
}

void proto_put_64(struct buf *out, uint32_t number, uint64_t value)
{
    put_key(out, number, PROTO_64);
    put_fixed(out, value, 8);
}

void proto_put_32(struct buf *out, uint32_t number, uint32_t value)
{
    put_key(out, number, PROTO_32);
    put_fixed(out, value, 4);
}

void proto_put_bytes(struct buf *out, uint32_t number, struct str bytes)
{
    put_key(out, number, PROTO_BYTES);
    put_varint(out, bytes.len);
    buf_add_str(out, bytes);
}

size_t proto_open(struct buf *out, uint32_t number)
{
    static const char room[LENGTH_BYTES];

    put_key(out, number, PROTO_BYTES);
    buf_add(out, room, sizeof room);
    return out->len;
}

void proto_close(struct buf *out, size_t opened)
{
    if (out->is_broken) {
        return;
    }
    uint64_t len = out->len - opened;
    for (size_t i = 0; i < LENGTH_BYTES; i++) {
        unsigned char more = i + 1 < LENGTH_BYTES ? 0x80 : 0;
        out->data[opened - LENGTH_BYTES + i] = (char)(unsigned char)((len >> 7 * i & 0x7f) | more);
    }
}
