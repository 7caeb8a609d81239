/* The footer, field by field as parquet.thrift numbers them. */
#include "parquet/footer_reader.h"

#define MAX_GROUP_BYTES (96u << 20)

static enum err refuse(struct footer *footer, const char *what)
{
    return fail(footer->op, ERR_INVALID, "not a Parquet file of ours, or damaged: %s", what);
}

/* ---- the schema ---- */

struct element {
    int64_t physical, repetition, n_children, converted;
    struct str name;
};

static void read_element(struct thrift_reader *reader, struct element *out)
{
    int16_t field;

    *out = (struct element){ .physical = -1, .converted = CONVERTED_NONE };
    thrift_enter_item(reader);
    while ((field = thrift_next(reader)) != 0) {
        switch (field) {
        case 1: out->physical = thrift_int(reader); break;
        case 3: out->repetition = thrift_int(reader); break;
        case 4: out->name = thrift_bytes(reader); break;
        case 5: out->n_children = thrift_int(reader); break;
        case 6: out->converted = thrift_int(reader); break;
        default: thrift_skip(reader);
        }
    }
}

/* The type that is stored like that; PARQUET_TYPES for none of ours. */
static enum parquet_type type_of(const struct element *element)
{
    enum parquet_type type = 0;

    while (type < PARQUET_TYPES && (parquet_storage[type].physical != element->physical ||
                                    parquet_storage[type].converted != element->converted)) {
        type++;
    }
    return type;
}

static enum err read_column(struct footer *footer, struct thrift_reader *reader,
                            struct parquet_column *out)
{
    struct element element;

    read_element(reader, &element);
    *out = (struct parquet_column){
        .name = arena_copy(footer->op->arena, element.name),
        .type = type_of(&element),
        .is_nullable = element.repetition == REPETITION_OPTIONAL,
    };
    if (out->name == NULL) {
        return fail_memory(footer->op);
    }
    bool is_flat = element.n_children == 0 && element.repetition <= REPETITION_OPTIONAL;
    return is_flat && out->type < PARQUET_TYPES ? OK : refuse(footer, "a column's type");
}

static enum err read_schema(struct footer *footer, struct thrift_reader *reader)
{
    size_t n = thrift_list(reader, THRIFT_STRUCT);
    struct element root;
    enum err err = OK;

    if (n < 2 || n > PARQUET_MAX_COLUMNS + 1 || footer->schema.n_columns > 0) {
        return refuse(footer, "the number of columns");
    }
    read_element(reader, &root);
    if (root.n_children != (int64_t)n - 1) {
        return refuse(footer, "columns within columns");
    }
    for (size_t i = 0; i + 1 < n && err == OK; i++) {
        err = read_column(footer, reader, &footer->columns[i]);
    }
    footer->schema = (struct parquet_schema){ footer->columns, (int)n - 1 };
    return err;
}

/* ---- groups and notes ---- */

static enum err read_notes(struct footer *footer, struct thrift_reader *reader)
{
    size_t n = thrift_list(reader, THRIFT_STRUCT);
    int16_t field;

    if (n > PARQUET_MAX_NOTES || footer->n_notes > 0) {
        return refuse(footer, "the number of notes");
    }
    for (size_t i = 0; i < n; i++) {
        struct parquet_note *note = &footer->notes[i];
        struct str key = { "", 0 }, value = { "", 0 };
        thrift_enter_item(reader);
        while ((field = thrift_next(reader)) != 0) {
            switch (field) {
            case 1: key = thrift_bytes(reader); break;
            case 2: value = thrift_bytes(reader); break;
            default: thrift_skip(reader);
            }
        }
        *note = (struct parquet_note){ arena_copy(footer->op->arena, key),
                                       arena_copy(footer->op->arena, value) };
        if (note->key == NULL || note->value == NULL) {
            return fail_memory(footer->op);
        }
    }
    footer->n_notes = (int)n;
    return OK;
}

/* A column's chunk: where it begins, how long it is, and how many values. */
struct chunk {
    int64_t data_offset, dictionary_offset, bytes, n_values, codec, physical;
};

static void read_chunk_body(struct thrift_reader *reader, struct chunk *out)
{
    int16_t field;

    thrift_enter(reader);
    while ((field = thrift_next(reader)) != 0) {
        switch (field) {
        case 1: out->physical = thrift_int(reader); break;
        case 4: out->codec = thrift_int(reader); break;
        case 5: out->n_values = thrift_int(reader); break;
        case 7: out->bytes = thrift_int(reader); break;
        case 9: out->data_offset = thrift_int(reader); break;
        case 11: out->dictionary_offset = thrift_int(reader); break;
        default: thrift_skip(reader);
        }
    }
}

static void read_chunk(struct thrift_reader *reader, struct chunk *out)
{
    int16_t field;

    *out = (struct chunk){ .dictionary_offset = -1, .codec = -1, .physical = -1 };
    thrift_enter_item(reader);
    while ((field = thrift_next(reader)) != 0) {
        if (field == 3) {
            read_chunk_body(reader, out);
        } else {
            thrift_skip(reader);
        }
    }
}

/* A group's columns; n_values[0] has to be that of all. */
static enum err read_chunks(struct footer *footer, struct thrift_reader *reader,
                            struct footer_group *out, int64_t *n_values)
{
    size_t n = thrift_list(reader, THRIFT_STRUCT);
    struct chunk chunk;

    if (n != (size_t)footer->schema.n_columns || out->total > 0) {
        return refuse(footer, "the number of columns of a row group");
    }
    for (size_t i = 0; i < n; i++) {
        read_chunk(reader, &chunk);
        int64_t start = chunk.dictionary_offset >= 0 ? chunk.dictionary_offset : chunk.data_offset;
        if (i == 0) {
            out->offset = start;
            *n_values = chunk.n_values;
        }
        bool is_sound = chunk.codec == CODEC_ZSTD && chunk.n_values == *n_values &&
                        chunk.physical == parquet_storage[footer->columns[i].type].physical &&
                        chunk.bytes > 0 && chunk.bytes <= (int64_t)MAX_CHUNK_BYTES &&
                        out->offset >= 0 && out->offset <= footer->data_bytes &&
                        start == out->offset + (int64_t)out->total;
        if (!is_sound) {
            return refuse(footer, "a column of a row group");
        }
        out->bytes[i] = (size_t)chunk.bytes;
        out->total += (size_t)chunk.bytes;
    }
    return OK;
}

static enum err read_group(struct footer *footer, struct thrift_reader *reader,
                           struct footer_group *out)
{
    int64_t n_values = -1;
    int16_t field;
    enum err err = OK;

    *out = (struct footer_group){ .n_rows = -1 };
    thrift_enter_item(reader);
    while (err == OK && (field = thrift_next(reader)) != 0) {
        switch (field) {
        case 1: err = read_chunks(footer, reader, out, &n_values); break;
        case 3: out->n_rows = thrift_int(reader); break;
        default: thrift_skip(reader);
        }
    }
    if (err != OK) {
        return err;
    }
    bool is_sound = !reader->is_broken && out->n_rows > 0 && out->n_rows == n_values &&
                    out->offset >= (int64_t)PARQUET_MAGIC.len && out->total <= MAX_GROUP_BYTES &&
                    out->offset <= footer->data_bytes - (int64_t)out->total;
    return is_sound ? OK : refuse(footer, "a row group");
}

/* Looks at all groups, and remembers where they begin. */
static enum err read_groups(struct footer *footer, struct thrift_reader *reader, int64_t *n_rows)
{
    size_t n = thrift_list(reader, THRIFT_STRUCT);
    struct footer_group group;
    enum err err = OK;

    footer->groups = *reader;
    footer->n_groups = n;
    *n_rows = 0;
    for (size_t i = 0; i < n && err == OK; i++) {
        err = read_group(footer, reader, &group);
        if (err == OK && __builtin_add_overflow(*n_rows, group.n_rows, n_rows)) {
            err = refuse(footer, "the number of rows");
        }
    }
    return err;
}

enum err footer_read(struct footer *footer, struct str bytes)
{
    struct thrift_reader reader = thrift_reader(bytes);
    int64_t n_rows = -1;
    int16_t field;
    enum err err = OK;

    footer->n_rows = -1;
    while (err == OK && (field = thrift_next(&reader)) != 0) {
        switch (field) {
        case 2: err = read_schema(footer, &reader); break;
        case 3: footer->n_rows = thrift_int(&reader); break;
        case 4: err = read_groups(footer, &reader, &n_rows); break;
        case 5: err = read_notes(footer, &reader); break;
        default: thrift_skip(&reader);
        }
    }
    if (err != OK) {
        return err;
    }
    bool is_sound = !reader.is_broken && reader.at == reader.end && n_rows >= 0 &&
                    footer->n_rows == n_rows && footer->schema.n_columns > 0;
    return is_sound ? OK : refuse(footer, "its footer");
}

enum err footer_next_group(struct footer *footer, struct footer_group *out)
{
    footer->n_groups--;
    return read_group(footer, &footer->groups, out);
}
