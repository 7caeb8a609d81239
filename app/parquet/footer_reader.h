/* The footer of a file of ours: its schema and notes, and then its row groups one after another.
 * Used by reader.c. */
#ifndef TIDEMARK_PARQUET_FOOTER_READER_H
#define TIDEMARK_PARQUET_FOOTER_READER_H

#include "base/op.h"
#include "parquet/format.h"
#include "parquet/thrift.h"

struct footer {
    struct op *op;
    int64_t data_bytes; /* of the file before the footer */
    struct parquet_column columns[PARQUET_MAX_COLUMNS];
    struct parquet_schema schema;
    struct parquet_note notes[PARQUET_MAX_NOTES];
    int n_notes;
    int64_t n_rows;
    struct thrift_reader groups; /* at the next row group */
    size_t n_groups;             /* that are to come */
};

/* A row group: its columns lie one after another. */
struct footer_group {
    int64_t n_rows;
    int64_t offset;                        /* of the first column */
    size_t bytes[PARQUET_MAX_COLUMNS];     /* of each column's chunk */
    size_t total;                          /* of all of them */
};

/* Reads all but the groups. `bytes` have to outlive the footer. ERR_INVALID for what our writer
 * does not write. */
enum err footer_read(struct footer *footer, struct str bytes) MUST_CHECK;

/* The next group; there has to be one. */
enum err footer_next_group(struct footer *footer, struct footer_group *out) MUST_CHECK;

#endif
