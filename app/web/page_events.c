/* /events: what happened, newest first, a page at a time, and how much of it by day. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "base/json.h"
#include "domain/upload.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/link.h"
#include "view/model_events.h"
#include "web/cursor.h"
#include "web/span_input.h"

/* What is asked for, as instants, and as typed. */
struct query {
    struct event_filter filter;
    struct zone zone;
    int64_t now_us, from_day, to_day;
    bool has_from, has_to;
    const char *span_error, *data_error;
};

static const char *typed(struct web *web, const char *name)
{
    struct str text = web_query_text(web, name);
    return text.ptr ? arena_copy(web->op->arena, text) : "";
}

/* A JSON object; without a colon a word is not one, and says so. */
static void read_data(struct web *web, struct query *query)
{
    struct str text = web_query_text(web, "data");
    struct json_reader reader;
    if (text.ptr == NULL) {
        return;
    }
    json_reader_init(&reader, text, web->op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_OBJECT || !json_skip(&reader, NULL) || !json_at_end(&reader)) {
        query->data_error = "Data is written as JSON, like {\"door\": \"open\"}.";
        return;
    }
    query->filter.data[0] = text;
    query->filter.n_data = 1;
}

static void read_dates(struct web *web, struct query *query)
{
    query->has_from = web_query_text(web, "from").ptr != NULL;
    query->has_to = web_query_text(web, "to").ptr != NULL;
    if (!span_input_day(web, "from", &query->from_day) ||
        !span_input_day(web, "to", &query->to_day)) {
        query->span_error = "A date is written like 2026-11-20.";
    } else if (query->has_from && query->has_to && query->to_day < query->from_day) {
        query->span_error = "The last day is before the first.";
    }
    if (query->span_error != NULL) {
        query->has_from = query->has_to = false;
    }
}

/* The zone, for the days that are shown and asked for. */
static enum err load_zone(struct web *web, struct query *query)
{
    int64_t from_us = query->now_us - 400 * US_PER_DAY, to_us = query->now_us + 3 * US_PER_DAY;
    int64_t first_us = (query->from_day - 2) * US_PER_DAY;
    if (query->has_from && first_us < from_us &&
        query->now_us / US_PER_DAY - query->from_day < SPAN_MAX_DAYS) {
        from_us = first_us;
    }
    return zone_load(web->tx, web->who->tenant_timezone, from_us, to_us, &query->zone);
}

static enum err read_query(struct web *web, struct query *query)
{
    struct cursor cursor = { 0 };
    *query = (struct query){ .now_us = clock_now_us() };
    query->filter = (struct event_filter){
        .type = web_query_text(web, "type"),
        .device = web_query_text(web, "device"),
        .from_us = CLOCK_MIN_US,
        .to_us = CLOCK_MAX_US,
        .limit = EVENTS_SHOWN + 1,
    };
    read_data(web, query);
    read_dates(web, query);
    enum err err = load_zone(web, query);
    if (err == OK) {
        err = web_query_cursor(web, CURSOR_EVENTS, &query->filter.is_before, &cursor);
    }
    if (query->filter.is_before && str_equal(http_query(web->request, "way"), STR("newer"))) {
        query->filter.is_before = false;
        query->filter.is_after = true;
    }
    query->filter.before_us = cursor.time_us;
    query->filter.before_key = cursor.key;
    if (query->has_from) {
        query->filter.from_us = span_day_start(&query->zone, query->from_day);
    }
    if (query->has_to) {
        query->filter.to_us = span_day_start(&query->zone, query->to_day + 1);
    }
    return err;
}

/* The page with the same filters: the newest; or what is older, or newer, than an event. */
static const char *page_link(struct web *web, const struct events_view *view,
                             const struct event *edge, const char *way)
{
    struct arena *arena = web->op->arena;
    const char *cursor = NULL;
    if (edge != NULL) {
        struct cursor position = { .time_us = edge->time_us, .key = str_of(edge->key) };
        cursor = cursor_encode(arena, CURSOR_EVENTS, position);
    }
    const struct link_param params[] = {
        { "type", view->type }, { "device", view->device }, { "from", view->from },
        { "to", view->to },     { "data", view->data },     { "cursor", cursor },
        { "way", way },
    };
    return link_to(arena, "/events", params, sizeof params / sizeof *params);
}

static const char *csv_link(struct web *web, const struct query *query,
                            const struct events_view *view)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
    const struct link_param params[] = {
        { "format", "csv" },
        { "type", view->type },
        { "device", view->device },
        { "data", query->filter.n_data > 0 ? view->data : NULL },
        { "from", query->has_from ? clock_format(query->filter.from_us, from) : NULL },
        { "to", query->has_to ? clock_format(query->filter.to_us, to) : NULL },
    };
    return link_to(web->op->arena, "/v1/events", params, sizeof params / sizeof *params);
}

/* The bars are of all events of the last days: they are for finding one's way, not for filters. */
static enum err add_counts(struct web *web, const struct query *query, struct events_view *view)
{
    int64_t starts[EVENT_COUNT_DAYS + 1];
    int64_t today = span_day_of(&query->zone, query->now_us);
    struct event_count_list counts;
    for (int d = 0; d <= EVENT_COUNT_DAYS; d++) {
        starts[d] = span_day_start(&query->zone, today - EVENT_COUNT_DAYS + 1 + d);
    }
    enum err err = event_count(web->tx, starts, EVENT_COUNT_DAYS + 1, &counts);
    if (err != OK) {
        return err;
    }
    return event_counts_view(web->op->arena, &query->zone, query->now_us, starts, &counts, view)
               ? OK
               : fail_memory(web->op);
}

/* One event more than a page tells that there are others. Where those that are newer make no whole
 * page, the newest page is shown in its place. */
static enum err list_events(struct web *web, struct query *query, struct event_list *list,
                            bool *has_more)
{
    struct event_filter *filter = &query->filter;
    enum err err = event_list(web->tx, filter, list);
    if (err == OK && filter->is_after && list->n <= EVENTS_SHOWN) {
        filter->is_after = false;
        err = event_list(web->tx, filter, list);
    }
    if (err != OK) {
        return err;
    }
    *has_more = list->n > EVENTS_SHOWN;
    if (*has_more) {
        list->n = EVENTS_SHOWN;
        list->items += filter->is_after ? 1 : 0;
    }
    return OK;
}

static enum err add_events(struct web *web, struct query *query, struct events_view *view)
{
    struct event_list list;
    bool has_more = false;
    enum err err = list_events(web, query, &list, &has_more);
    if (err == OK) {
        err = upload_mark_events(web->tx, &list);
    }
    if (err != OK) {
        return err;
    }
    view->is_newest = !query->filter.is_before && !query->filter.is_after;
    if (!view->is_newest) {
        view->newest = page_link(web, view, NULL, NULL);
    }
    if (!view->is_newest && list.n > 0) {
        view->newer = page_link(web, view, &list.items[0], "newer");
    }
    if (has_more || query->filter.is_after) {
        view->older = page_link(web, view, &list.items[list.n - 1], NULL);
    }
    view->n_events = list.n;
    view->events = event_lines(web->op->arena, &query->zone, query->now_us, &list);
    return view->events == NULL && list.n > 0 ? fail_memory(web->op) : OK;
}

enum err page_events(struct web *web)
{
    struct query query;
    enum err err = read_query(web, &query);
    if (err != OK) {
        return err;
    }
    struct events_view view = {
        .page = page_view(web, "Events", "/events"),
        .type = typed(web, "type"),
        .device = typed(web, "device"),
        .from = typed(web, "from"),
        .to = typed(web, "to"),
        .data = typed(web, "data"),
        .span_error = query.span_error,
        .data_error = query.data_error,
        .zone = web->who->tenant_timezone,
    };
    view.is_filtered = view.type[0] || view.device[0] || view.from[0] || view.to[0] || view.data[0];
    view.csv = csv_link(web, &query, &view);
    bool is_wrong = query.span_error != NULL || query.data_error != NULL;
    err = is_wrong ? OK : add_events(web, &query, &view);
    if (err == OK && (is_wrong || view.is_newest)) {
        err = add_counts(web, &query, &view);
    }
    if (err != OK) {
        return err;
    }
    if (is_wrong) {
        web->response->status = 422;
    }
    page_is_html(web);
    tpl_page_events(&web->response->body, &view);
    return OK;
}
