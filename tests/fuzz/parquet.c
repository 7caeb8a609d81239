/* The reader of Parquet files on whatever bytes: it never reads beyond them, and what it gives out
 * lies in memory of its own; rows come no more than the footer says. */
#include "parquet/reader.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static enum err give(void *context, int64_t offset, size_t len, char *out)
{
    const struct str *file = context;

    require(offset >= 0 && (size_t)offset <= file->len && len <= file->len - (size_t)offset,
            "what is read lies within the file");
    if (len > 0) {
        memcpy(out, file->ptr + offset, len);
    }
    return OK;
}

/* Looks at each byte of a row. */
static uint64_t touch(const struct parquet_schema *schema, const struct parquet_value *row)
{
    uint64_t sum = 0;

    for (int i = 0; i < schema->n_columns; i++) {
        if (row[i].is_null) {
            continue;
        }
        if (schema->columns[i].type == PARQUET_STRING) {
            for (size_t k = 0; k < row[i].text.len; k++) {
                sum += (unsigned char)row[i].text.ptr[k];
            }
        } else {
            sum += (uint64_t)row[i].number;
        }
    }
    return sum;
}

static void read_all(struct op *op, struct str *file)
{
    struct parquet_source source = { file, (int64_t)file->len, give };
    struct parquet_value row[PARQUET_MAX_COLUMNS];
    struct parquet_reader *reader;
    uint64_t sum = 0;
    bool is_end = false;
    int64_t n = 0;

    if (parquet_open(op, &source, &reader) != OK) {
        return;
    }
    while (n < 100000 && parquet_next(reader, row, &is_end) == OK && !is_end) {
        sum += touch(parquet_schema(reader), row);
        require(++n <= parquet_total(reader), "no more rows than there are");
    }
    require(!is_end || n == parquet_total(reader), "and at the end no fewer");
    require(sum + 1 != sum, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64u << 20);
    struct str file = { (const char *)data, size };
    struct op op;

    op_init(&op, arena, "fuzz");
    read_all(&op, &file);
    arena_free(arena);
    return 0;
}
