/* Reads back what writer.h wrote, row by row, a row group in memory at a time; refuses every other
 * Parquet file with a word on what it cannot read. Safe on whatever bytes. Called by who verifies,
 * restores and answers from archives. */
#ifndef TIDEMARK_PARQUET_READER_H
#define TIDEMARK_PARQUET_READER_H

#include "base/op.h"
#include "parquet/parquet.h"

/* Where the file's bytes come from: `read` fills `out` with `len` of them from `offset` on, which
 * are there, or fails. */
struct parquet_source {
    void *context;
    int64_t bytes; /* of the file */
    enum err (*read)(void *context, int64_t offset, size_t len, char *out);
};

/* A value of a row: the member that its column's type says. */
struct parquet_value {
    bool is_null;
    union {
        int64_t number;  /* BOOLEAN (0 or 1), INT32, INT64; TIME in µs since 1970 */
        double real;
        struct str text; /* until the next row is read */
    };
};

struct parquet_reader;

/* Reads the footer. All memory is of op's arena; the source has to outlive the reader. ERR_INVALID
 * where the file is not one of ours, or the source's failure. */
enum err parquet_open(struct op *op, const struct parquet_source *source,
                      struct parquet_reader **out) MUST_CHECK;

const struct parquet_schema *parquet_schema(const struct parquet_reader *reader);
/* Rows of the file, as its footer has it. */
int64_t parquet_total(const struct parquet_reader *reader);
/* The note of that key; NULL where there is none. */
const char *parquet_note(const struct parquet_reader *reader, const char *key);

/* The next row: a value for each column of the schema. *is_end: there was none left, and each row
 * of the footer has been read. ERR_INVALID for damaged bytes, or the source's failure. */
enum err parquet_next(struct parquet_reader *reader, struct parquet_value *row,
                      bool *is_end) MUST_CHECK;

/* The same for the next row whose column `column`, a text that is never NULL, is `text`. Of row
 * groups without one that column alone is read; what they hold else is not looked at. */
enum err parquet_find(struct parquet_reader *reader, int column, struct str text,
                      struct parquet_value *row, bool *is_end) MUST_CHECK;

#endif
