/* InfluxDB's three ways to write: POST /write (1), /api/v2/write (2), /api/v3/write_lp (3). The
 * body is line protocol (read_line) in each. Answers for what differs: the parameters, and the
 * answers to the byte, for their clients look at little else than status codes:
 *
 *   204 and nothing else is success, to influxdb-python and to Telegraf.
 *   Telegraf drops a batch at any 4xx of 1, and at 400, 404 and 422 of 2; it tries again at 5xx,
 *   and at 429 of 2. So what may be sent again is 503 in 1, and 429 or 503 in 2 and 3.
 *   Of a request with good and bad lines the good ones are kept: 400 in 1 and 3, 422 in 2.
 *
 * Called by the service, and by dispatch for failures of the gate and of the helpers
 * (web/compat_influx.c). */
#include "ingest/format.h"

#include "base/json.h"
#include "ingest/read_line.h"

#define MAX_LINES 100000       /* of one request; its size and memory are bounded anyway */
#define SHOWN_LINE_BYTES 200   /* of a line, in a message */
#define MAX_HEADER_BYTES 512   /* of X-InfluxDB-Error */
#define RETRY_AFTER_SECONDS "1"

/* ---- parameters ---- */

struct precision_name {
    const char *name;
    enum line_precision precision;
};
static const struct precision_name v1_names[] = {
    { "n", LINE_NS }, { "ns", LINE_NS }, { "u", LINE_US }, { "us", LINE_US }, { "µ", LINE_US },
    { "ms", LINE_MS }, { "s", LINE_S }, { "m", LINE_M }, { "h", LINE_H }, { NULL, LINE_NS },
};
static const struct precision_name v2_names[] = {
    { "ns", LINE_NS }, { "us", LINE_US }, { "ms", LINE_MS }, { "s", LINE_S }, { NULL, LINE_NS },
};
static const struct precision_name v3_names[] = {
    { "auto", LINE_BY_SIZE }, { "nanosecond", LINE_NS }, { "microsecond", LINE_US },
    { "millisecond", LINE_MS }, { "second", LINE_S }, { "ns", LINE_NS }, { "us", LINE_US },
    { "ms", LINE_MS }, { "s", LINE_S }, { "n", LINE_NS }, { "u", LINE_US }, { NULL, LINE_BY_SIZE },
};

/* The precision that the request asks for, by one of `names`, or the default at their end.
 * ERR_MALFORMED for another: to guess would put readings into another century. */
static enum err read_precision(struct http_request *request, const struct precision_name *names,
                               const char *wanted, enum line_precision *out)
{
    struct str value = http_query(request, "precision");

    for (; names->name; names++) {
        if (str_equal(value, str_of(names->name))) {
            break;
        }
    }
    *out = names->precision;
    if (names->name || value.len == 0) {
        return OK;
    }
    return fail(request->op, ERR_MALFORMED, "invalid precision \"%.*s\" (use %s)",
                columns_shown(value), value.ptr, wanted);
}

static enum err parse_as(struct http_request *request, const struct precision_name *names,
                         const char *wanted, struct str body, struct ingest_columns *columns)
{
    enum line_precision precision;
    enum err err = read_precision(request, names, wanted, &precision);

    return err ? err : ingest_read_lines(body, precision, columns);
}

static enum err parse_v1(struct http_request *request, struct str body,
                         struct ingest_columns *columns)
{
    return parse_as(request, v1_names, "n, u, ms, s, m or h", body, columns);
}

static enum err parse_v2(struct http_request *request, struct str body,
                         struct ingest_columns *columns)
{
    return parse_as(request, v2_names, "ns, us, ms or s", body, columns);
}

static bool is_partial_accepted(const struct http_request *request)
{
    struct str value = http_query(request, "accept_partial");

    return !str_equal(value, STR("false"));
}

static enum err parse_v3(struct http_request *request, struct str body,
                         struct ingest_columns *columns)
{
    enum err err = parse_as(request, v3_names,
                            "auto, nanosecond, microsecond, millisecond or second", body, columns);

    columns->is_whole = !is_partial_accepted(request);
    if (!err) {
        columns_reject_rest(columns);
    }
    return err;
}

/* ---- what is said ---- */

/* The beginning of a line, in whole characters. */
static struct str shown_line(struct str line)
{
    if (line.len > SHOWN_LINE_BYTES) {
        line.len = SHOWN_LINE_BYTES;
        while (line.len && ((unsigned char)line.ptr[line.len] & 0xc0) == 0x80) {
            line.len--;
        }
    }
    return line;
}

/* Why a line was refused, in InfluxDB's words where it has some. NULL without memory. */
static const char *reason_of(struct arena *arena, const struct ingest_error *error)
{
    struct str line = shown_line(error->source);

    if (error->code != ERR_MALFORMED) {
        return error->detail;
    }
    return arena_printf(arena, "unable to parse '%.*s': %s", (int)line.len,
                        line.ptr ? line.ptr : "", error->detail);
}

static bool is_all_rejected(const struct ingest_outcome *outcome)
{
    return outcome->accepted + outcome->duplicates + outcome->updated == 0;
}

/* Every line was refused, the first for the token's sake: no fault of the lines. */
static bool is_forbidden(const struct ingest_outcome *outcome)
{
    return is_all_rejected(outcome) && outcome->errors[0].code == ERR_FORBIDDEN;
}

/* None could be read at all, as far as the first ones tell. */
static bool is_unreadable(const struct ingest_outcome *outcome)
{
    bool is_syntax = is_all_rejected(outcome);

    for (int i = 0; is_syntax && i < outcome->n_errors; i++) {
        is_syntax = outcome->errors[i].code == ERR_MALFORMED;
    }
    return is_syntax;
}

/* The whole message about what was refused. NULL without memory. */
static const char *describe(struct arena *arena, const struct ingest_outcome *outcome)
{
    const char *reason = reason_of(arena, &outcome->errors[0]);

    if (!reason || is_unreadable(outcome) || is_forbidden(outcome)) {
        return reason;
    }
    return arena_printf(arena, "partial write: %s dropped=%u", reason, outcome->rejected);
}

/* A header's value holds no line ends, and other alphabets only in the body. */
static void add_error_header(struct http_response *response, const char *message)
{
    char value[MAX_HEADER_BYTES];
    size_t n = 0;

    for (; n < sizeof value - 1 && message[n]; n++) {
        value[n] = message[n] < ' ' || message[n] > '~' ? '?' : message[n];
    }
    value[n] = '\0';
    (void)http_add_header(response, "X-InfluxDB-Error", value);
}

static void say_success(struct http_response *response)
{
    response->status = 204;
    response->content_type = NULL;
}

/* {"code": code, "message": text}, with code NULL {"error": text}. */
static void say(struct http_response *response, int status, const char *code, const char *text)
{
    struct json_writer writer;

    response->status = status;
    response->content_type = "application/json";
    buf_clear(&response->body);
    json_writer_init(&writer, &response->body);
    json_open_object(&writer);
    if (code) {
        json_key(&writer, "code");
        json_text(&writer, code);
    }
    json_key(&writer, code ? "message" : "error");
    json_text(&writer, text);
    json_close_object(&writer);
}

/* Of 1, whose clients show the header. */
static void say_v1(struct http_response *response, int status, const char *message)
{
    say(response, status, NULL, message);
    buf_add_char(&response->body, '\n');
    add_error_header(response, message);
}

/* The words that 2 has for statuses. */
static const char *code_of(int status)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {
        { 400, "invalid" },           { 401, "unauthorized" },
        { 403, "forbidden" },         { 404, "not found" },
        { 405, "method not allowed" }, { 413, "request too large" },
        { 415, "invalid" },           { 422, "unprocessable entity" },
        { 429, "too many requests" }, { 503, "unavailable" },
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].status == status) {
            return codes[i].code;
        }
    }
    return status < 500 ? "invalid" : "internal error";
}

static void say_v2(struct http_response *response, int status, const char *message)
{
    say(response, status, code_of(status), message);
    response->content_type = "application/json; charset=utf-8";
}

static void say_v3(struct http_response *response, int status, const char *message)
{
    say(response, status, NULL, message);
}

/* ---- answers ---- */

static enum err answer_v1(struct http_request *request, const struct ingest_outcome *outcome,
                          struct http_response *response)
{
    if (outcome->rejected == 0) {
        say_success(response);
        return OK;
    }
    const char *message = describe(request->op->arena, outcome);
    if (!message) {
        return fail_memory(request->op);
    }
    say_v1(response, is_forbidden(outcome) ? 403 : 400, message);
    return OK;
}

static enum err answer_v2(struct http_request *request, const struct ingest_outcome *outcome,
                          struct http_response *response)
{
    if (outcome->rejected == 0) {
        say_success(response);
        return OK;
    }
    const char *message = describe(request->op->arena, outcome);
    if (!message) {
        return fail_memory(request->op);
    }
    say_v2(response, is_forbidden(outcome) ? 403 : is_unreadable(outcome) ? 400 : 422, message);
    return OK;
}

static void write_line_error(struct json_writer *writer, const struct ingest_error *error)
{
    json_open_object(writer);
    json_key(writer, "original_line");
    json_string(writer, shown_line(error->source));
    json_key(writer, "line_number");
    json_int(writer, (int64_t)error->index + 1);
    json_key(writer, "error_message");
    json_text(writer, error->detail);
    json_close_object(writer);
}

static enum err answer_v3(struct http_request *request, const struct ingest_outcome *outcome,
                          struct http_response *response)
{
    struct json_writer writer;

    if (outcome->rejected == 0) {
        say_success(response);
        return OK;
    }
    bool is_partial = is_partial_accepted(request) || !is_all_rejected(outcome);
    response->status = is_forbidden(outcome) ? 403 : 400;
    response->content_type = "application/json";
    json_writer_init(&writer, &response->body);
    json_open_object(&writer);
    json_key(&writer, "error");
    json_text(&writer, is_partial ? "partial write of line protocol occurred"
                                  : "parsing failed for write_lp endpoint");
    json_key(&writer, "data");
    if (is_partial) {
        json_open_array(&writer);
        for (int i = 0; i < outcome->n_errors; i++) {
            write_line_error(&writer, &outcome->errors[i]);
        }
        json_close_array(&writer);
    } else {
        write_line_error(&writer, &outcome->errors[0]);
    }
    json_close_object(&writer);
    return OK;
}

/* ---- failures ---- */

/* What may be sent again says when. */
static int status_of(const struct op *op, struct http_response *response)
{
    int status = err_row(op->fault.code)->status;

    if ((status == 503 || status == 429) && !http_response_header(response, "Retry-After")) {
        (void)http_add_header(response, "Retry-After", RETRY_AFTER_SECONDS);
    }
    return status;
}

static void answer_error_v1(struct http_request *request, struct http_response *response)
{
    int status = status_of(request->op, response);

    say_v1(response, status == 429 ? 503 : status, http_public_detail(request->op));
}

static void answer_error_v2(struct http_request *request, struct http_response *response)
{
    say_v2(response, status_of(request->op, response), http_public_detail(request->op));
}

static void answer_error_v3(struct http_request *request, struct http_response *response)
{
    say_v3(response, status_of(request->op, response), http_public_detail(request->op));
}

/* Of GET /health, which asks whether the service works, and reads the answer where it does not. */
static void answer_health(struct http_request *request, struct http_response *response)
{
    struct json_writer writer;

    response->status = status_of(request->op, response);
    response->content_type = "application/json";
    buf_clear(&response->body);
    json_writer_init(&writer, &response->body);
    json_open_object(&writer);
    json_key(&writer, "message");
    json_text(&writer, http_public_detail(request->op));
    json_key(&writer, "name");
    json_text(&writer, "influxdb");
    json_key(&writer, "status");
    json_text(&writer, "fail");
    json_close_object(&writer);
}

const struct ingest_format ingest_format_influx_health = {
    .name = "influx-health",
    .answer_error = answer_health,
};

const struct ingest_format ingest_format_influx_1 = {
    .name = "influx1",
    .credentials = CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_INFLUX,
    .max_events = MAX_LINES,
    .parse = parse_v1,
    .answer = answer_v1,
    .answer_error = answer_error_v1,
};

const struct ingest_format ingest_format_influx_2 = {
    .name = "influx2",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = MAX_LINES,
    .parse = parse_v2,
    .answer = answer_v2,
    .answer_error = answer_error_v2,
};

const struct ingest_format ingest_format_influx_3 = {
    .name = "influx3",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = MAX_LINES,
    .parse = parse_v3,
    .answer = answer_v3,
    .answer_error = answer_error_v3,
};
