/* Numbered things in addresses, cursors and lists. Called by the api_*.c and page_*.c handlers of
 * the administration. */
#include "web/by_id.h"

#include <inttypes.h>

static const char *text_of(struct web *web, int64_t id)
{
    return arena_printf(web->op->arena, "%" PRId64, id);
}

enum err by_id_capture(struct web *web, const char *none, int64_t *out)
{
    struct str text = http_capture(web->request, "id");
    long long id = 0;

    if (!str_to_int64(text, &id) || id <= 0 || text.ptr[0] == '0') {
        return fail(web->op, ERR_NOT_FOUND, "%s", none);
    }
    *out = id;
    return OK;
}

enum err by_id_span(struct web *web, enum cursor_kind kind, int *limit, int64_t *id)
{
    bool is_found = false;
    struct cursor cursor;
    long long number = 0;
    enum err err = web_query_limit(web, limit);

    *id = 0;
    if (err == OK) {
        err = web_query_cursor(web, (int)kind, &is_found, &cursor);
    }
    if (err == OK && is_found) {
        if (!str_to_int64(cursor.key, &number) || number <= 0) {
            return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
        }
        *id = number;
    }
    return err;
}

enum err by_id_end(struct list_writer *list, enum cursor_kind kind, int64_t last)
{
    if (last == 0) {
        return list_end(list, kind, NULL);
    }
    const char *text = text_of(list->web, last);
    if (!text) {
        return fail_memory(list->web->op);
    }
    return list_end(list, kind, &(struct cursor){ .key = str_of(text) });
}

void by_id_time(struct list_writer *list, int64_t time_us)
{
    if (time_us == INT64_MIN) {
        list_null(list);
    } else {
        list_time(list, time_us);
    }
}

enum err by_id_created(struct web *web, const char *prefix, int64_t id)
{
    const char *text = text_of(web, id);

    return text ? web_created(web, prefix, str_of(text)) : fail_memory(web->op);
}
