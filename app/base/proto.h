/* The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): reading field
 * by field from bytes in memory, and writing what our answers hold. A reader of its own instead
 * of a library: the few messages that devices send are read once, straight into columns, and
 * nothing needs allocating for that. What a field means is the caller's business. */
#ifndef TIDEMARK_BASE_PROTO_H
#define TIDEMARK_BASE_PROTO_H

#include "base/buf.h"

enum proto_wire {
    PROTO_VARINT = 0, /* int, uint, sint, bool, enum */
    PROTO_64 = 1,     /* fixed64, sfixed64, double */
    PROTO_BYTES = 2,  /* string, bytes, message, packed values */
    PROTO_32 = 5      /* fixed32, sfixed32, float */
};

/* ---- reading ---- */

/* Reads one message. All readers of a body share one flag: it breaks at the first byte that is
 * not the format's, or the first field of another type than asked for, and stays broken; then
 * every loop ends, and one look at the flag tells. */
struct proto_reader {
    const char *at, *end;
    bool *is_broken;
};

struct proto_field {
    uint32_t number;
    enum proto_wire wire;
    struct str bytes; /* of the value: without the length where it is PROTO_BYTES */
};

struct proto_reader proto_reader(struct str message, bool *is_broken);

/* Steps to the next field; false at the end or when broken. Fields not asked for are passed over
 * by stepping on. */
bool proto_next(struct proto_reader *reader, struct proto_field *out);

/* The field's value; 0, empty, and the reader broken when it has another wire type. */
uint64_t proto_uint(struct proto_reader *reader, const struct proto_field *field);
int64_t proto_int(struct proto_reader *reader, const struct proto_field *field);
uint64_t proto_fixed64(struct proto_reader *reader, const struct proto_field *field);
double proto_double(struct proto_reader *reader, const struct proto_field *field);
struct str proto_bytes(struct proto_reader *reader, const struct proto_field *field);
struct proto_reader proto_message(struct proto_reader *reader, const struct proto_field *field);

/* The values of a repeated field that holds numbers, packed or one alone: a reader for
 * proto_next_uint or proto_next_64, each false at the end or when broken. */
struct proto_reader proto_values(struct proto_reader *reader, const struct proto_field *field,
                                 enum proto_wire element);
bool proto_next_uint(struct proto_reader *values, uint64_t *out);
bool proto_next_64(struct proto_reader *values, uint64_t *out);

double proto_to_double(uint64_t bits);
uint64_t proto_from_double(double value);

/* ---- writing; a buffer beyond its cap breaks as ever ---- */

void proto_put_uint(struct buf *out, uint32_t number, uint64_t value);
void proto_put_64(struct buf *out, uint32_t number, uint64_t value);
void proto_put_32(struct buf *out, uint32_t number, uint32_t value);
void proto_put_bytes(struct buf *out, uint32_t number, struct str bytes);

/* A message within the message: what is written between the two is its content. */
size_t proto_open(struct buf *out, uint32_t number);
void proto_close(struct buf *out, size_t opened);

#endif
