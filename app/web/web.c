/* What handlers share: reading parameters, each refused by its name (one without a value is as
 * good as absent), and addresses. Called by page_*.c and api_*.c. */
#include "web/web.h"

#include "base/clock.h"
#include "domain/span.h"
#include "http/form.h"
#include "view/html.h"
#include "web/cursor.h"

/* The years that RFC 3339 can write: the bounds of a span that has none. */
#define TIME_FIRST_US INT64_C(-62135596800000000) /* 0001-01-01 */
#define TIME_END_US INT64_C(253402300800000000)   /* 10000-01-01 */

struct str web_form(const struct web *web, const char *name)
{
    return http_param_find(web->form, web->n_form, name);
}

struct str web_query_text(const struct web *web, const char *name)
{
    struct str text = http_query(web->request, name);
    return text.len > 0 ? text : (struct str){ .ptr = NULL };
}

bool web_is_uuid(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.ptr[i] != '-'
                    : !memchr("0123456789abcdefABCDEF", text.ptr[i], 22)) {
            return false;
        }
    }
    return text.len == 36;
}

enum err web_event_id(struct web *web, struct str text, const char **out)
{
    if (!web_is_uuid(text)) {
        return fail(web->op, ERR_INVALID, "event: must be the id of an event, a UUID");
    }
    *out = arena_copy(web->op->arena, text);
    return *out ? OK : fail_memory(web->op);
}

enum err web_query_event(struct web *web, const char **out)
{
    struct str event = web_query_text(web, "event");

    *out = NULL;
    return event.ptr ? web_event_id(web, event, out) : OK;
}

/* An offset's + that was not percent-encoded arrives as a space: 12:00:00 05:30. */
static bool parse_time(struct web *web, struct str text, int64_t *out)
{
    if (clock_parse(text, out)) {
        return true;
    }
    size_t at = text.len - 6;
    if (text.len < sizeof "2026-11-20T12:00:00" + 5 || text.ptr[at] != ' ') {
        return false;
    }
    char *mended = arena_copy(web->op->arena, text);
    if (mended == NULL) {
        return false;
    }
    mended[at] = '+';
    return clock_parse((struct str){ mended, text.len }, out);
}

/* A parameter as time; `fallback_us` when it is absent. */
static enum err query_time(struct web *web, const char *name, int64_t fallback_us, int64_t *out)
{
    struct str text = web_query_text(web, name);
    if (text.ptr == NULL) {
        *out = fallback_us;
        return OK;
    }
    if (!parse_time(web, text, out)) {
        return fail(web->op, ERR_MALFORMED,
                    "%s: must be an RFC 3339 time, a date or an integer epoch", name);
    }
    return OK;
}

enum err web_query_span(struct web *web, int64_t *from_us, int64_t *to_us)
{
    enum err err = query_time(web, "from", TIME_FIRST_US, from_us);
    if (err == OK) {
        err = query_time(web, "to", TIME_END_US, to_us);
    }
    if (err == OK && *to_us < *from_us) {
        err = fail(web->op, ERR_INVALID, "to: must not be before from");
    }
    return err;
}

enum err web_query_day(struct web *web, const char *name, int64_t fallback, int64_t *day)
{
    struct str text = web_query_text(web, name);

    *day = fallback;
    if (text.ptr && !span_day_parse(text, day)) {
        return fail(web->op, ERR_MALFORMED, "%s: must be a date such as 2026-11-20", name);
    }
    return OK;
}

enum err web_query_limit(struct web *web, int *out)
{
    struct str text = web_query_text(web, "limit");
    if (text.ptr == NULL) {
        *out = LIST_LIMIT_DEFAULT;
        return OK;
    }
    long long value = 0;
    if (!str_to_int64(text, &value)) {
        return fail(web->op, ERR_MALFORMED, "limit: must be an integer");
    }
    if (value < 1 || value > LIST_LIMIT_MAX) {
        return fail(web->op, ERR_INVALID, "limit: must be from 1 to %d", LIST_LIMIT_MAX);
    }
    *out = (int)value;
    return OK;
}

enum err web_query_cursor(struct web *web, int kind, bool *found, struct cursor *out)
{
    struct str text = web_query_text(web, "cursor");
    *found = text.ptr != NULL;
    if (!*found) {
        return OK;
    }
    if (!cursor_decode(web->op->arena, (enum cursor_kind)kind, text, out) ||
        out->time_us < TIME_FIRST_US || out->time_us > TIME_END_US) {
        return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    return OK;
}

const char *web_base_url(const struct web *web)
{
    if (web->config->public_url != NULL) {
        return web->config->public_url;
    }
    struct str host = http_header(web->request, "Host");
    bool is_sane = host.len > 0 && host.len <= 255;
    for (size_t i = 0; is_sane && i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        is_sane = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  strchr(".-:[]", c) != NULL;
    }
    if (!is_sane) {
        return "http://127.0.0.1:8080";
    }
    return arena_printf(web->op->arena, "%s://%.*s", web->request->is_https ? "https" : "http",
                        (int)host.len, host.ptr);
}

const char *web_path(struct arena *arena, const char *prefix, struct str part)
{
    struct buf path;
    buf_init(&path, arena, 4096);
    buf_add_text(&path, prefix);
    html_url_part_str(&path, part);
    buf_add_char(&path, '\0');
    return path.is_broken ? NULL : path.data;
}

enum err web_created(struct web *web, const char *prefix, struct str key)
{
    const char *location = web_path(web->op->arena, prefix, key);
    if (location == NULL || !http_add_header(web->response, "Location", location)) {
        return fail_memory(web->op);
    }
    web->response->status = 201;
    return OK;
}
