/* Lists that may be of any length: one page with ?limit or in JSON; in CSV, NDJSON and Parquet
 * without ?limit the whole, read page by page, so that memory stays what one page needs. */
#ifndef TIDEMARK_WEB_LIST_STREAM_H
#define TIDEMARK_WEB_LIST_STREAM_H

#include "web/list.h"

/* What a handler tells of its list. */
struct list_source {
    const char *const *columns; /* names, in order */
    int n_columns;
    enum cursor_kind kind;
    int page_rows; /* items that are read at once while streaming */
    void *query;   /* the handler's own, in the request's arena */

    /* Writes at most `limit` items after the position (NULL: from the first). Leaves the last
     * one's position in `*last` (its key in the arena of list->web) and says whether more follow:
     * list_is_full may end a page sooner. ERR_MALFORMED for a position of another list. */
    enum err (*write_page)(struct list_writer *list, void *query, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more);

    const struct parquet_schema *schema; /* of its columns in Parquet; NULL: not to be had */
    const char *file_name;               /* of the Parquet file, in the request's arena */
};

/* Answers with the list, by limit, cursor, format and Accept of the request. The source must live
 * as long as the request. */
enum err list_answer(struct web *web, const struct list_source *source) MUST_CHECK;

/* True when the page is as large as a page should become, in bytes: items of unbounded size. */
bool list_is_full(const struct list_writer *list);

/* "cursor: is not one that this list gave out" */
enum err list_bad_cursor(struct web *web) MUST_CHECK;

#endif
