/* Reading a result. Values come in the wire's binary form and are read as the type that the
 * server says they have. Answers for decoding; asking for another type ends the process,
 * because it is a fault of the program that the first test of the statement shows. */
#include "db/pq.h"

#include <math.h>
#include <stdlib.h>

static void clear_rows(void *rows)
{
    PQclear(((struct db_rows *)rows)->result);
}

struct db_rows *db_rows_borrow(struct db_tx *tx, const struct db_query *query, PGresult *result)
{
    struct db_rows *rows = arena_alloc(tx->op->arena, sizeof *rows);
    if (rows) {
        *rows = (struct db_rows){ .result = result, .query = query, .arena = tx->op->arena };
    }
    return rows;
}

enum err db_rows_keep(struct db_tx *tx, const struct db_query *query, PGresult *result,
                      struct db_rows **out)
{
    struct arena *arena = tx->op->arena;
    struct db_rows *rows = arena_alloc(arena, sizeof *rows);
    if (!rows) {
        PQclear(result);
        return fail_memory(tx->op);
    }
    *rows = (struct db_rows){ .result = result, .query = query, .arena = arena };
    if (!arena_on_reset(arena, clear_rows, rows)) {
        return fail_memory(tx->op);
    }
    if (PQnfields(result) != query->n_columns && query->n_columns > 0) {
        return fail(tx->op, ERR_INTERNAL, "%s: %d columns where %d are declared", query->name,
                    PQnfields(result), query->n_columns);
    }
    *out = rows;
    return OK;
}

/* Ends the process over a column read as what it is not. */
static _Noreturn void refuse(const struct db_rows *rows, int column, const char *wanted)
{
    const char *name = PQfname(rows->result, column);
    log_error("reading a column as another type", LOG_TEXT("statement", rows->query->name),
              LOG_TEXT("column", name ? name : "(none)"),
              LOG_INT("type_oid", PQftype(rows->result, column)), LOG_TEXT("wanted", wanted));
    abort();
}

/* The value's bytes; NULL for SQL NULL. */
static const char *value_at(const struct db_rows *rows, int row, int column)
{
    if (row < 0 || row >= PQntuples(rows->result) || column < 0 ||
        column >= PQnfields(rows->result)) {
        refuse(rows, column, "a cell that is not there");
    }
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

static uint64_t read_be(const char *bytes, int len)
{
    uint64_t value = 0;
    for (int i = 0; i < len; i++) {
        value = value << 8 | (unsigned char)bytes[i];
    }
    return value;
}

int db_count(const struct db_rows *rows)
{
    return PQntuples(rows->result);
}

bool db_is_null(const struct db_rows *rows, int row, int column)
{
    return value_at(rows, row, column) == NULL;
}

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in the rows' arena; NULL without memory. */
static const char *uuid_text(const struct db_rows *rows, const char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(rows->arena, 37);
    char *at = text;
    for (int i = 0; text && i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = digits[(unsigned char)bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return text;
}

const char *db_text(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    switch (PQftype(rows->result, column)) {
    case PG_TEXT:
    case PG_VARCHAR:
    case PG_BPCHAR:
    case PG_NAME:
    case PG_JSON:
    case PG_UNKNOWN: return value;
    case PG_JSONB: /* a version byte goes first */ return value ? value + 1 : NULL;
    case PG_UUID: return value ? uuid_text(rows, value) : NULL;
    default: refuse(rows, column, "text");
    }
}

struct str db_str(const struct db_rows *rows, int row, int column)
{
    if (PQftype(rows->result, column) == PG_UUID) {
        return str_of(db_text(rows, row, column));
    }
    const char *value = value_at(rows, row, column);
    if (PQftype(rows->result, column) != PG_BYTEA) {
        value = db_text(rows, row, column);
    }
    size_t skipped = PQftype(rows->result, column) == PG_JSONB;
    return (struct str){ value,
                         value ? (size_t)PQgetlength(rows->result, row, column) - skipped : 0 };
}

int32_t db_int(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    switch (PQftype(rows->result, column)) {
    case PG_INT4: return value ? (int32_t)read_be(value, 4) : 0;
    case PG_INT2: return value ? (int16_t)read_be(value, 2) : 0;
    default: refuse(rows, column, "int4");
    }
}

int64_t db_int64(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    switch (PQftype(rows->result, column)) {
    case PG_INT8: return value ? (int64_t)read_be(value, 8) : 0;
    case PG_OID: return value ? (int64_t)read_be(value, 4) : 0;
    default: return db_int(rows, row, column);
    }
}

double db_double(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    if (PQftype(rows->result, column) == PG_FLOAT8) {
        uint64_t bits = value ? read_be(value, 8) : 0;
        double number;
        memcpy(&number, &bits, sizeof number);
        return value ? number : NAN;
    }
    if (PQftype(rows->result, column) == PG_FLOAT4) {
        uint32_t bits = value ? (uint32_t)read_be(value, 4) : 0;
        float number;
        memcpy(&number, &bits, sizeof number);
        return value ? (double)number : NAN;
    }
    refuse(rows, column, "float8");
}

bool db_bool(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    if (PQftype(rows->result, column) != PG_BOOL) {
        refuse(rows, column, "bool");
    }
    return value && value[0];
}

int64_t db_time(const struct db_rows *rows, int row, int column)
{
    const char *value = value_at(rows, row, column);
    if (PQftype(rows->result, column) != PG_TIMESTAMPTZ) {
        refuse(rows, column, "timestamptz");
    }
    int64_t wire = value ? (int64_t)read_be(value, 8) : -PG_EPOCH_US;
    return wire == INT64_MAX || wire == INT64_MIN ? wire : wire + PG_EPOCH_US;
}

int64_t db_time_or(const struct db_rows *rows, int row, int column, int64_t fallback_us)
{
    return db_is_null(rows, row, column) ? fallback_us : db_time(rows, row, column);
}

/* ---- arrays ---- */

/* What goes before an array's elements: dimensions, whether it has NULLs, the elements' type, and
 * for its one dimension the length and the lower bound. Each element follows its own length. */
#define ARRAY_HEAD_BYTES 20
#define ARRAY_ITEM_BYTES 12

static bool is_list(const char *value, int bytes, uint64_t *n)
{
    *n = 0;
    if (bytes >= 12 && read_be(value, 4) == 0) {
        return true;  /* of no dimension: empty */
    }
    uint64_t type = bytes >= ARRAY_HEAD_BYTES ? read_be(value + 8, 4) : 0;
    if ((type != PG_INT8 && type != PG_TIMESTAMPTZ) || read_be(value, 4) != 1 ||
        read_be(value + 4, 4) != 0) {
        return false;
    }
    *n = read_be(value + 12, 4);
    return *n * ARRAY_ITEM_BYTES == (uint64_t)bytes - ARRAY_HEAD_BYTES;
}

enum err db_int64_list(struct db_tx *tx, const struct db_rows *rows, int row, int column,
                       struct db_int64_list *out)
{
    const char *value = value_at(rows, row, column);
    uint64_t n;

    *out = (struct db_int64_list){ NULL, 0 };
    if (!value) {
        return OK;
    }
    if (!is_list(value, PQgetlength(rows->result, row, column), &n)) {
        return fail(tx->op, ERR_INTERNAL, "%s: column %d is no list of int8 or timestamptz",
                    rows->query->name, column);
    }
    int64_t *items = arena_array(rows->arena, n, sizeof *items);
    if (!items && n > 0) {
        return fail_memory(tx->op);
    }
    bool is_time = read_be(value + 8, 4) == PG_TIMESTAMPTZ;
    for (uint64_t i = 0; i < n; i++) {
        int64_t item = (int64_t)read_be(value + ARRAY_HEAD_BYTES + i * ARRAY_ITEM_BYTES + 4, 8);
        bool is_finite = item != INT64_MAX && item != INT64_MIN;
        items[i] = is_time && is_finite ? item + PG_EPOCH_US : item;
    }
    *out = (struct db_int64_list){ items, (int)n };
    return OK;
}
