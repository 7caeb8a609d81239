/* OTLP/HTTP's answers: an Export…ServiceResponse, or a google.rpc.Status, as JSON where the request
 * was JSON and as protobuf else. A client sends again after 429, 502, 503 and 504 alone, so a fault
 * of ours is told as 503. Called by the formats of OTLP and, on their behalf, for what stops a
 * request before. */
#include "ingest/otlp.h"

const char *const otlp_types[] = { OTLP_PROTOBUF, OTLP_JSON, NULL };

/* google.rpc.Code */
enum status_code {
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_NOT_FOUND = 5,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_UNAVAILABLE = 14,
    STATUS_UNAUTHENTICATED = 16
};

/* Where it is not that the request is no good. */
static const struct {
    int status; /* HTTP's */
    enum status_code code;
} codes[] = {
    { 401, STATUS_UNAUTHENTICATED },    { 403, STATUS_PERMISSION_DENIED },
    { 404, STATUS_NOT_FOUND },          { 405, STATUS_UNIMPLEMENTED },
    { 413, STATUS_RESOURCE_EXHAUSTED }, { 429, STATUS_RESOURCE_EXHAUSTED },
    { 503, STATUS_UNAVAILABLE },
};

static bool is_json(const struct http_request *request)
{
    return !str_equal(request->content_type, STR(OTLP_PROTOBUF));
}

/* An empty body of the request's kind. */
static void begin(const struct http_request *request, struct http_response *response)
{
    buf_clear(&response->body);
    response->content_type = is_json(request) ? OTLP_JSON : OTLP_PROTOBUF;
}

/* ---- success ---- */

/* partialSuccess {rejected = 1, errorMessage = 2} = 1 */
static void write_partial(struct buf *out, const struct ingest_outcome *outcome,
                          const char *message)
{
    size_t opened = proto_open(out, 1);

    proto_put_uint(out, 1, outcome->rejected);
    proto_put_bytes(out, 2, str_of(message));
    proto_close(out, opened);
}

static void write_partial_json(struct buf *out, const struct ingest_outcome *outcome,
                               const char *rejected, const char *message)
{
    struct json_writer writer;
    char count[16];

    (void)snprintf(count, sizeof count, "%u", outcome->rejected);
    json_writer_init(&writer, out);
    json_open_object(&writer);
    if (outcome->rejected) {
        json_key(&writer, "partialSuccess");
        json_open_object(&writer);
        json_key(&writer, rejected);
        json_text(&writer, count); /* an int64 is a string in protobuf's JSON */
        json_key(&writer, "errorMessage");
        json_text(&writer, message);
        json_close_object(&writer);
    }
    json_close_object(&writer);
}

enum err otlp_answer(struct http_request *request, const struct ingest_outcome *outcome,
                     const char *rejected, struct http_response *response)
{
    const char *message = outcome->n_errors ? outcome->errors[0].detail : "";

    if (outcome->rejected && outcome->accepted + outcome->duplicates + outcome->updated == 0) {
        return fail(request->op, ERR_INVALID, "none of the %u items was accepted; the first: %s",
                    outcome->rejected, message);
    }
    begin(request, response);
    if (is_json(request)) {
        write_partial_json(&response->body, outcome, rejected, message);
    } else if (outcome->rejected) {
        write_partial(&response->body, outcome, message);
    }
    return OK;
}

/* ---- failure ---- */

/* Status {code = 1, message = 2} */
static void write_status(struct buf *out, enum status_code code, const char *message)
{
    proto_put_uint(out, 1, code);
    proto_put_bytes(out, 2, str_of(message));
}

static void write_status_json(struct buf *out, enum status_code code, const char *message)
{
    struct json_writer writer;

    json_writer_init(&writer, out);
    json_open_object(&writer);
    json_key(&writer, "code");
    json_int(&writer, code);
    json_key(&writer, "message");
    json_text(&writer, message);
    json_close_object(&writer);
}

/* HTTP's status: 400 for all that is the request's own fault but what has a status of its own. */
static int status_of(enum err code)
{
    int status = err_row(code)->status;

    return status >= 500 ? 503 : status == 422 ? 400 : status;
}

void otlp_answer_error(struct http_request *request, struct http_response *response)
{
    enum status_code code = STATUS_INVALID_ARGUMENT;
    const char *message = http_public_detail(request->op);

    http_problem(response, request->op, request->path); /* for what comes with it in headers */
    response->status = status_of(request->op->fault.code);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].status == response->status) {
            code = codes[i].code;
        }
    }
    begin(request, response);
    if (is_json(request)) {
        write_status_json(&response->body, code, message);
    } else {
        write_status(&response->body, code, message);
    }
}
