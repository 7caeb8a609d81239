/* GET /v1/usage: what each tenant has and sends, for operators. */
#include "base/clock.h"
#include "domain/installation.h"
#include "web/api.h"
#include "web/list.h"

static const char *const usage_columns[] = {
    "slug", "name", "status", "devices", "series", "samples_24h", "samples", "events_24h",
    "events", "bytes", "last_ingest",
};
#define N_USAGE_COLUMNS ((int)(sizeof usage_columns / sizeof *usage_columns))

static void write_usage(struct list_writer *list, const struct usage *usage)
{
    list_item(list);
    list_text(list, usage->slug);
    list_text(list, usage->name);
    list_text(list, usage->status);
    list_int(list, usage->devices);
    list_int(list, usage->series);
    list_int(list, usage->samples_day);
    list_int(list, usage->samples);
    list_int(list, usage->events_day);
    list_int(list, usage->events);
    list_int(list, usage->bytes);
    if (usage->last_ingest_us == INSTALLATION_NEVER) {
        list_null(list);
    } else {
        list_time(list, usage->last_ingest_us);
    }
    list_end_item(list);
}

enum err api_usage_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor = { 0 };
    struct usage_list usage;
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_USAGE, &has_cursor, &cursor);
    }
    if (err == OK) {
        err = usage_list(web->tx, cursor.key, limit + 1, &usage);
    }
    if (err == OK) {
        err = list_begin(&list, web, usage_columns, N_USAGE_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = usage.n > limit ? limit : usage.n;
    for (int i = 0; i < n; i++) {
        write_usage(&list, &usage.items[i]);
    }
    struct cursor last = { .key = n > 0 ? str_of(usage.items[n - 1].slug) : STR("") };
    return list_end(&list, CURSOR_USAGE, usage.n > limit ? &last : NULL);
}
