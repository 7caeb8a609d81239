/* Hands what the writer of Parquet files has ready to the response at hand. */
#include "web/list_parquet.h"

#include "base/clock.h"

#define MAX_SILENCE_US (10 * US_PER_SECOND) /* nginx waits a minute for the next bytes */

static enum err add_to_body(void *context, const void *bytes, size_t len)
{
    struct list_parquet *file = context;

    buf_add(file->body, bytes, len); /* a body that breaks is looked at by who sends it */
    return OK;
}

enum err list_parquet_begin(struct op *op, const struct parquet_schema *schema, struct buf *body,
                            struct list_parquet **out)
{
    struct list_parquet *file = arena_alloc(op->arena, sizeof *file);

    if (file == NULL) {
        return fail_memory(op);
    }
    *file = (struct list_parquet){ .body = body, .ready_us = clock_monotonic_us() };
    *out = file;
    return parquet_begin(op, schema, add_to_body, file, &file->writer);
}

void list_parquet_end_row(struct list_parquet *file)
{
    enum err err = parquet_end_row(file->writer);

    file->err = file->err == OK ? err : file->err;
}

enum err list_parquet_end_page(struct list_parquet *file)
{
    int64_t now_us = clock_monotonic_us();

    if (file->err == OK && file->body->len == 0 && now_us - file->ready_us > MAX_SILENCE_US) {
        file->err = parquet_end_group(file->writer);
    }
    file->ready_us = file->body->len > 0 ? now_us : file->ready_us;
    return file->err;
}

enum err list_parquet_end(struct list_parquet *file)
{
    return file->err != OK ? file->err : parquet_end(file->writer, NULL, 0);
}
