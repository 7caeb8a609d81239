/* GET /v1/audit: who changed what in the tenant. */
#include "web/api_access.h"

#include "domain/settings.h"
#include "web/by_id.h"

#include <inttypes.h>

static const char *const COLUMNS[] = { "id", "time", "actor", "action", "object", "detail" };
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static enum err read_filter(struct web *web, struct audit_filter *filter)
{
    struct cursor cursor;
    long long id = 0;

    *filter = (struct audit_filter){
        .action = web_query_text(web, "action"),
        .actor = web_query_text(web, "actor"),
    };
    enum err err = web_query_limit(web, &filter->limit);
    if (err == OK) {
        err = web_query_span(web, &filter->from_us, &filter->to_us);
    }
    if (err == OK) {
        err = web_query_cursor(web, CURSOR_AUDIT, &filter->is_before, &cursor);
    }
    if (err == OK && filter->is_before) {
        if (!str_to_int64(cursor.key, &id)) {
            return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
        }
        filter->before_us = cursor.time_us;
        filter->before_id = id;
    }
    return err;
}

static void write_row(struct list_writer *list, const struct audit_row *row)
{
    list_item(list);
    list_int(list, row->id);
    list_time(list, row->time_us);
    list_text(list, row->actor);
    list_text(list, row->action);
    list_text(list, row->object);
    list_json(list, row->detail);
    list_end_item(list);
}

enum err api_audit_list(struct web *web)
{
    struct audit_filter filter;
    struct audit_rows rows;
    struct list_writer list;
    enum err err = read_filter(web, &filter);
    int limit = filter.limit;

    filter.limit++;
    if (err == OK) {
        err = audit_list(web->tx, &filter, &rows);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = rows.n > limit ? limit : rows.n;
    for (int i = 0; i < n; i++) {
        write_row(&list, &rows.items[i]);
    }
    if (rows.n <= limit) {
        return list_end(&list, CURSOR_AUDIT, NULL);
    }
    const struct audit_row *end = &rows.items[n - 1];
    const char *id = arena_printf(web->op->arena, "%" PRId64, end->id);
    struct cursor last = { .time_us = end->time_us, .key = str_of(id) };
    return id ? list_end(&list, CURSOR_AUDIT, &last) : fail_memory(web->op);
}
