/* Numbers of the Parquet format (parquet.thrift of apache/parquet-format) that writer and reader
 * share. Known in this layer only. */
#ifndef TIDEMARK_PARQUET_FORMAT_H
#define TIDEMARK_PARQUET_FORMAT_H

#include "parquet/parquet.h"

#define PARQUET_MAGIC STR("PAR1")
#define PARQUET_TAIL_BYTES 8 /* the footer's length and the magic */

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };
enum {
    ENCODING_PLAIN = 0,
    ENCODING_RLE = 3,
    ENCODING_DELTA_BINARY_PACKED = 5,
    ENCODING_RLE_DICTIONARY = 8
};
enum { CODEC_ZSTD = 6 };
enum { REPETITION_REQUIRED = 0, REPETITION_OPTIONAL = 1 };
enum { CONVERTED_NONE = -1, CONVERTED_UTF8 = 0, CONVERTED_TIMESTAMP_MICROS = 10 };
enum { LOGICAL_NONE = 0, LOGICAL_STRING = 1, LOGICAL_TIMESTAMP = 8 };

/* DELTA_BINARY_PACKED: what one block of ours holds. */
#define DELTA_BLOCK 128
#define DELTA_MINIBLOCKS 4
#define DELTA_MINIBLOCK (DELTA_BLOCK / DELTA_MINIBLOCKS)

/* Bounds of what is written, so that what is read has some, too. */
#define MAX_PAGE_BYTES (PARQUET_MAX_STRING_BYTES + (2u << 20)) /* of a page, unpacked */
#define MAX_CHUNK_BYTES (48u << 20)  /* of a column in a row group, packed */
#define MAX_FOOTER_BYTES (16u << 20)

/* How a type is stored. */
struct parquet_storage {
    int physical;  /* the format's Type */
    int converted; /* its older word for what a value means */
    int logical;   /* field of the union LogicalType */
    int bytes;     /* of a PLAIN value; 0: a length goes before it, -1: a bit */
};

/* By enum parquet_type. */
extern const struct parquet_storage parquet_storage[PARQUET_TYPES];

#endif
