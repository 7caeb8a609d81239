/* GET /v1/events: what happened, newest first. */
#include "base/json.h"
#include "domain/event.h"
#include "web/api.h"
#include "web/list_stream.h"

static const char *const event_columns[] = {
    "time", "type", "device", "seq", "id", "site", "data",
};
#define N_EVENT_COLUMNS ((int)(sizeof event_columns / sizeof *event_columns))

static const struct parquet_column typed_columns[] = {
    { "time", PARQUET_TIME, false }, { "type", PARQUET_STRING, false },
    { "device", PARQUET_STRING, true }, { "seq", PARQUET_INT64, true },
    { "id", PARQUET_STRING, true },  { "site", PARQUET_STRING, true },
    { "data", PARQUET_STRING, true },
};
static const struct parquet_schema event_schema = { typed_columns, N_EVENT_COLUMNS };

#define UUID_TEXT_LEN 36
#define MAX_DATA_PATH 16 /* members of data.a.b.c */

static bool is_json(struct web *web, struct str text, bool is_object)
{
    struct json_reader reader;

    json_reader_init(&reader, text, web->op->arena, MAX_JSON_DEPTH);
    enum json_type kind = json_peek(&reader);
    bool is_wanted = is_object ? kind == JSON_OBJECT : kind != JSON_OBJECT && kind != JSON_ARRAY;
    return is_wanted && json_skip(&reader, NULL) && json_at_end(&reader);
}

/* data.door.state=open as {"door":{"state":"open"}}. What is a number, true, false, null or a text
 * in quotes is that; all else is a text. */
static enum err path_filter(struct web *web, struct str path, struct str value, struct str *out)
{
    struct buf text;
    struct json_writer json;
    int depth = 0;

    buf_init(&text, web->op->arena, MAX_EVENT_DATA_BYTES);
    json_writer_init(&json, &text);
    while (path.ptr != NULL) {
        struct str name = str_cut(&path, '.');
        if (name.len == 0 || depth == MAX_DATA_PATH) {
            return fail(web->op, ERR_MALFORMED, "data.…: must name a path of at most %d members",
                        MAX_DATA_PATH);
        }
        json_open_object(&json);
        json_key_str(&json, name);
        depth++;
    }
    if (is_json(web, value, false)) {
        json_raw(&json, value);
    } else {
        json_string(&json, value);
    }
    for (; depth > 0; depth--) {
        json_close_object(&json);
    }
    *out = buf_str(&text);
    return text.is_broken ? fail_memory(web->op) : OK;
}

/* `data` and `data.path` parameters. They have to be JSON before the database sees them. */
static enum err read_data(struct web *web, struct event_filter *filter)
{
    for (int i = 0; i < web->request->n_query; i++) {
        const struct http_param *param = &web->request->query[i];
        bool is_whole = str_equal(param->name, STR("data"));
        if ((!is_whole && !str_starts_with(param->name, STR("data."))) || param->value.len == 0) {
            continue;
        }
        if (filter->n_data == EVENT_MAX_DATA_FILTERS) {
            return fail(web->op, ERR_INVALID, "data: at most %d such filters",
                        EVENT_MAX_DATA_FILTERS);
        }
        struct str *out = &filter->data[filter->n_data++];
        *out = param->value;
        if (is_whole && !is_json(web, param->value, true)) {
            return fail(web->op, ERR_MALFORMED, "data: must be a JSON object");
        }
        struct str path = { param->name.ptr + 5, param->name.len - 5 };
        enum err err = is_whole ? OK : path_filter(web, path, param->value, out);
        if (err != OK) {
            return err;
        }
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
        .site = web_query_text(web, "site"),
    };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);
    return err == OK ? read_data(web, filter) : err;
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

static enum err write_page(struct list_writer *list, void *query, const struct cursor *before,
                           int limit, struct cursor *last, bool *is_more)
{
    struct event_filter filter = *(struct event_filter *)query;
    struct event_list events;

    filter.limit = limit + 1;
    filter.is_before = before != NULL;
    if (before != NULL) {
        if (!is_uuid(before->key)) {
            return list_bad_cursor(list->web);
        }
        filter.before_us = before->time_us;
        filter.before_key = before->key;
    }
    enum err err = event_list(list->web->tx, &filter, &events);
    if (err != OK) {
        return err;
    }
    int n = 0;
    while (n < events.n && n < limit && !list_is_full(list)) {
        write_event(list, &events.items[n++]);
    }
    *is_more = n < events.n;
    if (n > 0) {
        *last = (struct cursor){ events.items[n - 1].time_us, str_of(events.items[n - 1].key) };
    }
    return OK;
}

/* Each may hold MAX_EVENT_DATA_BYTES, and all of a page are in memory at once. */
#define STREAM_ROWS 250

enum err api_events_list(struct web *web)
{
    struct event_filter *filter = arena_alloc(web->op->arena, sizeof *filter);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);
    if (filter == NULL || source == NULL) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){ event_columns, N_EVENT_COLUMNS, CURSOR_EVENTS, STREAM_ROWS,
                                    filter, write_page, &event_schema, "events.parquet" };
    enum err err = read_filter(web, filter);
    return err == OK ? list_answer(web, source) : err;
}
