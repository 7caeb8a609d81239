/* Binary COPY: the format of PostgreSQL's documentation ("COPY", Binary Format), built in a
 * buffer, sent in pieces. Answers for the encoding and for ending the stream properly when it
 * fails; how many rows make a COPY worth while is the caller's business. */
#include "db/copy.h"

#include "db/pq.h"

#define SEND_PIECE_BYTES (256u << 10) /* libpq copies what it sends: keep its buffer small */

static const char signature[11] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0' };

/* The signature, no flags, no header extension. */
static void add_header(struct buf *rows)
{
    buf_add(rows, signature, sizeof signature);
    buf_add_be32(rows, 0);
    buf_add_be32(rows, 0);
}

void db_copy_row(struct buf *rows, int n_fields)
{
    if (rows->len == 0) {
        add_header(rows);
    }
    buf_add_be16(rows, (uint16_t)n_fields);
}

void db_copy_int(struct buf *rows, int32_t value)
{
    buf_add_be32(rows, 4);
    buf_add_be32(rows, (uint32_t)value);
}

void db_copy_int64(struct buf *rows, int64_t value)
{
    buf_add_be32(rows, 8);
    buf_add_be64(rows, (uint64_t)value);
}

void db_copy_double(struct buf *rows, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_add_be32(rows, 8);
    buf_add_be64(rows, bits);
}

void db_copy_time(struct buf *rows, int64_t time_us)
{
    db_copy_int64(rows, db_time_to_wire(time_us));
}

void db_copy_null(struct buf *rows)
{
    buf_add_be32(rows, UINT32_MAX);
}

/* A field of `len` bytes goes first; longer than a field can be breaks the buffer. */
static bool add_length(struct buf *rows, size_t len)
{
    if (len > INT32_MAX) {
        rows->is_broken = true;
        return false;
    }
    buf_add_be32(rows, (uint32_t)len);
    return true;
}

void db_copy_str(struct buf *rows, struct str value)
{
    if (!value.ptr) {
        db_copy_null(rows);
    } else if (add_length(rows, value.len)) {
        buf_add_str(rows, value);
    }
}

void db_copy_jsonb(struct buf *rows, struct str value)
{
    if (!value.ptr) {
        db_copy_null(rows);
    } else if (add_length(rows, value.len + 1)) {
        buf_add_char(rows, 1); /* the version of jsonb's wire form */
        buf_add_str(rows, value);
    }
}

void db_copy_uuid(struct buf *rows, const uint8_t uuid[16])
{
    if (!uuid) {
        db_copy_null(rows);
        return;
    }
    buf_add_be32(rows, 16);
    buf_add(rows, uuid, 16);
}

static bool send_pieces(PGconn *pq, const struct buf *rows)
{
    for (size_t at = 0; at < rows->len; at += SEND_PIECE_BYTES) {
        size_t left = rows->len - at;
        if (PQputCopyData(pq, rows->data + at,
                          (int)(left < SEND_PIECE_BYTES ? left : SEND_PIECE_BYTES)) != 1) {
            return false;
        }
    }
    return true;
}

/* Ends the stream, takes the outcome of the COPY and whatever follows it. */
static enum err finish(struct db_tx *tx, const struct db_query *copy, bool is_sent,
                       int64_t *out_rows)
{
    PGconn *pq = tx->conn->pq;
    enum err err = OK;
    long long count = 0;
    if (PQputCopyEnd(pq, is_sent ? NULL : "cannot send") != 1 && PQstatus(pq) != CONNECTION_OK) {
        return db_error_record(tx, NULL, copy->name);
    }
    db_await(tx->conn, tx->op);
    for (PGresult *result; (result = PQgetResult(pq)) != NULL; PQclear(result)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            err = err ? err : db_error_record(tx, result, copy->name);
            if (PQstatus(pq) != CONNECTION_OK) {
                PQclear(result);
                break;
            }
        } else if (!str_to_int64(str_of(PQcmdTuples(result)), &count)) {
            count = 0;
        }
    }
    if (out_rows) {
        *out_rows = err ? 0 : count;
    }
    return err;
}

enum err db_copy_send(struct db_tx *tx, const struct db_query *copy, struct buf *rows,
                      int64_t *out_rows)
{
    enum err err;
    if (rows->len == 0) {
        add_header(rows);
    }
    buf_add_be16(rows, UINT16_MAX); /* the trailer */
    if (rows->is_broken) {
        return fail_memory(tx->op);
    }
    PGresult *result = db_run_raw(tx, copy, NULL, &err);
    if (!result) {
        return err;
    }
    bool is_copy = PQresultStatus(result) == PGRES_COPY_IN && PQbinaryTuples(result);
    PQclear(result);
    if (!is_copy) {
        tx->conn->is_stale = true;
        tx->failed = ERR_INTERNAL;
        return fail(tx->op, ERR_INTERNAL, "%s: not a COPY … FROM STDIN (FORMAT binary)",
                    copy->name);
    }
    return finish(tx, copy, send_pieces(tx->conn->pq, rows), out_rows);
}
