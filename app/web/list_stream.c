/* Answers with one page of a list, or leaves behind how a stream of it goes on. Called by the
 * handlers of samples, rollups, events and devices; serve/stream.c asks for the further pages. */
#include "web/list_stream.h"

#include "http/disposition.h"

#define PAGE_FULL_BYTES (4u << 20) /* a page ends with the item that reaches this */

/* A stream between two pages; in the request's arena. */
struct progress {
    const struct list_source *source;
    struct list_writer begun;
    struct cursor after;            /* its key in `key` */
    char key[MAX_NAME_BYTES + 1];
};

bool list_is_full(const struct list_writer *list)
{
    return list->web->response->body.len >= PAGE_FULL_BYTES;
}

enum err list_bad_cursor(struct web *web)
{
    return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
}

/* The position outlives the page that it was found in. */
static void keep_position(struct progress *progress, const struct cursor *last)
{
    size_t len = last->key.len < MAX_NAME_BYTES ? last->key.len : MAX_NAME_BYTES;

    if (len > 0) {
        memcpy(progress->key, last->key.ptr, len);
    }
    progress->after = (struct cursor){ last->time_us, { progress->key, len } };
}

static enum err next_page(struct web *web, void *state, bool *is_more)
{
    struct progress *progress = state;
    const struct list_source *source = progress->source;
    struct list_writer list;
    struct cursor last = { 0 };

    list_resume(&list, web, &progress->begun);
    enum err err = source->write_page(&list, source->query, &progress->after, source->page_rows,
                                      &last, is_more);
    if (err == OK && list.parquet) {
        err = *is_more ? list_parquet_end_page(list.parquet) : list_parquet_end(list.parquet);
    }
    if (err == OK && *is_more) {
        keep_position(progress, &last);
    }
    return err;
}

/* Leaves behind how the answer goes on after the page that was written. */
static enum err leave_stream(struct web *web, const struct list_source *source,
                             const struct list_writer *begun, const struct cursor *last)
{
    struct progress *progress = arena_alloc(web->op->arena, sizeof *progress);

    if (!progress) {
        return fail_memory(web->op);
    }
    progress->source = source;
    progress->begun = *begun;
    keep_position(progress, last);
    web->stream = (struct web_stream){ next_page, progress };
    return OK;
}

static enum err name_file(struct web *web, const char *name)
{
    const char *value = http_disposition(web->op->arena, name);

    return value && http_add_header(web->response, "Content-Disposition", value)
               ? OK
               : fail_memory(web->op);
}

enum err list_answer(struct web *web, const struct list_source *source)
{
    int limit = 0;
    bool is_after = false, is_more = false;
    struct cursor after, last = { 0 };
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, (int)source->kind, &is_after, &after);
    }
    if (err == OK) {
        err = list_begin_typed(&list, web, source->columns, source->n_columns, source->schema);
    }
    if (err != OK) {
        return err;
    }
    bool is_stream = list.form != ANSWER_JSON && web_query_text(web, "limit").ptr == NULL;
    err = source->write_page(&list, source->query, is_after ? &after : NULL,
                             is_stream ? source->page_rows : limit, &last, &is_more);
    if (err == OK && list.parquet) {
        err = name_file(web, source->file_name);
    }
    if (err == OK && is_stream && is_more) {
        return leave_stream(web, source, &list, &last);
    }
    return err == OK ? list_end(&list, source->kind, is_more ? &last : NULL) : err;
}
