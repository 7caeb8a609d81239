/* One column of the row group that is being read: its pages are unpacked one after another. Used by
 * reader.c. */
#ifndef TIDEMARK_PARQUET_COLUMN_READER_H
#define TIDEMARK_PARQUET_COLUMN_READER_H

#include "base/buf.h"
#include "base/op.h"
#include "parquet/format.h"
#include "parquet/reader.h"

#include <zstd.h>

struct column_reader {
    struct op *op;
    const struct parquet_column *spec;
    ZSTD_DCtx *zstd;          /* shared by all columns */
    struct str rest;          /* of the chunk: the pages that are to come */
    int64_t n_left;           /* rows that are to come, those of the page included */
    struct buf page;          /* the page, unpacked; texts lie in it */
    struct buf dictionary;    /* the dictionary's page, and where its entries begin */
    struct buf entries;       /* struct parquet_value each */
    struct buf levels;        /* uint32_t each: 0 for NULL */
    struct buf places;        /* uint32_t each: in the dictionary; or int64_t each */
    struct buf values;        /* struct parquet_value each, without NULLs */
    uint32_t n_rows, at_row, at_value; /* of the page, and how far it was read */
};

/* All memory is of op's arena; the rest outlives the reader. */
void column_reader_init(struct column_reader *column, struct op *op,
                        const struct parquet_column *spec, ZSTD_DCtx *zstd);

/* Begins with the chunk of a row group of so many rows; it stays the caller's. */
void column_reader_begin(struct column_reader *column, struct str chunk, int64_t n_rows);

/* The value of the next row. ERR_INVALID for a chunk that is not one of ours. */
enum err column_reader_next(struct column_reader *column, struct parquet_value *out) MUST_CHECK;

/* Goes by so many rows, which have to be there; whole pages of them are not unpacked. ERR_INVALID
 * as above. */
enum err column_reader_skip(struct column_reader *column, int64_t n) MUST_CHECK;

/* Whether nothing is left of the chunk. */
bool column_reader_is_done(const struct column_reader *column);

#endif
