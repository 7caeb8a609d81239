/* A list as a Parquet file, which goes into the bodies of one response after another; what is kept
 * between them is a row group at most. Used by list.c and list_stream.c. */
#ifndef TIDEMARK_WEB_LIST_PARQUET_H
#define TIDEMARK_WEB_LIST_PARQUET_H

#include "base/buf.h"
#include "parquet/writer.h"

struct list_parquet {
    struct parquet_writer *writer;
    struct buf *body; /* of the response at hand */
    enum err err;     /* of a row; nothing is written after it */
    int64_t ready_us; /* monotonic; of the last page that had bytes */
};

/* Begins the file in a response's body. It lives in op's arena, and failures are op's, which has
 * to be the operation of all pages. */
enum err list_parquet_begin(struct op *op, const struct parquet_schema *schema, struct buf *body,
                            struct list_parquet **out) MUST_CHECK;

/* Ends the row whose values were put. */
void list_parquet_end_row(struct list_parquet *file);

/* Ends a page after which others follow. Where none has had bytes for some seconds the row group is
 * ended, so that a slow list is not taken for a dead one. The failure of a row, too. */
enum err list_parquet_end_page(struct list_parquet *file) MUST_CHECK;

/* Ends the file. Without that it is none: its footer is missing. The failure of a row, too. */
enum err list_parquet_end(struct list_parquet *file) MUST_CHECK;

#endif
