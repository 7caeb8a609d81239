/* What a Parquet file of ours is: flat columns of a few types. Written by writer.h, read back by
 * reader.h; for everybody else the files are ordinary ones (parquet.apache.org/docs/file-format,
 * version 2.9 of the format). */
#ifndef TIDEMARK_PARQUET_PARQUET_H
#define TIDEMARK_PARQUET_PARQUET_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum parquet_type {
    PARQUET_BOOLEAN,
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_DOUBLE,
    PARQUET_STRING, /* UTF-8 */
    PARQUET_TIME,   /* µs since 1970, UTC */
    PARQUET_TYPES
};

struct parquet_column {
    const char *name;
    enum parquet_type type;
    bool is_nullable;
};

#define PARQUET_MEDIA_TYPE "application/vnd.apache.parquet" /* as IANA has it */
#define PARQUET_MAX_COLUMNS 32
/* Of one value. An event's data of 64 KiB is 9.4 MB as the database writes it, where all of it is
 * numbers as 1e1000. */
#define PARQUET_MAX_STRING_BYTES (12u << 20)

struct parquet_schema {
    const struct parquet_column *columns;
    int n_columns; /* 1 to PARQUET_MAX_COLUMNS */
};

/* A word about the whole file, in its footer. */
struct parquet_note {
    const char *key, *value;
};
#define PARQUET_MAX_NOTES 16

#endif
