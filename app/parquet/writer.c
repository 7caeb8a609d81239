/* The writer: rows into columns, columns into row groups, and at the end the footer, of which each
 * group's part is written down as the group goes out. */
#include "parquet/writer.h"

#include "parquet/column_writer.h"

#include <assert.h>

#define ZSTD_LEVEL 3

struct parquet_writer {
    struct op *op;
    const struct parquet_schema *schema;
    parquet_sink sink;
    void *context;
    struct column_room room;
    struct column_writer *columns;
    struct buf dictionary;      /* the page of one */
    struct buf groups, footer;  /* of the footer: the groups so far; all of it */
    size_t n_groups;
    int64_t n_rows, n_group_rows;
    int64_t offset;             /* bytes written so far */
    enum err failed;
};

static void free_zstd(void *context)
{
    (void)ZSTD_freeCCtx(context);
}

static enum err write_out(struct parquet_writer *writer, struct str bytes)
{
    if (writer->failed == OK && bytes.len > 0) {
        writer->failed = writer->sink(writer->context, bytes.ptr, bytes.len);
        writer->offset += (int64_t)bytes.len;
    }
    return writer->failed;
}

/* Buffers, and what packs. */
static enum err open_room(struct parquet_writer *writer)
{
    struct op *op = writer->op;
    struct column_room *room = &writer->room;

    *room = (struct column_room){ .op = op, .zstd = ZSTD_createCCtx() };
    if (room->zstd == NULL || !arena_on_reset(op->arena, free_zstd, room->zstd)) {
        return fail_memory(op);
    }
    if (ZSTD_isError(ZSTD_CCtx_setParameter(room->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(room->zstd, ZSTD_c_checksumFlag, 1))) {
        return fail(op, ERR_INTERNAL, "zstd knows no checksums");
    }
    buf_init(&room->page, op->arena, MAX_PAGE_BYTES);
    buf_init(&room->packed, op->arena, ZSTD_COMPRESSBOUND(MAX_PAGE_BYTES));
    buf_init(&room->text, op->arena, PARQUET_MAX_STRING_BYTES + sizeof(uint32_t));
    buf_init(&writer->dictionary, op->arena, MAX_PAGE_BYTES);
    buf_init(&writer->groups, op->arena, MAX_FOOTER_BYTES);
    buf_init(&writer->footer, op->arena, MAX_FOOTER_BYTES);
    for (int i = 0; i < writer->schema->n_columns; i++) {
        if (!column_init(&writer->columns[i], &writer->schema->columns[i], room)) {
            return fail_memory(op);
        }
    }
    return OK;
}

enum err parquet_begin(struct op *op, const struct parquet_schema *schema, parquet_sink sink,
                       void *context, struct parquet_writer **out)
{
    assert(schema->n_columns > 0 && schema->n_columns <= PARQUET_MAX_COLUMNS);
    struct parquet_writer *writer = arena_alloc(op->arena, sizeof *writer);
    if (writer == NULL) {
        return fail_memory(op);
    }
    *writer = (struct parquet_writer){
        .op = op, .schema = schema, .sink = sink, .context = context,
        .columns = arena_array(op->arena, (size_t)schema->n_columns, sizeof *writer->columns),
    };
    if (writer->columns == NULL) {
        return fail_memory(op);
    }
    enum err err = open_room(writer);
    *out = writer;
    return err != OK ? err : write_out(writer, PARQUET_MAGIC);
}

/* ---- values ---- */

static struct column_writer *column_of(struct parquet_writer *writer, int column,
                                       enum parquet_type type)
{
    assert(column >= 0 && column < writer->schema->n_columns);
    assert(writer->columns[column].spec->type == type && !writer->columns[column].is_put);
    (void)type;
    return &writer->columns[column];
}

static void note(struct parquet_writer *writer, enum err err)
{
    if (err != OK && writer->failed == OK) {
        writer->failed = err;
    }
}

void parquet_put_bool(struct parquet_writer *writer, int column, bool value)
{
    note(writer, column_put_number(column_of(writer, column, PARQUET_BOOLEAN), value));
}

void parquet_put_int(struct parquet_writer *writer, int column, int64_t value)
{
    enum parquet_type type = writer->schema->columns[column].type;

    assert(type == PARQUET_INT64 || (value >= INT32_MIN && value <= INT32_MAX));
    note(writer, column_put_number(
                     column_of(writer, column, type == PARQUET_INT32 ? type : PARQUET_INT64),
                     value));
}

void parquet_put_time(struct parquet_writer *writer, int column, int64_t time_us)
{
    note(writer, column_put_number(column_of(writer, column, PARQUET_TIME), time_us));
}

void parquet_put_double(struct parquet_writer *writer, int column, double value)
{
    note(writer, column_put_double(column_of(writer, column, PARQUET_DOUBLE), value));
}

void parquet_put_str(struct parquet_writer *writer, int column, struct str value)
{
    if (value.ptr != NULL) {
        note(writer, column_put_str(column_of(writer, column, PARQUET_STRING), value));
    }
}

/* ---- groups ---- */

static enum err write_column(struct parquet_writer *writer, struct column_writer *column,
                             struct thrift_writer *head)
{
    enum err err = column_dictionary(column, &writer->dictionary);
    if (err == OK) {
        column_describe(column, head, writer->offset, writer->dictionary.len);
        err = write_out(writer, buf_str(&writer->dictionary));
    }
    return err != OK ? err : write_out(writer, buf_str(&column->chunk));
}

static enum err end_columns(struct parquet_writer *writer)
{
    enum err err = OK;

    for (int i = 0; i < writer->schema->n_columns && err == OK; i++) {
        err = column_end(&writer->columns[i]);
    }
    return err;
}

static enum err end_group(struct parquet_writer *writer)
{
    size_t n_columns = (size_t)writer->schema->n_columns;
    int64_t start = writer->offset, raw_bytes = 0;
    enum err err = end_columns(writer);
    struct thrift_writer head = thrift_writer(&writer->groups);

    thrift_open(&head, 0);
    thrift_put_list(&head, 1, THRIFT_STRUCT, n_columns);
    for (size_t i = 0; i < n_columns && err == OK; i++) {
        err = write_column(writer, &writer->columns[i], &head);
        raw_bytes += writer->columns[i].raw_bytes;
        column_clear(&writer->columns[i]);
    }
    thrift_put_int(&head, 2, THRIFT_I64, raw_bytes);
    thrift_put_int(&head, 3, THRIFT_I64, writer->n_group_rows);
    thrift_put_int(&head, 5, THRIFT_I64, start);
    thrift_put_int(&head, 6, THRIFT_I64, writer->offset - start);
    thrift_close(&head);
    writer->n_groups++;
    writer->n_group_rows = 0;
    if (err == OK && writer->groups.is_broken) {
        err = fail(writer->op, ERR_TOO_LARGE, "the file has too many row groups");
    }
    return err;
}

static bool is_group_full(const struct parquet_writer *writer)
{
    size_t bytes = 0;

    if (writer->n_group_rows == PARQUET_GROUP_ROWS) {
        return true;
    }
    for (int i = 0; i < writer->schema->n_columns; i++) {
        bytes += writer->columns[i].chunk.len;
    }
    return bytes >= PARQUET_GROUP_BYTES;
}

enum err parquet_end_row(struct parquet_writer *writer)
{
    for (int i = 0; i < writer->schema->n_columns && writer->failed == OK; i++) {
        struct column_writer *column = &writer->columns[i];
        if (!column->is_put) {
            note(writer, column_put_null(column));
        }
        column->is_put = false;
    }
    if (writer->failed == OK) {
        writer->n_rows++;
        writer->n_group_rows++;
        if (is_group_full(writer)) {
            note(writer, end_group(writer));
        }
    }
    return writer->failed;
}

enum err parquet_end_group(struct parquet_writer *writer)
{
    if (writer->n_group_rows > 0 && writer->failed == OK) {
        note(writer, end_group(writer));
    }
    return writer->failed;
}

int64_t parquet_rows(const struct parquet_writer *writer)
{
    return writer->n_rows;
}

/* ---- the footer ---- */

static void put_element(struct thrift_writer *out, const struct parquet_column *column)
{
    const struct parquet_storage *storage = &parquet_storage[column->type];

    thrift_open(out, 0);
    thrift_put_int(out, 1, THRIFT_I32, storage->physical);
    thrift_put_int(out, 3, THRIFT_I32,
                   column->is_nullable ? REPETITION_OPTIONAL : REPETITION_REQUIRED);
    thrift_put_bytes(out, 4, str_of(column->name));
    if (storage->converted != CONVERTED_NONE) {
        thrift_put_int(out, 6, THRIFT_I32, storage->converted);
    }
    if (storage->logical != LOGICAL_NONE) {
        thrift_open(out, 10);
        thrift_open(out, (int16_t)storage->logical);
        if (storage->logical == LOGICAL_TIMESTAMP) {
            thrift_put_bool(out, 1, true); /* UTC */
            thrift_open(out, 2);
            thrift_open(out, 2);           /* microseconds */
            thrift_close(out);
            thrift_close(out);
        }
        thrift_close(out);
        thrift_close(out);
    }
    thrift_close(out);
}

static void put_schema(struct thrift_writer *out, const struct parquet_schema *schema)
{
    thrift_put_list(out, 2, THRIFT_STRUCT, (size_t)schema->n_columns + 1);
    thrift_open(out, 0);
    thrift_put_bytes(out, 4, STR("schema"));
    thrift_put_int(out, 5, THRIFT_I32, schema->n_columns);
    thrift_close(out);
    for (int i = 0; i < schema->n_columns; i++) {
        put_element(out, &schema->columns[i]);
    }
}

static void put_notes(struct thrift_writer *out, const struct parquet_note *notes, int n)
{
    if (n > 0) {
        thrift_put_list(out, 5, THRIFT_STRUCT, (size_t)n);
    }
    for (int i = 0; i < n; i++) {
        thrift_open(out, 0);
        thrift_put_bytes(out, 1, str_of(notes[i].key));
        thrift_put_bytes(out, 2, str_of(notes[i].value));
        thrift_close(out);
    }
}

/* Each column's values are ordered as its type says, which makes the statistics valid. */
static void put_orders(struct thrift_writer *out, int n)
{
    thrift_put_list(out, 7, THRIFT_STRUCT, (size_t)n);
    for (int i = 0; i < n; i++) {
        thrift_open(out, 0);
        thrift_open(out, 1);
        thrift_close(out);
        thrift_close(out);
    }
}

enum err parquet_end(struct parquet_writer *writer, const struct parquet_note *notes, int n)
{
    struct buf *footer = &writer->footer;
    struct thrift_writer out = thrift_writer(footer);

    assert(n <= PARQUET_MAX_NOTES);
    if (parquet_end_group(writer) != OK) {
        return writer->failed;
    }
    thrift_put_int(&out, 1, THRIFT_I32, 1);
    put_schema(&out, writer->schema);
    thrift_put_int(&out, 3, THRIFT_I64, writer->n_rows);
    thrift_put_list(&out, 4, THRIFT_STRUCT, writer->n_groups);
    buf_add_str(footer, buf_str(&writer->groups));
    put_notes(&out, notes, n);
    thrift_put_bytes(&out, 6, STR("tidemark"));
    put_orders(&out, writer->schema->n_columns);
    thrift_close(&out);
    uint32_t len = (uint32_t)footer->len;
    buf_add(footer, &len, sizeof len); /* the lowest byte first, as here */
    buf_add_str(footer, PARQUET_MAGIC);
    if (footer->is_broken && writer->failed == OK) {
        writer->failed = fail_memory(writer->op);
    }
    return write_out(writer, buf_str(footer));
}
