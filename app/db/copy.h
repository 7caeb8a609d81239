/* Binary COPY into a table, for the ingest writer, import and seed. Rows are built in
 * the caller's buffer by the db_copy_* calls, then sent whole. */
#ifndef TIDEMARK_DB_COPY_H
#define TIDEMARK_DB_COPY_H

#include "base/buf.h"
#include "db/db.h"

/* Starts a row of `n_fields`. The first call on an empty buffer writes the COPY header. */
void db_copy_row(struct buf *rows, int n_fields);
void db_copy_int(struct buf *rows, int32_t value);
void db_copy_int64(struct buf *rows, int64_t value);
void db_copy_double(struct buf *rows, double value);
void db_copy_time(struct buf *rows, int64_t time_us);
void db_copy_str(struct buf *rows, struct str value); /* text; ptr NULL: SQL NULL */
void db_copy_jsonb(struct buf *rows, struct str value);
void db_copy_uuid(struct buf *rows, const uint8_t uuid[16]); /* NULL: SQL NULL */
void db_copy_null(struct buf *rows);

/* Sends the buffer (its trailer is added here) through a `COPY … FROM STDIN (FORMAT binary)`
 * query of sql/queries/ and returns how many rows the server stored. Errors as db_run. */
enum err db_copy_send(struct db_tx *tx, const struct db_query *copy, struct buf *rows,
                      int64_t *out_rows) MUST_CHECK;

#endif
