/* GET /v1/events: what happened, newest first. */
#include "base/json.h"
#include "domain/event.h"
#include "web/api.h"
#include "web/list.h"

static const char *const event_columns[] = {
    "time", "type", "device", "seq", "id", "site", "data",
};
#define N_EVENT_COLUMNS ((int)(sizeof event_columns / sizeof *event_columns))

#define UUID_TEXT_LEN 36

/* `data` has to be a JSON object before the database sees it. */
static enum err read_data(struct web *web, struct event_filter *filter)
{
    filter->data = web_query_text(web, "data");
    if (filter->data.ptr == NULL) {
        return OK;
    }
    struct json_reader reader;
    json_reader_init(&reader, filter->data, web->op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_OBJECT || !json_skip(&reader, NULL) || !json_at_end(&reader)) {
        return fail(web->op, ERR_MALFORMED, "data: must be a JSON object");
    }
    return OK;
}

static bool is_uuid(struct str text)
{
    if (text.len != UUID_TEXT_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_hex = text.ptr[i] != 0 && strchr("0123456789abcdef", text.ptr[i]) != NULL;
        bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash_place ? text.ptr[i] != '-' : !is_hex) {
            return false;
        }
    }
    return true;
}

static enum err read_filter(struct web *web, struct event_filter *filter)
{
    *filter = (struct event_filter){
        .type = web_query_text(web, "type"),
        .device = web_query_text(web, "device"),
    };
    struct cursor cursor = { 0 };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);
    if (err == OK) {
        err = web_query_limit(web, &filter->limit);
    }
    if (err == OK) {
        err = read_data(web, filter);
    }
    if (err == OK) {
        err = web_query_cursor(web, CURSOR_EVENTS, &filter->is_before, &cursor);
    }
    if (err == OK && filter->is_before && !is_uuid(cursor.key)) {
        err = fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    filter->before_us = cursor.time_us;
    filter->before_key = cursor.key;
    return err;
}

static void write_event(struct list_writer *list, const struct event *event)
{
    list_item(list);
    list_time(list, event->time_us);
    list_text(list, event->type);
    list_text(list, event->device);
    if (event->has_seq) {
        list_int(list, event->seq);
    } else {
        list_null(list);
    }
    list_text(list, event->id);
    list_text(list, event->site);
    list_json(list, event->data);
    list_end_item(list);
}

enum err api_events_list(struct web *web)
{
    struct event_filter filter;
    enum err err = read_filter(web, &filter);
    if (err != OK) {
        return err;
    }
    struct list_writer list;
    err = list_begin(&list, web, event_columns, N_EVENT_COLUMNS);
    if (err != OK) {
        return err;
    }
    int limit = filter.limit++;
    struct event_list events;
    err = event_list(web->tx, &filter, &events);
    if (err != OK) {
        return err;
    }
    int n = events.n > limit ? limit : events.n;
    for (int i = 0; i < n; i++) {
        write_event(&list, &events.items[i]);
    }
    struct cursor last = { 0 };
    if (events.n > limit) {
        last = (struct cursor){ .time_us = events.items[n - 1].time_us,
                                .key = str_of(events.items[n - 1].key) };
    }
    return list_end(&list, CURSOR_EVENTS, events.n > limit ? &last : NULL);
}
