/* Thrift's compact protocol (thrift-compact-protocol.md of apache/thrift), in which Parquet writes
 * its headers: structures of numbered fields, lists, varints. What a field means is the caller's
 * business. */
#ifndef TIDEMARK_PARQUET_THRIFT_H
#define TIDEMARK_PARQUET_THRIFT_H

#include "base/buf.h"

enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_BYTE = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12
};

/* ---- writing ---- */

#define THRIFT_MAX_DEPTH 8

/* A structure's fields go in the order of their numbers. */
struct thrift_writer {
    struct buf *out;
    int16_t last[THRIFT_MAX_DEPTH]; /* the number of the last field, by depth */
    int depth;
};

struct thrift_writer thrift_writer(struct buf *out);
void thrift_put_int(struct thrift_writer *writer, int16_t field, enum thrift_type type,
                    int64_t value); /* I16, I32 or I64 */
void thrift_put_bool(struct thrift_writer *writer, int16_t field, bool value);
void thrift_put_bytes(struct thrift_writer *writer, int16_t field, struct str bytes);
/* A structure as a field, or (field 0) as an element of a list. */
void thrift_open(struct thrift_writer *writer, int16_t field);
/* Ends the innermost structure, at last the outermost one. */
void thrift_close(struct thrift_writer *writer);
/* Its `n` elements follow: structures, or those of the two functions below. */
void thrift_put_list(struct thrift_writer *writer, int16_t field, enum thrift_type element,
                     size_t n);
void thrift_item_int(struct thrift_writer *writer, int64_t value);
void thrift_item_bytes(struct thrift_writer *writer, struct str bytes);

/* ---- reading ---- */

/* Breaks at the first byte that is not the protocol's or a type other than asked for, stays
 * broken, and gives zeros from then on; one look at is_broken at the end is enough. */
struct thrift_reader {
    const char *at, *end;
    int16_t last[THRIFT_MAX_DEPTH];
    int depth;
    bool is_broken;
    enum thrift_type type; /* of the field that thrift_next stepped to */
};

struct thrift_reader thrift_reader(struct str bytes);
/* Steps to the next field of the innermost structure: its number, or 0 at its end (which is
 * passed) or when broken. Its value has to be read or passed over before the next step. */
int16_t thrift_next(struct thrift_reader *reader);
int64_t thrift_int(struct thrift_reader *reader); /* I16, I32, I64 */
struct str thrift_bytes(struct thrift_reader *reader); /* within the bytes read from */
/* Enters the structure that is the field's value; or that is the next element of a list. */
void thrift_enter(struct thrift_reader *reader);
void thrift_enter_item(struct thrift_reader *reader);
/* How many elements a list has, all of type `element`; each has a byte at least. */
size_t thrift_list(struct thrift_reader *reader, enum thrift_type element);
/* Passes over the field's value, whatever it is. */
void thrift_skip(struct thrift_reader *reader);

#endif
