/* A list as an answer: `{"items":[…],"next":…}`, or CSV or NDJSON with the same names, or Parquet.
 * A handler names the columns once and then writes every item's values in their order; which of
 * the forms the client gets is decided here. Lists of any length: list_stream.h. */
#ifndef TIDEMARK_WEB_LIST_H
#define TIDEMARK_WEB_LIST_H

#include "base/json.h"
#include "web/accept.h"
#include "web/csv.h"
#include "web/cursor.h"
#include "web/list_parquet.h"
#include "web/web.h"

struct list_writer {
    struct web *web;
    enum answer_form form;
    const char *const *columns; /* names, in order */
    int n_columns;
    int at;                     /* the column that the next value belongs to */
    struct json_writer json;
    struct csv_writer csv;
    struct list_parquet *parquet; /* NULL in other forms */
};

/* Decides the form by the request (ERR_NOT_ACCEPTABLE as accept_form says) and begins. */
enum err list_begin(struct list_writer *list, struct web *web, const char *const *columns,
                    int n_columns) MUST_CHECK;

/* The same where the list is to be had as a Parquet file, too, with the columns of `schema`, which
 * may be others: what is written then follows them (list->parquet is not NULL). */
enum err list_begin_typed(struct list_writer *list, struct web *web, const char *const *columns,
                          int n_columns, const struct parquet_schema *schema) MUST_CHECK;

/* Begins a single item by itself, always in JSON. */
void list_single(struct list_writer *list, struct web *web, const char *const *columns,
                 int n_columns);

/* One item: list_item, then a value for each column, then list_end_item. */
void list_item(struct list_writer *list);
void list_end_item(struct list_writer *list);
void list_text(struct list_writer *list, const char *value); /* NULL: no value */
void list_int(struct list_writer *list, int64_t value);
void list_bool(struct list_writer *list, bool value);
void list_double(struct list_writer *list, double value); /* not finite: NULL, but for Parquet */
void list_time(struct list_writer *list, int64_t time_us);
void list_json(struct list_writer *list, const char *value); /* valid JSON; NULL: no value */
void list_null(struct list_writer *list);
/* A JSON object that is left out of JSON items when it is empty; {} in Parquet. */
void list_labels(struct list_writer *list, const char *value);

/* Goes on in this response's body with a list that was begun in another's: writes items alone.
 * Parquet has to be ended by list_parquet_end. */
void list_resume(struct list_writer *list, struct web *web, const struct list_writer *begun);

/* Ends the list. `last` is the last item's position when there may be more, else NULL.
 * The others have no place for the cursor: it goes into the header X-Next-Cursor. */
enum err list_end(struct list_writer *list, enum cursor_kind kind, const struct cursor *last)
    MUST_CHECK;

#endif
