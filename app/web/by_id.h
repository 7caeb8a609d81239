/* Lists and addresses of things that are known by a number. */
#ifndef TIDEMARK_WEB_BY_ID_H
#define TIDEMARK_WEB_BY_ID_H

#include "web/list.h"

/* The number in the address's {id}; ERR_NOT_FOUND, with the sentence that says so of an unknown
 * one, where it is none. */
enum err by_id_capture(struct web *web, const char *none, int64_t *out) MUST_CHECK;

/* `limit`, and the number of a list's `cursor` of this kind; 0: from the beginning. */
enum err by_id_span(struct web *web, enum cursor_kind kind, int *limit, int64_t *id) MUST_CHECK;

/* Ends a list: `last` is the number of the last item where there may be more, else 0. */
enum err by_id_end(struct list_writer *list, enum cursor_kind kind, int64_t last) MUST_CHECK;

/* A time, or no value where it is INT64_MIN: has not happened. */
void by_id_time(struct list_writer *list, int64_t time_us);

/* Makes the answer a 201 with the address of the thing. */
enum err by_id_created(struct web *web, const char *prefix, int64_t id) MUST_CHECK;

#endif
