/* OTLP: what is read of metrics and logs, the same in both encodings; what is malformed; the
 * answers' bytes. */
#include "hex.h"
#include "ingest/otlp.h"
#include "ingest_test.h"

struct otlp_case {
    const char *says, *digits, *json, *dump;
};
#include "otlp_logs.h"
#include "otlp_metrics.h"

static enum err parse(struct ingest_test *test, const struct ingest_format *format,
                      const char *type, struct str body, struct ingest_columns **out)
{
    ingest_test_reset(test);
    return ingest_test_parse(test, format, type, body, out);
}

static void test_cases(struct ingest_test *test, const struct ingest_format *format,
                       const struct otlp_case *cases, size_t n)
{
    struct arena *bytes = arena_new(1 << 20);
    struct ingest_columns *columns;

    for (size_t i = 0; i < n; i++) {
        arena_reset(bytes);
        ok(parse(test, format, OTLP_PROTOBUF, from_hex(bytes, cases[i].digits), &columns) == OK,
           "%s: %s", format->name, cases[i].says);
        is_str(ingest_test_dump(test, columns), cases[i].dump, "  in protobuf");
        ok(parse(test, format, OTLP_JSON, str_of(cases[i].json), &columns) == OK, "  likewise");
        is_str(ingest_test_dump(test, columns), cases[i].dump, "  in JSON");
    }
    arena_free(bytes);
}

/* Cut anywhere, a request is refused or shorter, and nothing is read beyond it. */
static void test_cuts(struct ingest_test *test, const struct ingest_format *format,
                      const struct otlp_case *cases, size_t n)
{
    struct arena *bytes = arena_new(1 << 20);
    struct ingest_columns *columns;
    int n_wrong = 0, n_taken = 0;

    for (size_t i = 0; i < n; i += 3) {
        arena_reset(bytes);
        struct str whole = from_hex(bytes, cases[i].digits);
        for (size_t len = 0; len < whole.len; len++) {
            char *part = malloc(len + 1);
            memcpy(part, whole.ptr, len);
            enum err err = parse(test, format, OTLP_PROTOBUF, (struct str){ part, len }, &columns);
            n_wrong += err != OK && err != ERR_MALFORMED;
            free(part);
        }
        size_t n_json = strlen(cases[i].json);
        for (size_t len = 0; len < n_json; len++) {
            char *part = malloc(len + 1);
            memcpy(part, cases[i].json, len);
            n_taken += parse(test, format, OTLP_JSON, (struct str){ part, len }, &columns) == OK;
            free(part);
        }
    }
    is_int(n_wrong, 0, "%s: protobuf cut anywhere is malformed or shorter", format->name);
    is_int(n_taken, 0, "%s: JSON cut anywhere is malformed", format->name);
    arena_free(bytes);
}

#define HOST "\"resource\":{\"attributes\":[{\"key\":\"host\",\"value\":{\"stringValue\":\"pi\"}}]}"
#define METRIC(metric) "{\"resourceMetrics\":[{" HOST ",\"scopeMetrics\":[{\"metrics\":[" metric "]}]}]}"
#define POINT(point) METRIC("{\"name\":\"a\",\"gauge\":{\"dataPoints\":[{" point "}]}}")

/* JSON beyond what protobuf's encoder writes: {body, events, or NULL for malformed}. */
static const struct {
    const char *says, *body, *dump;
} texts[] = {
    { "integers as numbers", POINT("\"asInt\":7,\"timeUnixNano\":1795175999000000000"),
      "pi @2026-11-20T11:59:59Z a=7" },
    { "an integer with an exponent", POINT("\"asInt\":1.5e3"), "pi a=1500" },
    { "a double as a string", POINT("\"asDouble\":\"1.5\""), "pi a=1.5" },
    { "members in another order",
      "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"gauge\":{\"dataPoints\":[{\"asInt\":1}]},"
      "\"name\":\"a\"}]}]," HOST "}]}",
      "pi a=1" },
    { "what nobody knows is passed over",
      POINT("\"asInt\":1,\"as_int\":5,\"new\":{\"a\":[null,{}]},\"exemplars\":[{\"asInt\":\"9\"}]"),
      "pi a=1" },
    { "null is as if it were not there",
      "{\"resourceMetrics\":[{" HOST ",\"schemaUrl\":null,\"scopeMetrics\":[{\"scope\":null,\"metrics\":["
      "{\"name\":\"a\",\"sum\":null,\"gauge\":{\"dataPoints\":[{\"attributes\":null,\"asInt\":1}]}}]}]}]}",
      "pi a=1" },
    { "an empty object", "{}", "" },
    { "white space around", " {\n}\t", "" },
    { "no JSON at all", "power_w 1", NULL },
    { "an empty body", "", NULL },
    { "a list", "[]", NULL },
    { "a number", "7", NULL },
    { "more after the object", "{}{}", NULL },
    { "a cut literal", "{\"resourceMetrics\":nul", NULL },
    { "a list that is an object", "{\"resourceMetrics\":{}}", NULL },
    { "an object that is a list", METRIC("[]"), NULL },
    { "a name that is a number", METRIC("{\"name\":7}"), NULL },
    { "a double that is no number", POINT("\"asDouble\":\"x\""), NULL },
    { "a double that is true", POINT("\"asDouble\":true"), NULL },
    { "a double with more after it", POINT("\"asDouble\":\"1 2\""), NULL },
    { "an integer that is none", POINT("\"asInt\":\"1.5\""), NULL },
    { "an integer with a fraction", POINT("\"asInt\":1.5"), NULL },
    { "an integer beyond 64 bits", POINT("\"asInt\":9223372036854775808"), NULL },
    { "an integer beyond 64 bits as a string", POINT("\"asInt\":\"9223372036854775808\""), NULL },
    { "a time that is a date", POINT("\"timeUnixNano\":\"2026-11-20\""), NULL },
    { "an enum by its name", METRIC("{\"sum\":{\"aggregationTemporality\":\"DELTA\"}}"), NULL },
    { "base64 that is none",
      POINT("\"attributes\":[{\"key\":\"a\",\"value\":{\"bytesValue\":\"a*b\"}}]"), NULL },
    { "a bool that is a number",
      POINT("\"attributes\":[{\"key\":\"a\",\"value\":{\"boolValue\":1}}]"), NULL },
    { "a NUL in a name", METRIC("{\"name\":\"a\\u0000b\"}"), NULL },
    { "half a surrogate pair", METRIC("{\"name\":\"\\ud800\"}"), NULL },
    { "bytes that are not UTF-8", METRIC("{\"name\":\"\xff\"}"), NULL },
};

static void test_texts(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        enum err err =
            parse(test, &ingest_format_otlp_metrics, OTLP_JSON, str_of(texts[i].body), &columns);
        is_int(err, texts[i].dump ? OK : ERR_MALFORMED, "%s", texts[i].says);
        if (texts[i].dump && err == OK) {
            is_str(ingest_test_dump(test, columns), texts[i].dump, "  is what it should be");
        }
    }
    ok(parse(test, &ingest_format_otlp_logs, OTLP_JSON,
             STR("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"0g\"}]}]}]}"),
             &columns) == ERR_MALFORMED, "a trace's id that is not hexadecimal");
    ok(parse(test, &ingest_format_otlp_logs, OTLP_JSON,
             STR("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"012\"}]}]}]}"),
             &columns) == ERR_MALFORMED, "or is half a byte");
}

/* ---- what JSON cannot say; each message is a field of the next ---- */

static struct str wrap(struct arena *arena, uint32_t number, struct str inner)
{
    struct buf out;

    buf_init(&out, arena, 1 << 16);
    proto_put_bytes(&out, number, inner);
    return buf_str(&out);
}

static struct str join(struct arena *arena, struct str first, struct str second)
{
    struct buf out;

    buf_init(&out, arena, 1 << 16);
    buf_add_str(&out, first);
    buf_add_str(&out, second);
    return buf_str(&out);
}

/* A request with one record, which is `record`, and a resource. */
static struct str request_of(struct arena *arena, struct str record, struct str resource)
{
    struct str scopes = wrap(arena, 2, wrap(arena, 2, record));

    return wrap(arena, 1, join(arena, resource, scopes));
}

static void test_depth(struct ingest_test *test)
{
    static const enum err expected[] = { OK, ERR_MALFORMED };
    struct arena *arena = arena_new(4 << 20);
    struct ingest_columns *columns;

    test->rules.device = STR("mine");
    for (int i = 0; i < 2; i++) {
        struct str value = wrap(arena, 1, STR("x"));
        for (int depth = 0; depth < (i ? 32 : 31); depth++) { /* a list of a list of … */
            value = wrap(arena, 5, wrap(arena, 1, value));
        }
        struct str body = request_of(arena, wrap(arena, 5, value), STR(""));
        is_int(parse(test, &ingest_format_otlp_logs, OTLP_PROTOBUF, body, &columns), expected[i],
               "a value %s", i ? "nested deeper is refused" : "nested 31 deep is taken");
    }
    test->rules.device = (struct str){ 0 };
    arena_free(arena);
}

static void test_no_text(struct ingest_test *test)
{
    struct arena *arena = arena_new(1 << 20);
    struct str record = wrap(arena, 5, wrap(arena, 1, STR("a\0b")));
    struct str device = join(arena, wrap(arena, 1, STR("device")),
                             wrap(arena, 2, wrap(arena, 1, STR("d\xff"))));
    struct ingest_columns *columns;

    test->rules.device = STR("mine");
    ok(parse(test, &ingest_format_otlp_logs, OTLP_PROTOBUF, request_of(arena, record, STR("")),
             &columns) == OK, "a NUL in a body");
    is_str(ingest_test_dump(test, columns), "mine type=log data={\"body\":\"a\\ufffdb\"} +row",
           "  becomes what stands for no text");
    test->rules.device = (struct str){ 0 };
    struct str resource = wrap(arena, 1, wrap(arena, 1, device));
    ok(parse(test, &ingest_format_otlp_logs, OTLP_PROTOBUF, request_of(arena, record, resource),
             &columns) == OK, "a device that is no text");
    is_str(ingest_test_dump(test, columns), "# 0: an attribute is not UTF-8", "  is rejected");
    arena_free(arena);
}

/* What an exporter is told: {failure, status, google.rpc.Code}. It sends again after 429 and 503. */
static void test_failures(struct ingest_test *test)
{
    static const struct {
        enum err err;
        int status, code;
    } cases[] = {
        { ERR_MALFORMED, 400, 3 },     { ERR_UNAUTHORIZED, 401, 16 }, { ERR_FORBIDDEN, 403, 7 },
        { ERR_TOO_LARGE, 413, 8 },     { ERR_MEDIA_TYPE, 415, 3 },    { ERR_INVALID, 400, 3 },
        { ERR_RATE_LIMITED, 429, 8 },  { ERR_INTERNAL, 503, 14 },     { ERR_UNAVAILABLE, 503, 14 },
        { ERR_MAINTENANCE, 503, 14 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request request = { .op = &test->op, .content_type = STR(OTLP_JSON) };
        struct http_response response;
        ingest_test_reset(test);
        (void)fail(&test->op, cases[i].err, "why");
        http_response_init(&response, test->arena);
        otlp_answer_error(&request, &response);
        char *start = arena_printf(test->arena, "{\"code\":%d,\"message\":\"", cases[i].code);
        is_int(response.status, cases[i].status, "failure %d", cases[i].err);
        ok(str_starts_with(buf_str(&response.body), str_of(start)), "  has its code");
        is_int(http_response_header(&response, "Retry-After") != NULL,
               cases[i].err == ERR_RATE_LIMITED || cases[i].err == ERR_UNAVAILABLE ||
                   cases[i].err == ERR_MAINTENANCE, "  says when to come back where that is known");
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_cases(&test, &ingest_format_otlp_metrics, otlp_metrics, COUNT(otlp_metrics));
    test_cases(&test, &ingest_format_otlp_logs, otlp_logs, COUNT(otlp_logs));
    test_cuts(&test, &ingest_format_otlp_metrics, otlp_metrics, COUNT(otlp_metrics));
    test_cuts(&test, &ingest_format_otlp_logs, otlp_logs, COUNT(otlp_logs));
    test_texts(&test);
    test_depth(&test);
    test_no_text(&test);
    test_failures(&test);
    ingest_test_close(&test);
    return done_testing();
}
