/* ThingsBoard's telemetry and attributes: the payloads of its HTTP device API reference, and what is
 * none. */
#include "convention_test.h"

static const struct {
    const char *says, *body;
    enum err err;
    const char *result;
} telemetry[] = {
    /* of thingsboard.io/docs/reference/http-api */
    { "simple key-value", "{\"temperature\":42,\"humidity\":73}", OK, "own temperature=42 humidity=73" },
    { "with a client's time", "{\"ts\":1451649600512,\"values\":{\"temperature\":42,\"humidity\":73}}", OK,
      "own @2016-01-01T12:00:00.512Z temperature=42 humidity=73" },
    { "an array with times",
      "[{\"ts\":1451649600512,\"values\":{\"temperature\":42}},{\"ts\":1451649601000,\"values\":{\"temperature\":43}}]",
      OK, "own @2016-01-01T12:00:00.512Z temperature=42 | own @2016-01-01T12:00:01Z temperature=43" },
    { "an array without", "[{\"key1\":1},{\"key2\":2}]", OK, "own key1=1 | own key2=2" },
    { "all types of values",
      "{\"stringKey\":\"value1\",\"booleanKey\":true,\"doubleKey\":42.0,\"longKey\":73,\"jsonKey\":{\"someNumber\":42,"
      "\"someArray\":[1,2,3],\"someNestedObject\":{\"key\":\"value\"}}}",
      OK,
      "own booleanKey=1 doubleKey=42 longKey=73 data={\"stringKey\":\"value1\",\"jsonKey\":{\"someNumber\":42,"
      "\"someArray\":[1,2,3],\"someNestedObject\":{\"key\":\"value\"}}} +row" },
    /* by its sources */
    { "numbers in quotes are numbers", "{\"a\":\"23.5\",\"b\":\"-1e3\",\"c\":\" 7 \",\"d\":\"7 W\",\"e\":\"\"}", OK,
      "own a=23.5 b=-1000 c=7 data={\"d\":\"7 W\",\"e\":\"\"} +row" },
    { "values before their time", "{\"values\":{\"a\":1},\"ts\":1451649600512}", OK,
      "own @2016-01-01T12:00:00.512Z a=1" },
    { "a time in quotes", "{\"ts\":\"1451649600512\",\"values\":{\"a\":1}}", OK, "own @2016-01-01T12:00:00.512Z a=1" },
    { "a time in seconds", "{\"ts\":1451649600,\"values\":{\"a\":1}}", OK, "own @2016-01-01T12:00:00Z a=1" },
    { "what else stands beside them", "{\"ts\":1451649600512,\"values\":{\"a\":1},\"metadata\":{\"x\":1}}", OK,
      "own @2016-01-01T12:00:00.512Z a=1" },
    { "ts and values as keys of a device", "{\"ts\":5,\"values\":7}", OK, "own ts=5 values=7" },
    { "ts alone", "{\"ts\":5}", OK, "own ts=5" },
    { "both forms in one array", "[{\"a\":1},{\"ts\":1451649600512,\"values\":{\"a\":2}}]", OK,
      "own a=1 | own @2016-01-01T12:00:00.512Z a=2" },
    { "nothing says nothing", "{}", OK, "" },
    { "an empty array", "[]", OK, "" },
    { "nulls are no values", "{\"a\":null,\"b\":1}", OK, "own b=1" },
    { "one of several", "[{\"a\":1},7,{\"a\":2}]", OK,
      "own a=1 | own a=2 # 1: telemetry is an object of keys and values" },
    { "a time that is none", "[{\"ts\":\"soon\",\"values\":{\"a\":1}},{\"a\":2}]", OK,
      "own a=2 # 0: ts is no epoch in milliseconds" },
    { "a text", "\"a\"", OK, "# 0: telemetry is an object of keys and values" },
    { "a number of 1e101", "{\"a\":1e101}", OK, "# 0: metric \"a\" is not a finite number of at most 1e100" },
    { "a number that jsonb cannot hold", "{\"a\":{\"b\":1e9999}}", OK,
      "# 0: data holds a number that is out of range" },
    { "an empty key", "{\"\":1}", OK, "# 0: metric is empty" },
    { "an empty body", "", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 0" },
    { "words", "temperature=42", ERR_MALFORMED, "the body is not JSON: a value was expected at byte 0" },
    { "a cut object", "{\"a\":1", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 6" },
    { "a cut array", "[{\"a\":1},", ERR_MALFORMED, NULL },
    { "more behind it", "{\"a\":1}{\"a\":2}", ERR_MALFORMED,
      "the body is not JSON: more after the telemetry at byte 7" },
    { "a nul", "{\"a\":\"\\u0000\"}", ERR_MALFORMED, NULL },
    { "NaN", "{\"a\":NaN}", ERR_MALFORMED, NULL },
};

static const struct {
    const char *says, *body;
    enum err err;
    const char *result;
} attributes[] = {
    { "the reference's", "{\"attribute1\":\"value1\",\"attribute2\":true,\"attribute3\":42.0}", OK,
      "own type=attributes data={\"attribute1\":\"value1\",\"attribute2\":true,\"attribute3\":42.0} +row" },
    { "with blanks around", " {\"a\":{\"b\":1}} ", OK, "own type=attributes data={\"a\":{\"b\":1}} +row" },
    { "a list", "[{\"a\":1}]", ERR_MALFORMED, "attributes are an object of keys and values" },
    { "a cut object", "{\"a\":1", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 6" },
    { "more behind it", "{}{}", ERR_MALFORMED, "the body is not JSON: more after the attributes at byte 2" },
    { "a number that jsonb cannot hold", "{\"a\":1e9999}", OK, "# 0: data holds a number that is out of range" },
};

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error errors[] = {
        { .index = 1, .code = ERR_INVALID, .field = "ts", .detail = "ts is odd" },
    };
    static const struct ingest_outcome stored = { .accepted = 1 },
                                       one = { .rejected = 1, .errors = errors, .n_errors = 1 },
                                       some = { .accepted = 2, .rejected = 1, .errors = errors, .n_errors = 1 };

    is_str(convention_answer(test, OK, &stored), "200 ", "stored: 200 and nothing else");
    is_str(convention_answer(test, OK, &one), "400 {\"status\":400,\"message\":\"ts is odd\"}", "rejected: 400");
    is_str(convention_answer(test, OK, &some),
           "400 {\"status\":400,\"message\":\"1 rejected, 2 stored; item 1: ts is odd\"}", "in part: 400");
    enum err err = fail(&test->ingest.op, ERR_UNAUTHORIZED, "x");
    is_str(convention_answer(test, err, NULL), "401 ", "a bad token: 401 and nothing else");
    op_clear_fault(&test->ingest.op);
    err = fail(&test->ingest.op, ERR_INVALID, "x");
    is_str(convention_answer(test, err, NULL), "400 {\"status\":400,\"message\":\"x\"}", "invalid: 400");
}

int main(void)
{
    struct convention_test test = { 0 };

    ingest_test_open(&test.ingest);
    test.ingest.rules.oldest_us = INT64_MIN;
    test.ingest.rules.device = STR("own");
    test.ingest.rules.is_device_bound = true;
    test.format = &ingest_format_thingsboard_telemetry;
    test.pattern = "/api/v1/{token}/telemetry";
    for (size_t i = 0; i < sizeof telemetry / sizeof *telemetry; i++) {
        convention_begin(&test, "POST", "/api/v1/tmk_abc/telemetry");
        fake_body(&test.fake, "application/json", telemetry[i].body);
        enum err err = convention_parse(&test);
        is_int(err, telemetry[i].err, "%s: %s", telemetry[i].says, err ? "refused" : "read");
        if (telemetry[i].result) {
            is_str(convention_result(&test, err), telemetry[i].result, "  with the right result");
        }
    }
    test.format = &ingest_format_thingsboard_attributes;
    test.pattern = "/api/v1/{token}/attributes";
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        convention_begin(&test, "POST", "/api/v1/tmk_abc/attributes");
        fake_body(&test.fake, "application/json", attributes[i].body);
        enum err err = convention_parse(&test);
        is_str(convention_result(&test, err), attributes[i].result, "attributes: %s", attributes[i].says);
    }
    test_answers(&test);
    test.ingest.rules.is_device_bound = false;
    test.ingest.rules.device = (struct str){ NULL, 0 };
    test.format = &ingest_format_thingsboard_telemetry;
    test.pattern = "/api/v1/{token}/telemetry";
    convention_begin(&test, "POST", "/api/v1/tmk_abc/telemetry");
    fake_body(&test.fake, "", "{\"a\":1}");
    is_str(convention_result(&test, convention_parse(&test)),
           "# 0: no device: neither the event names one nor does the token", "a token that names no device");
    ingest_test_close(&test.ingest);
    return done_testing();
}
