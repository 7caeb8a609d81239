/* The three ways to post line protocol: their precisions and their answers. What is expected comes from
 * InfluxDB's pages (docs.influxdata.com: the API references of 1.8, 2 and 3). */
#include "ingest_test.h"

/* ---- parameters ---- */

static const struct {
    const struct ingest_format *format;
    const char *precision; /* NULL: none */
    const char *body;
    const char *dump;      /* or the failure */
    enum err err;
} precisions[] = {
    { &ingest_format_influx_1, "n", "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "ns", "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "u", "m a=1 1795175999250001", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "us", "m a=1 1795175999250001", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "µ", "m a=1 1795175999250001", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "ms", "m a=1 1795175999250", "m @2026-11-20T11:59:59.250Z a=1", OK },
    { &ingest_format_influx_1, "s", "m a=1 1795175999", "m @2026-11-20T11:59:59Z a=1", OK },
    { &ingest_format_influx_1, "m", "m a=1 29919599", "m @2026-11-20T11:59:00Z a=1", OK },
    { &ingest_format_influx_1, "h", "m a=1 498659", "m @2026-11-20T11:00:00Z a=1", OK },
    { &ingest_format_influx_1, "", "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_1, "h", "m a=1 9223372036854775807", "# 0: bad timestamp", OK },
    { &ingest_format_influx_1, "d", "m a=1", "invalid precision \"d\" (use n, u, ms, s, m or h)", ERR_MALFORMED },
    { &ingest_format_influx_2, NULL, "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_2, "ns", "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_2, "us", "m a=1 1795175999250001", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_2, "ms", "m a=1 1795175999250", "m @2026-11-20T11:59:59.250Z a=1", OK },
    { &ingest_format_influx_2, "s", "m a=1 1795175999", "m @2026-11-20T11:59:59Z a=1", OK },
    { &ingest_format_influx_2, "m", "m a=1", "invalid precision \"m\" (use ns, us, ms or s)", ERR_MALFORMED },
    { &ingest_format_influx_3, NULL, "m a=1 1795175999\nm a=2 1795175999250\nm a=3 1795175999250001\n"
      "m a=4 1795175999250001999\nm a=5 -1795175999\nm a=6 -1",
      "m @2026-11-20T11:59:59Z a=1 | m @2026-11-20T11:59:59.250Z a=2 | m @2026-11-20T11:59:59.250001Z a=3 | "
      "m @2026-11-20T11:59:59.250001Z a=4 | m @1913-02-11T12:00:01Z a=5 | m @1969-12-31T23:59:59Z a=6", OK },
    { &ingest_format_influx_3, "auto", "m a=1 4999999999\nm a=2 5000000000",
      "m @1970-02-27T20:53:20Z a=2 # 0: time is more than 24 hours ahead", OK },
    { &ingest_format_influx_3, "second", "m a=1 1795175999", "m @2026-11-20T11:59:59Z a=1", OK },
    { &ingest_format_influx_3, "millisecond", "m a=1 1795175999250", "m @2026-11-20T11:59:59.250Z a=1", OK },
    { &ingest_format_influx_3, "microsecond", "m a=1 1795175999250001", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_3, "nanosecond", "m a=1 1795175999250001999", "m @2026-11-20T11:59:59.250001Z a=1", OK },
    { &ingest_format_influx_3, "minute", "m a=1",
      "invalid precision \"minute\" (use auto, nanosecond, microsecond, millisecond or second)", ERR_MALFORMED },
};

static enum err parse_with(struct ingest_test *test, const struct ingest_format *format,
                           const char *name, const char *value, struct str body,
                           struct ingest_columns **out)
{
    struct http_request request = { .op = &test->op, .method = HTTP_POST,
                                    .query = { { str_of(name), str_of(value) } }, .n_query = 1 };
    *out = columns_new(&test->op, &test->rules);
    return *out ? format->parse(&request, body, *out) : ERR_INTERNAL;
}

static void test_precisions(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        const char *precision = precisions[i].precision;
        ingest_test_reset(test);
        enum err err = parse_with(test, precisions[i].format, precision ? "precision" : "other",
                                  precision ? precision : "x", str_of(precisions[i].body), &columns);
        is_int(err, precisions[i].err, "%s, precision %s", precisions[i].format->name,
               precision ? precision : "absent");
        is_str(err ? test->op.fault.detail : ingest_test_dump(test, columns), precisions[i].dump,
               "  is read as it says");
    }
}

static void test_all_or_nothing(struct ingest_test *test)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    is_int(parse_with(test, &ingest_format_influx_3, "accept_partial", "false",
                      STR("m a=1\nbad\nm b=2"), &columns), OK, "without partial writes");
    is_int((int64_t)columns->n_events, 0, "  one bad line keeps all from being stored");
    is_int(columns->n_rejected, 3, "  and all are counted");
    is_int((int64_t)columns->n_errors, 3, "  each with its error");
    is_view(columns->errors[0].source, "bad", "  of which the first is the bad one's");
    is_view(columns->errors[1].source, "m a=1", "  and the good ones' follow, with their lines");
    ingest_test_reset(test);
    is_int(parse_with(test, &ingest_format_influx_3, "accept_partial", "true",
                      STR("m a=1\nbad\nm b=2"), &columns), OK, "with partial writes");
    is_int((int64_t)columns->n_events, 2, "  the good ones are");
}

/* ---- answers ---- */

static const struct ingest_error syntax = { .index = 1, .code = ERR_MALFORMED,
                                            .detail = "missing fields",
                                            .source = STR_INIT("cpu,host=\"a\"") };
static const struct ingest_error semantics = { .index = 1, .code = ERR_INVALID, .field = "time",
                                               .detail = "time is older than raw samples are kept",
                                               .source = STR_INIT("cpu a=1 1") };
static const struct ingest_error forbidden = { .index = 0, .code = ERR_FORBIDDEN,
                                               .detail = "the token is for another device",
                                               .source = STR_INIT("cpu,device=x a=1") };

static const struct {
    const char *says;
    const struct ingest_format *format;
    struct ingest_outcome outcome;
    int status;
    const char *body;
} answers[] = {
    { "1: all stored", &ingest_format_influx_1, { .accepted = 3 }, 204, "" },
    { "1: all known", &ingest_format_influx_1, { .duplicates = 3 }, 204, "" },
    { "1: nothing sent", &ingest_format_influx_1, { .accepted = 0 }, 204, "" },
    { "1: some stored", &ingest_format_influx_1,
      { .accepted = 2, .rejected = 3, .errors = &syntax, .n_errors = 1 }, 400,
      "{\"error\":\"partial write: unable to parse 'cpu,host=\\\"a\\\"': missing fields dropped=3\"}\n" },
    { "1: none can be read", &ingest_format_influx_1, { .rejected = 1, .errors = &syntax, .n_errors = 1 },
      400, "{\"error\":\"unable to parse 'cpu,host=\\\"a\\\"': missing fields\"}\n" },
    { "1: none may be stored", &ingest_format_influx_1,
      { .rejected = 2, .errors = &semantics, .n_errors = 1 }, 400,
      "{\"error\":\"partial write: time is older than raw samples are kept dropped=2\"}\n" },
    { "1: none may be sent by this token", &ingest_format_influx_1,
      { .rejected = 2, .errors = &forbidden, .n_errors = 1 }, 403,
      "{\"error\":\"the token is for another device\"}\n" },
    { "2: all stored", &ingest_format_influx_2, { .accepted = 3 }, 204, "" },
    { "2: some stored", &ingest_format_influx_2,
      { .updated = 2, .rejected = 3, .errors = &syntax, .n_errors = 1 }, 422,
      "{\"code\":\"unprocessable entity\",\"message\":\"partial write: unable to parse "
      "'cpu,host=\\\"a\\\"': missing fields dropped=3\"}" },
    { "2: none can be read", &ingest_format_influx_2, { .rejected = 1, .errors = &syntax, .n_errors = 1 },
      400, "{\"code\":\"invalid\",\"message\":\"unable to parse 'cpu,host=\\\"a\\\"': missing fields\"}" },
    { "2: none may be stored", &ingest_format_influx_2,
      { .rejected = 1, .errors = &semantics, .n_errors = 1 }, 422,
      "{\"code\":\"unprocessable entity\",\"message\":\"partial write: time is older than raw samples "
      "are kept dropped=1\"}" },
    { "2: none may be sent by this token", &ingest_format_influx_2,
      { .rejected = 2, .errors = &forbidden, .n_errors = 1 }, 403,
      "{\"code\":\"forbidden\",\"message\":\"the token is for another device\"}" },
    { "3: all stored", &ingest_format_influx_3, { .accepted = 3 }, 204, "" },
    { "3: some stored", &ingest_format_influx_3,
      { .duplicates = 1, .rejected = 1, .errors = &syntax, .n_errors = 1 }, 400,
      "{\"error\":\"partial write of line protocol occurred\",\"data\":[{\"original_line\":"
      "\"cpu,host=\\\"a\\\"\",\"line_number\":2,\"error_message\":\"missing fields\"}]}" },
};

static void test_answers(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct http_request request = { .op = &test->op };
        struct http_response response;
        ingest_test_reset(test);
        http_response_init(&response, test->arena);
        is_int(answers[i].format->answer(&request, &answers[i].outcome, &response), OK, "%s",
               answers[i].says);
        is_int(response.status, answers[i].status, "  status %d", answers[i].status);
        is_str(arena_copy(test->arena, buf_str(&response.body)), answers[i].body, "  in its shape");
        const char *header = http_response_header(&response, "X-InfluxDB-Error");
        ok((header != NULL) == (answers[i].format == &ingest_format_influx_1 && response.status != 204),
           "  with a header where InfluxDB has one");
    }
}

static const struct {
    const struct ingest_format *format;
    enum err err;
    int status;
    bool is_to_be_repeated;
    const char *body;
} failures[] = {
    { &ingest_format_influx_1, ERR_UNAVAILABLE, 503, true,
      "{\"error\":\"The service cannot take this now; send it again a little later.\"}\n" },
    { &ingest_format_influx_1, ERR_RATE_LIMITED, 503, true, "{\"error\":\"why\"}\n" },
    { &ingest_format_influx_1, ERR_UNAUTHORIZED, 401, false, "{\"error\":\"why\"}\n" },
    { &ingest_format_influx_1, ERR_TOO_LARGE, 413, false, "{\"error\":\"why\"}\n" },
    { &ingest_format_influx_2, ERR_UNAVAILABLE, 503, true,
      "{\"code\":\"unavailable\",\"message\":\"The service cannot take this now; send it again a little "
      "later.\"}" },
    { &ingest_format_influx_2, ERR_RATE_LIMITED, 429, true,
      "{\"code\":\"too many requests\",\"message\":\"why\"}" },
    { &ingest_format_influx_2, ERR_UNAUTHORIZED, 401, false,
      "{\"code\":\"unauthorized\",\"message\":\"why\"}" },
    { &ingest_format_influx_2, ERR_TOO_LARGE, 413, false,
      "{\"code\":\"request too large\",\"message\":\"why\"}" },
    { &ingest_format_influx_2, ERR_INTERNAL, 500, false,
      "{\"code\":\"internal error\",\"message\":\"The server failed; nothing was stored.\"}" },
    { &ingest_format_influx_3, ERR_UNAVAILABLE, 503, true,
      "{\"error\":\"The service cannot take this now; send it again a little later.\"}" },
    { &ingest_format_influx_3, ERR_MALFORMED, 400, false, "{\"error\":\"why\"}" },
    { &ingest_format_influx_health, ERR_UNAVAILABLE, 503, true,
      "{\"message\":\"The service cannot take this now; send it again a little later.\",\"name\":\"influxdb\""
      ",\"status\":\"fail\"}" },
};

static void test_failures(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct http_request request = { .op = &test->op };
        struct http_response response;
        ingest_test_reset(test);
        http_response_init(&response, test->arena);
        (void)fail(&test->op, failures[i].err, "why");
        failures[i].format->answer_error(&request, &response);
        is_int(response.status, failures[i].status, "%s: failure %d", failures[i].format->name,
               failures[i].err);
        is_str(arena_copy(test->arena, buf_str(&response.body)), failures[i].body, "  in its shape");
        ok((http_response_header(&response, "Retry-After") != NULL) == failures[i].is_to_be_repeated,
           "  and says when to send again, where that helps");
    }
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test.rules.oldest_us = INT64_MIN;
    test_precisions(&test);
    test_all_or_nothing(&test);
    test_answers(&test);
    test_failures(&test);
    ingest_test_close(&test);
    return done_testing();
}
