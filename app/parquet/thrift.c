/* The compact protocol. Numbers are zigzag varints; a field is told by how far its number is from
 * the one before it. */
#include "parquet/thrift.h"

#include <assert.h>

/* ---- writing ---- */

struct thrift_writer thrift_writer(struct buf *out)
{
    return (struct thrift_writer){ .out = out };
}

static void put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_char(out, (char)(unsigned char)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    buf_add_char(out, (char)value);
}

static void put_zigzag(struct buf *out, int64_t value)
{
    put_varint(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_field(struct thrift_writer *writer, int16_t field, enum thrift_type type)
{
    int16_t *last = &writer->last[writer->depth];

    assert(field > *last);
    if (field - *last <= 15) {
        buf_add_char(writer->out, (char)(unsigned char)((field - *last) << 4 | (int)type));
    } else {
        buf_add_char(writer->out, (char)type);
        put_zigzag(writer->out, field);
    }
    *last = field;
}

void thrift_put_int(struct thrift_writer *writer, int16_t field, enum thrift_type type,
                    int64_t value)
{
    put_field(writer, field, type);
    put_zigzag(writer->out, value);
}

void thrift_put_bool(struct thrift_writer *writer, int16_t field, bool value)
{
    put_field(writer, field, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_put_bytes(struct thrift_writer *writer, int16_t field, struct str bytes)
{
    put_field(writer, field, THRIFT_BINARY);
    thrift_item_bytes(writer, bytes);
}

void thrift_open(struct thrift_writer *writer, int16_t field)
{
    if (field > 0) {
        put_field(writer, field, THRIFT_STRUCT);
    }
    assert(writer->depth + 1 < THRIFT_MAX_DEPTH);
    writer->last[++writer->depth] = 0;
}

void thrift_close(struct thrift_writer *writer)
{
    buf_add_char(writer->out, THRIFT_STOP);
    writer->depth -= writer->depth > 0;
}

void thrift_put_list(struct thrift_writer *writer, int16_t field, enum thrift_type element,
                     size_t n)
{
    put_field(writer, field, THRIFT_LIST);
    buf_add_char(writer->out, (char)(unsigned char)((n < 15 ? n : 15) << 4 | element));
    if (n >= 15) {
        put_varint(writer->out, n);
    }
}

void thrift_item_int(struct thrift_writer *writer, int64_t value)
{
    put_zigzag(writer->out, value);
}

void thrift_item_bytes(struct thrift_writer *writer, struct str bytes)
{
    put_varint(writer->out, bytes.len);
    buf_add_str(writer->out, bytes);
}

/* ---- reading ---- */

struct thrift_reader thrift_reader(struct str bytes)
{
    return (struct thrift_reader){ .at = bytes.ptr, .end = bytes.ptr + bytes.len };
}

static void break_reader(struct thrift_reader *reader)
{
    reader->is_broken = true;
    reader->at = reader->end;
}

static unsigned read_byte(struct thrift_reader *reader)
{
    if (reader->at == reader->end) {
        break_reader(reader);
        return 0;
    }
    return (unsigned char)*reader->at++;
}

static uint64_t read_varint(struct thrift_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = read_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    break_reader(reader);
    return 0;
}

static int64_t read_zigzag(struct thrift_reader *reader)
{
    uint64_t value = read_varint(reader);

    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

static struct str read_bytes(struct thrift_reader *reader)
{
    uint64_t len = read_varint(reader);

    if (len > (uint64_t)(reader->end - reader->at)) {
        break_reader(reader);
        return (struct str){ "", 0 };
    }
    struct str bytes = { reader->at, (size_t)len };
    reader->at += len;
    return bytes;
}

int16_t thrift_next(struct thrift_reader *reader)
{
    unsigned head = read_byte(reader);
    int64_t number = reader->last[reader->depth] + (int64_t)(head >> 4);

    reader->type = head & 15;
    if (reader->is_broken || reader->type == THRIFT_STOP) {
        reader->depth -= reader->depth > 0;
        return 0;
    }
    if (head >> 4 == 0) {
        number = read_zigzag(reader);
    }
    if (reader->type > THRIFT_STRUCT || number <= 0 || number > INT16_MAX) {
        break_reader(reader);
        return 0;
    }
    return reader->last[reader->depth] = (int16_t)number;
}

static bool has_type(struct thrift_reader *reader, bool is_it)
{
    if (!is_it) {
        break_reader(reader);
    }
    return !reader->is_broken;
}

int64_t thrift_int(struct thrift_reader *reader)
{
    bool is_it = reader->type >= THRIFT_I16 && reader->type <= THRIFT_I64;

    return has_type(reader, is_it) ? read_zigzag(reader) : 0;
}

struct str thrift_bytes(struct thrift_reader *reader)
{
    return has_type(reader, reader->type == THRIFT_BINARY) ? read_bytes(reader)
                                                           : (struct str){ "", 0 };
}

void thrift_enter_item(struct thrift_reader *reader)
{
    if (has_type(reader, reader->depth + 1 < THRIFT_MAX_DEPTH)) {
        reader->last[++reader->depth] = 0;
    }
}

void thrift_enter(struct thrift_reader *reader)
{
    if (has_type(reader, reader->type == THRIFT_STRUCT)) {
        thrift_enter_item(reader);
    }
}

/* The head of a list: how many elements, and of what type. */
static size_t read_list(struct thrift_reader *reader, enum thrift_type *element)
{
    unsigned head = read_byte(reader);
    uint64_t n = head >> 4;

    *element = head & 15;
    if (n == 15) {
        n = read_varint(reader);
    }
    if (n > (uint64_t)(reader->end - reader->at)) {
        break_reader(reader);
        return 0;
    }
    return (size_t)n;
}

size_t thrift_list(struct thrift_reader *reader, enum thrift_type element)
{
    enum thrift_type type;
    size_t n;

    if (!has_type(reader, reader->type == THRIFT_LIST)) {
        return 0;
    }
    n = read_list(reader, &type);
    return n == 0 || has_type(reader, type == element) ? n : 0;
}

static void skip_value(struct thrift_reader *reader, enum thrift_type type, int depth);

static void skip_elements(struct thrift_reader *reader, int depth)
{
    enum thrift_type element;
    size_t n = read_list(reader, &element);

    for (size_t i = 0; i < n && !reader->is_broken; i++) {
        if (element == THRIFT_TRUE || element == THRIFT_FALSE) {
            (void)read_byte(reader); /* in a list they have one */
        } else {
            skip_value(reader, element, depth);
        }
    }
}

static void skip_fields(struct thrift_reader *reader, int depth)
{
    unsigned head;

    while ((head = read_byte(reader)) != THRIFT_STOP && !reader->is_broken) {
        if (head >> 4 == 0) {
            (void)read_zigzag(reader);
        }
        skip_value(reader, head & 15, depth);
    }
}

static void skip_value(struct thrift_reader *reader, enum thrift_type type, int depth)
{
    switch (depth < THRIFT_MAX_DEPTH ? type : THRIFT_STOP) {
    case THRIFT_TRUE:
    case THRIFT_FALSE: break;
    case THRIFT_BYTE: (void)read_byte(reader); break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64: (void)read_varint(reader); break;
    case THRIFT_DOUBLE:
        for (int i = 0; i < 8; i++) {
            (void)read_byte(reader);
        }
        break;
    case THRIFT_BINARY: (void)read_bytes(reader); break;
    case THRIFT_LIST:
    case THRIFT_SET: skip_elements(reader, depth + 1); break;
    case THRIFT_STRUCT: skip_fields(reader, depth + 1); break;
    default: break_reader(reader); /* a map, which no header of Parquet has, or too deep */
    }
}

void thrift_skip(struct thrift_reader *reader)
{
    if (!reader->is_broken) {
        skip_value(reader, reader->type, reader->depth);
    }
}
