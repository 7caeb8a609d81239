/* Writes a Parquet file row by row into a sink, as it comes: what is held is a row group at a
 * time, packed with zstd, at most PARQUET_GROUP_BYTES and some pages. Each value of a row is put
 * into its column, then the row is ended. Called by who archives and who exports. */
#ifndef TIDEMARK_PARQUET_WRITER_H
#define TIDEMARK_PARQUET_WRITER_H

#include "base/op.h"
#include "parquet/parquet.h"

#define PARQUET_GROUP_ROWS 262144        /* a row group ends with so many rows, */
#define PARQUET_GROUP_BYTES (8u << 20)   /* or so many bytes, packed */
#define PARQUET_PAGE_ROWS 20000
#define PARQUET_PAGE_BYTES (1u << 20)    /* unpacked */

/* Takes the file's next bytes; a failure of it ends the writing. */
typedef enum err (*parquet_sink)(void *context, const void *bytes, size_t len);

struct parquet_writer;

/* Begins a file. All memory is of op's arena; schema and its names have to outlive the writer. */
enum err parquet_begin(struct op *op, const struct parquet_schema *schema, parquet_sink sink,
                       void *context, struct parquet_writer **out) MUST_CHECK;

/* The row's value in a column (from 0), of the type that the schema gives it; once a row. A
 * column that is not put gets NULL, or where it has none 0. */
void parquet_put_bool(struct parquet_writer *writer, int column, bool value);
void parquet_put_int(struct parquet_writer *writer, int column, int64_t value); /* INT32, too */
void parquet_put_time(struct parquet_writer *writer, int column, int64_t time_us);
void parquet_put_double(struct parquet_writer *writer, int column, double value);
/* UTF-8, which is not looked at, and copied; ptr NULL: NULL. */
void parquet_put_str(struct parquet_writer *writer, int column, struct str value);

/* Ends the row. ERR_TOO_LARGE for a text over PARQUET_MAX_STRING_BYTES, or the sink's failure;
 * after one nothing more is written. */
enum err parquet_end_row(struct parquet_writer *writer) MUST_CHECK;

/* Ends the row group before it is full, so that the sink has all rows so far; nothing where it has.
 * Many small groups make a large file. ERR_TOO_LARGE for too many, or the sink's failure. */
enum err parquet_end_group(struct parquet_writer *writer) MUST_CHECK;

/* Rows so far. */
int64_t parquet_rows(const struct parquet_writer *writer);

/* Ends the file with its footer; `notes` (PARQUET_MAX_NOTES at most) may be NULL where n is 0. */
enum err parquet_end(struct parquet_writer *writer, const struct parquet_note *notes,
                     int n) MUST_CHECK;

#endif
