/* Builds answers: headers that cannot be split, redirects, problem documents (RFC 9457).
 * What sends them is http/fcgi; what decides them are the handlers and serve/dispatch. */
#include "http/response.h"

#include "base/json.h"
#include "base/limits.h"

#define PROBLEM_TYPE_BASE "https://tidemark.dev/problems/"
#define RETRY_AFTER_SECONDS "1" /* an ordinary overload or restart is over by then */

void http_response_init(struct http_response *response, struct arena *arena)
{
    *response = (struct http_response){ .status = 200, .arena = arena };
    buf_init(&response->body, arena, MAX_RESPONSE_BYTES);
}

bool http_add_header(struct http_response *response, const char *name, const char *value)
{
    if (response->n_headers == HTTP_MAX_HEADERS || !value || strpbrk(value, "\r\n")) {
        return false;
    }
    char *copy = arena_copy(response->arena, str_of(value));
    if (!copy) {
        return false;
    }
    response->headers[response->n_headers].name = name;
    response->headers[response->n_headers].value = copy;
    response->n_headers++;
    return true;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    for (int i = 0; i < response->n_headers; i++) {
        if (str_equal_nocase(str_of(response->headers[i].name), str_of(name))) {
            return response->headers[i].value;
        }
    }
    return NULL;
}

void http_redirect(struct http_response *response, const char *location)
{
    bool is_ours = location[0] == '/' && location[1] != '/' && location[1] != '\\';

    response->status = 303;
    response->content_type = NULL;
    buf_clear(&response->body);
    if (!is_ours || !http_add_header(response, "Location", location)) {
        (void)http_add_header(response, "Location", "/");
    }
}

const char *http_public_detail(const struct op *op)
{
    const struct err_row *row = err_row(op->fault.code);

    if (row->is_detail_public && op->fault.detail[0]) {
        return op->fault.detail;
    }
    if (row->status == 503) {
        return "The service cannot take this now; send it again a little later.";
    }
    return row->status == 500 ? "The server failed; nothing was stored." : row->title;
}

static void write_item(struct json_writer *json, const struct http_item_error *item)
{
    json_open_object(json);
    if (item->index >= 0) {
        json_key(json, "index");
        json_int(json, item->index);
    }
    if (item->field) {
        json_key(json, "field");
        json_text(json, item->field);
    }
    json_key(json, "detail");
    json_text(json, item->detail);
    json_close_object(json);
}

void http_problem_items(struct http_response *response, const struct op *op, struct str instance,
                        const struct http_item_error *items, int n_items)
{
    const struct err_row *row = err_row(op->fault.code);
    struct json_writer json;
    char type[96];

    (void)snprintf(type, sizeof type, PROBLEM_TYPE_BASE "%s", row->slug);
    response->status = row->status;
    response->content_type = "application/problem+json";
    buf_clear(&response->body);
    json_writer_init(&json, &response->body);
    json_open_object(&json);
    json_key(&json, "type");
    json_text(&json, type);
    json_key(&json, "title");
    json_text(&json, row->title);
    json_key(&json, "status");
    json_int(&json, row->status);
    json_key(&json, "detail");
    json_text(&json, http_public_detail(op));
    json_key(&json, "instance");
    json_string(&json, instance);
    json_key(&json, "request_id");
    json_text(&json, op->id);
    if (n_items > 0) {
        json_key(&json, "errors");
        json_open_array(&json);
        for (int i = 0; i < n_items; i++) {
            write_item(&json, &items[i]);
        }
        json_close_array(&json);
    }
    json_close_object(&json);
    if ((row->status == 503 || row->status == 429) &&
        !http_response_header(response, "Retry-After")) {
        (void)http_add_header(response, "Retry-After", RETRY_AFTER_SECONDS);
    }
}

void http_problem(struct http_response *response, const struct op *op, struct str instance)
{
    http_problem_items(response, op, instance, response->errors, response->n_errors);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } REASONS[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 207, "Multi-Status" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        if (REASONS[i].status == status) {
            return REASONS[i].reason;
        }
    }
    return "Status";
}
