/* One column of the row group that is being written: its values until a page is full, its pages
 * until the group is. Used by writer.c. */
#ifndef TIDEMARK_PARQUET_COLUMN_WRITER_H
#define TIDEMARK_PARQUET_COLUMN_WRITER_H

#include "base/op.h"
#include "parquet/dictionary.h"
#include "parquet/format.h"
#include "parquet/thrift.h"

#include <zstd.h>

/* What all columns of a file share. */
struct column_room {
    struct op *op;
    ZSTD_CCtx *zstd;
    struct buf page, packed; /* a page before and after it is packed */
    struct buf text;         /* a text with its length before it */
};

/* The least and the greatest value, as PLAIN bytes. */
struct column_range {
    bool is_known; /* false: none yet */
    bool has_nan;  /* then there is no order, and none is written */
    int64_t least, most;         /* whole numbers and times */
    double least_real, most_real;
    struct buf least_text, most_text;
    bool is_long;  /* a text was too long to be kept: none is written */
};

struct column_writer {
    const struct parquet_column *spec;
    struct column_room *room;
    bool has_dictionary; /* of this group, so far */
    struct dictionary dictionary;
    struct buf values;   /* of the page: PLAIN, or int64_t, or uint32_t places in the dictionary */
    struct buf levels;   /* uint32_t each: 1, 0 for NULL; where there are NULLs */
    uint32_t n_rows, n_values; /* of the page; without NULLs */
    struct buf chunk;    /* the pages of the group, packed, with their heads */
    int64_t n_all, n_null, raw_bytes;
    bool has_plain_page, has_dictionary_page; /* how pages of the group refer to values */
    struct column_range range;
    bool is_put;         /* the row that is open has a value here */
};

/* False without memory. */
bool column_init(struct column_writer *column, const struct parquet_column *spec,
                 struct column_room *room);

/* A value of the row; a page that is full is packed. Failures are the room's op's. */
enum err column_put_number(struct column_writer *column, int64_t value) MUST_CHECK;
enum err column_put_double(struct column_writer *column, double value) MUST_CHECK;
enum err column_put_str(struct column_writer *column, struct str value) MUST_CHECK;
enum err column_put_null(struct column_writer *column) MUST_CHECK;

/* Packs what is left of the page, so that the chunk is whole. */
enum err column_end(struct column_writer *column) MUST_CHECK;

/* The dictionary's page, packed, into `out` (which is cleared); empty where there is none. */
enum err column_dictionary(struct column_writer *column, struct buf *out) MUST_CHECK;

/* The ColumnChunk of the footer: the chunk begins at `offset`, its dictionary's page (0: none) of
 * so many bytes first. */
void column_describe(const struct column_writer *column, struct thrift_writer *out,
                     int64_t offset, size_t dictionary_bytes);

/* Forgets the group. */
void column_clear(struct column_writer *column);

#endif
