/* The reader: the file's ends, then each row group with one reading, and rows out of its
 * columns. */
#include "parquet/reader.h"

#include "parquet/column_reader.h"
#include "parquet/footer_reader.h"

struct parquet_reader {
    struct op *op;
    const struct parquet_source *source;
    struct footer footer;
    struct column_reader *columns;
    struct buf group;    /* the bytes of the row group */
    struct column_reader probe; /* of the column that is searched, of the next group */
    struct buf probe_bytes;
    int64_t n_left;      /* rows of it that are to come */
};

static void free_zstd(void *context)
{
    (void)ZSTD_freeDCtx(context);
}

static enum err refuse(struct op *op, const char *what)
{
    return fail(op, ERR_INVALID, "not a Parquet file of ours, or damaged: %s", what);
}

static enum err read_bytes(struct parquet_reader *reader, int64_t offset, size_t len,
                           struct buf *out)
{
    buf_clear(out);
    char *to = buf_reserve(out, len + 1);
    if (to == NULL) {
        return fail_memory(reader->op);
    }
    out->len = len;
    return reader->source->read(reader->source->context, offset, len, to);
}

/* The footer's bytes lie before its length and the magic, which end the file. */
static enum err read_footer(struct parquet_reader *reader)
{
    struct op *op = reader->op;
    int64_t bytes = reader->source->bytes;
    int64_t least = (int64_t)PARQUET_MAGIC.len + PARQUET_TAIL_BYTES;
    struct buf tail;
    uint32_t len;

    if (bytes < least) {
        return refuse(op, "it is too short");
    }
    buf_init(&tail, op->arena, MAX_FOOTER_BYTES + 1);
    enum err err = read_bytes(reader, bytes - PARQUET_TAIL_BYTES, PARQUET_TAIL_BYTES, &tail);
    if (err != OK) {
        return err;
    }
    memcpy(&len, tail.data, sizeof len);
    struct str magic = { tail.data + sizeof len, PARQUET_TAIL_BYTES - sizeof len };
    if (!str_equal(magic, PARQUET_MAGIC) || len > MAX_FOOTER_BYTES || len > bytes - least) {
        return refuse(op, "its end");
    }
    reader->footer.data_bytes = bytes - PARQUET_TAIL_BYTES - (int64_t)len;
    err = read_bytes(reader, reader->footer.data_bytes, len, &tail);
    return err != OK ? err : footer_read(&reader->footer, buf_str(&tail));
}

static enum err open_columns(struct parquet_reader *reader)
{
    const struct parquet_schema *schema = &reader->footer.schema;
    struct arena *arena = reader->op->arena;
    ZSTD_DCtx *zstd = ZSTD_createDCtx();

    if (zstd == NULL || !arena_on_reset(arena, free_zstd, zstd)) {
        return fail_memory(reader->op);
    }
    reader->columns = arena_array(arena, (size_t)schema->n_columns, sizeof *reader->columns);
    if (reader->columns == NULL) {
        return fail_memory(reader->op);
    }
    for (int i = 0; i < schema->n_columns; i++) {
        column_reader_init(&reader->columns[i], reader->op, &schema->columns[i], zstd);
    }
    buf_init(&reader->group, arena, SIZE_MAX / 2);
    buf_init(&reader->probe_bytes, arena, SIZE_MAX / 2);
    column_reader_init(&reader->probe, reader->op, &schema->columns[0], zstd);
    return OK;
}

enum err parquet_open(struct op *op, const struct parquet_source *source,
                      struct parquet_reader **out)
{
    struct parquet_reader *reader = arena_alloc(op->arena, sizeof *reader);

    if (reader == NULL) {
        return fail_memory(op);
    }
    *reader = (struct parquet_reader){ .op = op, .source = source, .footer = { .op = op } };
    enum err err = read_footer(reader);
    if (err == OK) {
        err = open_columns(reader);
    }
    *out = reader;
    return err;
}

const struct parquet_schema *parquet_schema(const struct parquet_reader *reader)
{
    return &reader->footer.schema;
}

int64_t parquet_total(const struct parquet_reader *reader)
{
    return reader->footer.n_rows;
}

const char *parquet_note(const struct parquet_reader *reader, const char *key)
{
    for (int i = 0; i < reader->footer.n_notes; i++) {
        if (strcmp(reader->footer.notes[i].key, key) == 0) {
            return reader->footer.notes[i].value;
        }
    }
    return NULL;
}

/* ---- rows ---- */

static enum err load_group(struct parquet_reader *reader, const struct footer_group *group)
{
    enum err err = read_bytes(reader, group->offset, group->total, &reader->group);

    if (err != OK) {
        return err;
    }
    const char *at = reader->group.data;
    for (int i = 0; i < reader->footer.schema.n_columns; i++) {
        column_reader_begin(&reader->columns[i], (struct str){ at, group->bytes[i] },
                            group->n_rows);
        at += group->bytes[i];
    }
    reader->n_left = group->n_rows;
    return OK;
}

static enum err next_group(struct parquet_reader *reader)
{
    struct footer_group group;
    enum err err = footer_next_group(&reader->footer, &group);

    return err == OK ? load_group(reader, &group) : err;
}

/* That the group's rows were all there is of each column. */
static enum err end_group(struct parquet_reader *reader)
{
    for (int i = 0; i < reader->footer.schema.n_columns; i++) {
        if (!column_reader_is_done(&reader->columns[i])) {
            return refuse(reader->op, "a column goes on after its rows");
        }
    }
    return OK;
}

enum err parquet_next(struct parquet_reader *reader, struct parquet_value *row, bool *is_end)
{
    enum err err = OK;

    *is_end = reader->n_left == 0 && reader->footer.n_groups == 0;
    if (*is_end) {
        return OK;
    }
    if (reader->n_left == 0) {
        err = next_group(reader);
    }
    for (int i = 0; i < reader->footer.schema.n_columns && err == OK; i++) {
        err = column_reader_next(&reader->columns[i], &row[i]);
    }
    if (err == OK && --reader->n_left == 0) {
        err = end_group(reader);
    }
    return err;
}

/* ---- rows of a text ---- */

/* Whether a row of the group has the text in that column. */
static enum err probe_group(struct parquet_reader *reader, const struct footer_group *group,
                            int column, struct str text, bool *is_in)
{
    struct column_reader *probe = &reader->probe;
    struct parquet_value value;
    int64_t offset = group->offset;

    for (int i = 0; i < column; i++) {
        offset += (int64_t)group->bytes[i];
    }
    enum err err = read_bytes(reader, offset, group->bytes[column], &reader->probe_bytes);
    probe->spec = &reader->footer.schema.columns[column];
    column_reader_begin(probe, buf_str(&reader->probe_bytes), group->n_rows);
    *is_in = false;
    for (int64_t i = 0; i < group->n_rows && err == OK && !*is_in; i++) {
        err = column_reader_next(probe, &value);
        *is_in = err == OK && str_equal(value.text, text);
    }
    if (err == OK && !*is_in && !column_reader_is_done(probe)) {
        err = refuse(reader->op, "a column goes on after its rows");
    }
    return err;
}

/* The next group that has the text; *is_end: none has. */
static enum err find_group(struct parquet_reader *reader, int column, struct str text,
                           bool *is_end)
{
    struct footer_group group;
    bool is_in = false;
    enum err err = OK;

    while (err == OK && !is_in && reader->footer.n_groups > 0) {
        err = footer_next_group(&reader->footer, &group);
        if (err == OK) {
            err = probe_group(reader, &group, column, text, &is_in);
        }
    }
    *is_end = err == OK && !is_in;
    return err == OK && is_in ? load_group(reader, &group) : err;
}

/* The other columns of the row that the searched one is at, `n_passed` rows further on. */
static enum err read_others(struct parquet_reader *reader, int column, int64_t n_passed,
                            struct parquet_value *row)
{
    enum err err = OK;

    for (int i = 0; i < reader->footer.schema.n_columns && err == OK; i++) {
        if (i == column) {
            continue;
        }
        err = column_reader_skip(&reader->columns[i], n_passed);
        if (err == OK) {
            err = column_reader_next(&reader->columns[i], &row[i]);
        }
    }
    return err;
}

enum err parquet_find(struct parquet_reader *reader, int column, struct str text,
                      struct parquet_value *row, bool *is_end)
{
    int64_t n_passed = 0; /* of this group, by all columns but the searched one */
    enum err err = OK;

    *is_end = false;
    for (;;) {
        if (reader->n_left == 0) {
            n_passed = 0;
            err = find_group(reader, column, text, is_end);
            if (err != OK || *is_end) {
                return err;
            }
        }
        err = column_reader_next(&reader->columns[column], &row[column]);
        if (err != OK) {
            return err;
        }
        reader->n_left--;
        if (str_equal(row[column].text, text)) {
            break;
        }
        n_passed++;
    }
    err = read_others(reader, column, n_passed, row);
    return err == OK && reader->n_left == 0 ? end_group(reader) : err;
}
