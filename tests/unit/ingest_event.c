/* The native format: what is read of a body, what is rejected and why. Expectations are written
 * out by hand from the contract of POST /v1/event and /v1/events/batch. */
#include "ingest_test.h"

#define E(fields) "{\"device\":\"d\"," fields "}"

/* Bodies of one event that are kept. */
static const struct {
    const char *says;
    const char *body;
    const char *dump;
} kept[] = {
    { "a metric", E("\"metrics\":{\"a\":1.5}"), "d a=1.5" },
    { "several, in their order", E("\"metrics\":{\"b\":1,\"a\":-2e3,\"c\":0}"), "d b=1 a=-2000 c=0" },
    { "RFC 3339 with Z", E("\"time\":\"2026-11-20T11:59:59.250Z\",\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59.250Z a=1" },
    { "RFC 3339 with an offset", E("\"time\":\"2026-11-20T17:29:59+05:30\",\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59Z a=1" },
    { "an epoch in seconds", E("\"time\":1795175999,\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59Z a=1" },
    { "an epoch in milliseconds", E("\"time\":1795175999250,\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59.250Z a=1" },
    { "an epoch in microseconds", E("\"time\":1795175999250001,\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59.250001Z a=1" },
    { "an epoch in nanoseconds", E("\"time\":1795175999250001999,\"metrics\":{\"a\":1}"),
      "d @2026-11-20T11:59:59.250001Z a=1" },
    { "no time: now", E("\"metrics\":{\"a\":1}"), "d a=1" },
    { "null for a time: now", E("\"time\":null,\"metrics\":{\"a\":1}"), "d a=1" },
    { "a time 23 hours ahead", E("\"time\":\"2026-11-21T11:00:00Z\",\"metrics\":{\"a\":1}"),
      "d @2026-11-21T11:00:00Z a=1" },
    { "booleans as 0 and 1", E("\"metrics\":{\"on\":true,\"off\":false}"), "d on=1 off=0" },
    { "a string among the metrics goes to data", E("\"metrics\":{\"a\":1,\"state\":\"on\"}"),
      "d a=1 data={\"state\":\"on\"} +row" },
    { "only strings among the metrics", E("\"metrics\":{\"state\":\"o\\u006e\"}"),
      "d data={\"state\":\"o\\u006e\"} +row" },
    { "strings are joined with data, whose members come last and win",
      E("\"data\":{\"x\":1},\"metrics\":{\"s\":\"v\",\"x\":\"y\"}"),
      "d data={\"s\":\"v\",\"x\":\"y\",\"x\":1} +row" },
    { "strings are joined with empty data", E("\"data\":{ },\"metrics\":{\"s\":\"v\"}"),
      "d data={\"s\":\"v\"} +row" },
    { "data is kept as it came", E("\"data\":{\"a\" : [1, {\"b\":null}]}"),
      "d data={\"a\" : [1, {\"b\":null}]} +row" },
    { "empty data is none", E("\"data\":{},\"metrics\":{\"a\":1}"), "d a=1" },
    { "null data is none", E("\"data\":null,\"metrics\":{\"a\":1}"), "d a=1" },
    { "an event of another type with nothing else", E("\"type\":\"boot\""), "d type=boot +row" },
    { "an event of another type with metrics", E("\"type\":\"cycle\",\"metrics\":{\"kwh\":2}"),
      "d type=cycle kwh=2 +row" },
    { "null for a type is telemetry", E("\"type\":null,\"metrics\":{\"a\":1}"), "d a=1" },
    { "telemetry with seq makes no row", E("\"seq\":17,\"metrics\":{\"a\":1}"), "d seq=17 a=1" },
    { "the largest seq", E("\"seq\":9223372036854775807,\"type\":\"t\""),
      "d type=t seq=9223372036854775807 +row" },
    { "a UUID in either case", E("\"id\":\"0190A3B4-c5d6-7E8f-9a0b-1C2d3e4f5061\",\"type\":\"t\""),
      "d type=t id=0190a3b4c5d67e8f9a0b1c2d3e4f5061 +row" },
    { "a site", E("\"site\":\"roof\",\"metrics\":{\"a\":1}"), "d site=roof a=1" },
    { "members that nobody knows are passed over",
      E("\"rssi\":-70,\"x\":{\"device\":\"no\"},\"y\":[1,[2]],\"metrics\":{\"a\":1}"), "d a=1" },
    { "of a metric given twice the last counts", E("\"metrics\":{\"a\":1,\"b\":2,\"a\":3}"),
      "d a=3 b=2" },
    { "of a member given twice the last counts",
      E("\"metrics\":{\"a\":1},\"device\":\"e\",\"metrics\":{\"b\":2}"), "e b=2" },
    { "a metric's value of 1e100", E("\"metrics\":{\"a\":1e100,\"b\":-1e100}"), "d a=1e+100 b=-1e+100" },
    { "a very small number", E("\"metrics\":{\"a\":1e-300}"), "d a=1e-300" },
    { "a number too small to hold is 0", E("\"metrics\":{\"a\":1e-999}"), "d a=0" },
    { "names with escapes and other alphabets",
      "{\"device\":\"k\\u00fcche/1\",\"metrics\":{\"тепло\":1,\"a\\\"b\":2}}", "küche/1 тепло=1 a\"b=2" },
    { "white space everywhere", " \n{ \"device\" : \"d\" ,\t\"metrics\" : { \"a\" : 1 } } \r\n", "d a=1" },
    { "big numbers in data", E("\"data\":{\"a\":1e999,\"b\":-12345678901234567890.5}"),
      "d data={\"a\":1e999,\"b\":-12345678901234567890.5} +row" },
    { "numbers inside data's strings are text", E("\"data\":{\"a\":\"1e99999 \\\" 1e99999\"}"),
      "d data={\"a\":\"1e99999 \\\" 1e99999\"} +row" },
};

/* Bodies of one event that are understood and rejected. */
static const struct {
    const char *body;
    const char *reason;
} rejected[] = {
    { "{\"metrics\":{\"a\":1}}", "no device: neither the event names one nor does the token" },
    { "{\"device\":null,\"metrics\":{\"a\":1}}",
      "no device: neither the event names one nor does the token" },
    { "{\"device\":\"\",\"metrics\":{\"a\":1}}", "device is empty" },
    { "{\"device\":7,\"metrics\":{\"a\":1}}", "device is not a string" },
    { "{\"device\":[\"d\"],\"metrics\":{\"a\":1}}", "device is not a string" },
    { "{\"device\":\"d\"}", "telemetry with neither metrics nor data" },
    { E("\"metrics\":{}"), "telemetry with neither metrics nor data" },
    { E("\"metrics\":null"), "telemetry with neither metrics nor data" },
    { E("\"data\":{}"), "telemetry with neither metrics nor data" },
    { E("\"metrics\":[1]"), "metrics is not an object" },
    { E("\"metrics\":7"), "metrics is not an object" },
    { E("\"metrics\":{\"a\":null}"), "metric \"a\" is null, not a number" },
    { E("\"metrics\":{\"ok\":1,\"a\":[1,2]}"), "metric \"a\" is a list, not a number" },
    { E("\"metrics\":{\"a\":{\"b\":1}}"), "metric \"a\" is an object, not a number" },
    { E("\"metrics\":{\"a\":1e999}"), "metric \"a\" is not a finite number of at most 1e100" },
    { E("\"metrics\":{\"a\":1.01e100}"), "metric \"a\" is not a finite number of at most 1e100" },
    { E("\"metrics\":{\"a\":-1e101}"), "metric \"a\" is not a finite number of at most 1e100" },
    { E("\"metrics\":{\"\":1}"), "metric is empty" },
    { E("\"time\":\"yesterday\",\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":\"2026-11-20\",\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":\"2026-11-20T12:00:00\",\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":\"2026-02-29T12:00:00Z\",\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":1795175999.5,\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":1.795e9,\"metrics\":{\"a\":1}"), "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":9223372036854775808,\"metrics\":{\"a\":1}"),
      "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":true,\"metrics\":{\"a\":1}"), "time is neither RFC 3339 nor an integer epoch" },
    { E("\"time\":\"2026-11-21T12:00:01Z\",\"metrics\":{\"a\":1}"),
      "time is more than 24 hours ahead" },
    { E("\"time\":\"2026-08-22T11:59:59Z\",\"metrics\":{\"a\":1}"),
      "time is older than raw samples are kept" },
    { E("\"time\":-1,\"metrics\":{\"a\":1}"), "time is older than raw samples are kept" },
    { E("\"type\":1,\"metrics\":{\"a\":1}"), "type is not a string" },
    { E("\"type\":\"\""), "type is empty" },
    { E("\"site\":{},\"metrics\":{\"a\":1}"), "site is not a string" },
    { E("\"site\":\"\",\"metrics\":{\"a\":1}"), "site is empty" },
    { E("\"seq\":\"17\",\"metrics\":{\"a\":1}"), "seq is not a 64-bit integer" },
    { E("\"seq\":1.0,\"metrics\":{\"a\":1}"), "seq is not a 64-bit integer" },
    { E("\"seq\":9223372036854775808,\"metrics\":{\"a\":1}"), "seq is not a 64-bit integer" },
    { E("\"id\":\"17\",\"type\":\"t\""), "id is not a UUID" },
    { E("\"id\":\"0190a3b4c5d67e8f9a0b1c2d3e4f5061----\",\"type\":\"t\""), "id is not a UUID" },
    { E("\"id\":\"0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f506g\",\"type\":\"t\""), "id is not a UUID" },
    { E("\"id\":17,\"type\":\"t\""), "id is not a string" },
    { E("\"data\":[1]"), "data is not an object" },
    { E("\"data\":\"x\""), "data is not an object" },
    { E("\"data\":{\"a\":1e1001}"), "data holds a number that is out of range" },
    { E("\"data\":{\"a\":[1E-99999]}"), "data holds a number that is out of range" },
    { "{\"device\":\"a\\u0000b\",\"metrics\":{\"a\":1}}", "\\u0000 is not allowed" },
    { E("\"data\":{\"x\":\"\\ud800\"}"), "half of a surrogate pair" },
    { E("\"data\":{\"x\":\"\\udc00\\ud800\"}"), "half of a surrogate pair" },
    { E("\"metrics\":{\"\\u0000\":1}"), "\\u0000 is not allowed" },
    { E("\"metrics\":{\"a\":null},\"seq\":\"x\",\"data\":7"), "metric \"a\" is null, not a number" },
};

/* Bodies of one event that are no event. */
static const struct {
    const char *body;
    enum err err;
    const char *detail;
} refused[] = {
    { "", ERR_MALFORMED, "the body is empty" },
    { " \n", ERR_MALFORMED, "the body is empty" },
    { "hello", ERR_MALFORMED, "the body is not JSON: a value was expected at byte 0" },
    { "{\"device\":\"d\"", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 13" },
    { E("\"metrics\":{\"a\":NaN}"), ERR_MALFORMED,
      "the body is not JSON: a value was expected at byte 29" },
    { E("\"metrics\":{\"a\":Infinity}"), ERR_MALFORMED,
      "the body is not JSON: a value was expected at byte 29" },
    { E("\"metrics\":{\"a\":1,}"), ERR_MALFORMED,
      "the body is not JSON: a member's name was expected at byte 31" },
    { E("\"metrics\":{\"a\":1}") "x", ERR_MALFORMED,
      "the body is not JSON: more after the event at byte 32" },
    { E("\"metrics\":{\"a\":\"\\u0000") , ERR_MALFORMED, NULL },
    { E("\"metrics\":{\"a\":null}") "{}", ERR_MALFORMED,
      "the body is not JSON: more after the event at byte 35" },
    { "[]", ERR_INVALID, "the body is not an object" },
    { "[" E("\"metrics\":{\"a\":1}") "]", ERR_INVALID, "the body is not an object" },
    { "17", ERR_INVALID, "the body is not an object" },
    { "null", ERR_INVALID, "the body is not an object" },
    { "[1", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 2" },
    { "17 18", ERR_MALFORMED, "the body is not JSON: more after the value at byte 3" },
};

static void test_single(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_event, "", str_of(kept[i].body),
                                         &columns);
        ok(err == OK && columns->n_rejected == 0, "%s: kept", kept[i].says);
        is_str(ingest_test_dump(test, columns), kept[i].dump, "  and read right");
    }
    for (size_t i = 0; i < sizeof rejected / sizeof *rejected; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_event, "application/json",
                                         str_of(rejected[i].body), &columns);
        ok(err == OK && columns->n_rejected == 1 && columns->n_events == 0, "rejected: %s",
           rejected[i].body);
        is_str(columns->n_errors ? columns->errors[0].detail : NULL, rejected[i].reason,
               "  because %s", rejected[i].reason);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_event, "application/json",
                                         str_of(refused[i].body), &columns);
        is_int(err, refused[i].err, "refused: %s", refused[i].body);
        if (refused[i].detail) {
            is_str(test->op.fault.detail, refused[i].detail, "  because %s", refused[i].detail);
        }
    }
}

/* ---- batches ---- */

#define A "{\"device\":\"a\",\"metrics\":{\"x\":1}}"
#define B "{\"device\":\"b\",\"metrics\":{\"x\":2,\"y\":3}}"
#define BAD "{\"device\":\"b\",\"metrics\":{\"x\":null}}"

static const struct {
    const char *says, *type, *body;
    enum err err;
    const char *result; /* the dump, or the detail */
} batches[] = {
    { "a list", "", "[" A "," B "]", OK, "a x=1 | b x=2 y=3" },
    { "an object around a list", "application/json", "{\"events\":[" A "," B "]}", OK,
      "a x=1 | b x=2 y=3" },
    { "with other members around", "application/json",
      "{\"v\":{\"events\":[1]},\"events\":[" A "],\"n\":1}", OK, "a x=1" },
    { "an empty list", "application/json", "[]", OK, "" },
    { "NDJSON", "application/x-ndjson", A "\n" B "\n", OK, "a x=1 | b x=2 y=3" },
    { "NDJSON with blank lines, CR LF and no end of line", "application/ndjson",
      "\r\n" A "\r\n\r\n  \n" B, OK, "a x=1 | b x=2 y=3" },
    { "a bad item among good ones", "", "[" A "," BAD "," B "]", OK,
      "a x=1 | b x=2 y=3 # 1: metric \"x\" is null, not a number" },
    { "items that are no objects", "", "[1," A ",\"x\",[2],null]", OK,
      "a x=1 # 0: an event is an object # 2: an event is an object # 3: an event is an object"
      " # 4: an event is an object" },
    { "a nul in one item", "", "[" A ",{\"device\":\"b\\u0000\",\"data\":{\"}\":\"]\\\"\"}}," B "]", OK,
      "a x=1 | b x=2 y=3 # 1: \\u0000 is not allowed" },
    { "half a surrogate pair in the last item", "", "[" A ",{\"device\":\"\\ud834\"}]", OK,
      "a x=1 # 1: half of a surrogate pair" },
    { "a nul in an item of an object around", "", "{\"events\":[{\"x\":\"\\u0000\"}," A "]}", OK,
      "a x=1 # 0: \\u0000 is not allowed" },
    { "an item with two faults is rejected once", "",
      "[{\"device\":\"b\",\"metrics\":{\"x\":null},\"type\":\"\\u0000\"}," A "]", OK,
      "a x=1 # 0: metric \"x\" is null, not a number" },
    { "a line of NDJSON that is no JSON", "application/x-ndjson", A "\n{oops}\n" B "\n", OK,
      "a x=1 | b x=2 y=3 # 1: not JSON: a member's name was expected at byte 1" },
    { "a cut last line of NDJSON", "application/x-ndjson", A "\n{\"device\":\"b\",", OK,
      "a x=1 # 1: not JSON: unexpected end at byte 14" },
    { "more after an event on a line of NDJSON", "application/x-ndjson", A " " B "\n" A, OK,
      "a x=1 # 0: not JSON: more after the event at byte 33" },
    { "two faults on a line count once", "application/x-ndjson",
      "{\"device\":1,\"x\":}\n" A, OK, "a x=1 # 0: device is not a string" },
    { "CSV, a sample a line", "text/csv", "time,device,metric,value\n1795176000,a,x,1\n1795176000,b,y,2.5\n", OK,
      "a x=1 | b y=2.5" },
    { "CSV, a metric a column", "text/csv", "\xef\xbb\xbf" "Time,device,x,note\r\n2026-11-20 12:00,a,1,\r\n\r\n"
      "2026-11-20T12:00:00Z,b,2,\"say \"\"hi\"\"\"", OK, "a x=1 | b x=2 data={\"note\":\"say \\\"hi\\\"\"} +row" },
    { "bad records of CSV among good ones", "text/csv",
      "time,device,x\n1795176000,a,1\nnever,b,2\n1795176000,c\n1795176000,d,4\n", OK,
      "a x=1 | d x=4 # 1: \"never\" is not a time # 2: 2 cells where the header has 3 columns" },
    { "CSV that says no time", "text/csv", "device,x\na,1\n", ERR_INVALID,
      "the header names no column for the time: time, timestamp, datetime or date" },
    { "CSV with an open quote", "text/csv", "time,device,x\n1795176000,a,\"1\n", ERR_MALFORMED,
      "the record at byte 14 does not end: a quote is open" },
    { "CSV without records", "text/csv", "time,device,x\n", OK, "" },
    { "CSV of nothing", "text/csv", "\n\r\n", ERR_MALFORMED, "the body is empty" },
    { "NDJSON without lines", "application/x-ndjson", " \n\n", ERR_MALFORMED, "the body is empty" },
    { "an empty body", "", "", ERR_MALFORMED, "the body is empty" },
    { "a cut list", "", "[" A ",", ERR_MALFORMED, NULL },
    { "a cut item", "", "[" A ",{\"device\":", ERR_MALFORMED, NULL },
    { "a nul in a cut item", "", "[" A ",{\"device\":\"\\u0000\"", ERR_MALFORMED, NULL },
    { "NaN in an item", "", "[" A ",{\"device\":\"b\",\"metrics\":{\"x\":NaN}}]", ERR_MALFORMED, NULL },
    { "more after the list", "", "[" A "] 1", ERR_MALFORMED,
      "the body is not JSON: more after the events at byte 35" },
    { "an object without events", "", "{}", ERR_INVALID, "the body holds no list named \"events\"" },
    { "events that are no list", "", "{\"events\":" A "}", ERR_INVALID,
      "the body holds no list named \"events\"" },
    { "two lists of events", "", "{\"events\":[],\"events\":[" A "]}", ERR_INVALID,
      "the body holds two lists of events" },
    { "a number", "", "7", ERR_INVALID, "the body is not a list of events" },
};

static void test_batches(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_events, batches[i].type,
                                         str_of(batches[i].body), &columns);
        is_int(err, batches[i].err, "%s: %s", batches[i].says, err ? "refused" : "read");
        if (batches[i].result) {
            is_str(err ? test->op.fault.detail : ingest_test_dump(test, columns),
                   batches[i].result, "  with the right result");
        }
    }
}

/* ---- limits ---- */

/* A body of `n` items, or one item with `n` metrics, or with data of `n` bytes. */
static struct str many(struct ingest_test *test, const char *head, const char *each, int n,
                       const char *tail)
{
    struct buf out;

    buf_init(&out, test->arena, 8u << 20);
    buf_add_text(&out, head);
    for (int i = 0; i < n; i++) {
        buf_add_text(&out, i && each[0] != '.' ? "," : "");
        if (each[0] == '#') {
            buf_printf(&out, "\"m%d\":1", i);
        } else if (each[0] == '"') {
            buf_printf(&out, "\"s%d\":\"x\"", i);
        } else {
            buf_add_text(&out, each);
        }
    }
    buf_add_text(&out, tail);
    return buf_str(&out);
}

static const struct {
    const char *says, *head, *each;
    int n;
    const char *tail;
    const char *reason; /* NULL: kept */
} limits[] = {
    { "128 metrics", "{\"device\":\"d\",\"metrics\":{", "#", 128, "}}", NULL },
    { "129 metrics", "{\"device\":\"d\",\"metrics\":{", "#", 129, "}}", "more than 128 metrics" },
    { "128 strings", "{\"device\":\"d\",\"metrics\":{", "\"", 128, "}}", NULL },
    { "128 strings and a number", "{\"device\":\"d\",\"metrics\":{", "\"", 128, ",\"a\":1}}",
      "more than 128 metrics" },
    { "129 strings", "{\"device\":\"d\",\"metrics\":{", "\"", 129, "}}", "more than 128 metrics" },
    { "a device of 128 bytes", "{\"metrics\":{\"a\":1},\"device\":\"", ".", 128, "\"}", NULL },
    { "a device of 129 bytes", "{\"metrics\":{\"a\":1},\"device\":\"", ".", 129, "\"}",
      "device is longer than 128 bytes" },
    { "a metric of 128 bytes", "{\"device\":\"d\",\"metrics\":{\"", ".", 128, "\":1}}", NULL },
    { "a metric of 129 bytes", "{\"device\":\"d\",\"metrics\":{\"", ".", 129, "\":1}}",
      "metric is longer than 128 bytes" },
    { "a string metric of 129 bytes", "{\"device\":\"d\",\"metrics\":{\"", ".", 129, "\":\"x\"}}",
      "metric is longer than 128 bytes" },
    { "a type of 129 bytes", "{\"device\":\"d\",\"type\":\"", ".", 129, "\"}",
      "type is longer than 128 bytes" },
    { "a site of 129 bytes", "{\"device\":\"d\",\"type\":\"t\",\"site\":\"", ".", 129, "\"}",
      "site is longer than 128 bytes" },
    { "data of 64 KiB", "{\"device\":\"d\",\"data\":{\"a\":\"", ".", 65536 - 8, "\"}}", NULL },
    { "data of 64 KiB and a byte", "{\"device\":\"d\",\"data\":{\"a\":\"", ".", 65536 - 7, "\"}}",
      "data is over 65536 bytes" },
    { "strings of more than 64 KiB", "{\"device\":\"d\",\"metrics\":{\"a\":\"", ".", 65536, "\"}}",
      "data is over 65536 bytes" },
};

static void test_limits(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ingest_test_reset(test);
        struct str body =
            many(test, limits[i].head, limits[i].each, limits[i].n, limits[i].tail);
        enum err err = ingest_test_parse(test, &ingest_format_event, "", body, &columns);
        ok(err == OK, "%s: read", limits[i].says);
        is_str(columns->n_errors ? columns->errors[0].detail : NULL, limits[i].reason, "  %s",
               limits[i].reason ? "and rejected" : "and kept");
    }
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_events, "", many(test, "[", A, 10000, "]"), &columns),
           OK, "10,000 events are read");
    is_int((int64_t)columns->n_events, 10000, "  and all kept");
    is_int((int64_t)columns->n_series, 1, "  of one series");
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_events, "", many(test, "[", A, 10001, "]"), &columns),
           ERR_TOO_LARGE, "10,001 events are too many");
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_events, "", many(test, "[", "7", 10001, "]"), &columns),
           ERR_TOO_LARGE, "10,001 items that are none, too");
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_events, "", many(test, "[", BAD, 500, "]"), &columns),
           OK, "500 bad events are read");
    is_int(columns->n_rejected, 500, "  all are counted");
    is_int((int64_t)columns->n_errors, 500, "  and each has its reason");
}

/* ---- tokens ---- */

static void test_rules(struct ingest_test *test)
{
    struct ingest_columns *columns;
    struct ingest_rules before = test->rules;

    test->rules.device = STR("a");
    test->rules.is_device_bound = true;
    ingest_test_reset(test);
    ok(ingest_test_parse(test, &ingest_format_event, "", STR("{\"metrics\":{\"x\":1}}"), &columns) == OK,
       "a bound token's event needs no device");
    is_str(ingest_test_dump(test, columns), "a x=1", "  it is the token's");
    ingest_test_reset(test);
    ok(ingest_test_parse(test, &ingest_format_event, "", STR(A), &columns) == OK &&
           columns->n_events == 1, "and may name it");
    ingest_test_reset(test);
    ok(ingest_test_parse(test, &ingest_format_event, "", STR(B), &columns) == OK &&
           columns->n_errors == 1 && columns->errors[0].code == ERR_FORBIDDEN,
       "but no other: forbidden");
    ingest_test_reset(test);
    ok(ingest_test_parse(test, &ingest_format_events, "", STR("[" A "," B "]"), &columns) == OK,
       "in a batch too");
    is_str(ingest_test_dump(test, columns), "a x=1 # 1: the token is for another device",
           "  where only that item is rejected");
    test->rules = before;
    test->rules.oldest_us = INT64_MIN;
    ingest_test_reset(test);
    ok(ingest_test_parse(test, &ingest_format_event, "",
                         STR(E("\"time\":\"1850-01-01T00:00:00Z\",\"metrics\":{\"a\":1}")), &columns) == OK,
       "backfill may send any age");
    is_str(ingest_test_dump(test, columns), "d @1850-01-01T00:00:00Z a=1", "  and is read right");
    test->rules = before;
}

/* ---- keys ---- */

static void key_of(struct ingest_test *test, const char *body, uint8_t out[16])
{
    struct ingest_columns *columns;

    memset(out, 0, 16);
    if (ingest_test_parse(test, &ingest_format_event, "", str_of(body), &columns) == OK &&
        columns->n_events) {
        memcpy(out, columns->events[0].key, 16);
    }
}

static const struct {
    const char *says, *a, *b;
    bool is_same;
} keys[] = {
    { "the same content", E("\"type\":\"t\",\"time\":1795175999,\"data\":{\"a\":1}"),
      E("\"time\":1795175999000,\"data\":{\"a\":1},\"type\":\"t\""), true },
    { "another time", E("\"type\":\"t\",\"time\":1795175999"), E("\"type\":\"t\",\"time\":1795175998"),
      false },
    { "another type", E("\"type\":\"t\",\"time\":1795175999"), E("\"type\":\"u\",\"time\":1795175999"),
      false },
    { "other data", E("\"time\":1795175999,\"data\":{\"a\":1}"),
      E("\"time\":1795175999,\"data\":{\"a\":2}"), false },
    { "another metric's value", E("\"type\":\"t\",\"metrics\":{\"a\":1}"),
      E("\"type\":\"t\",\"metrics\":{\"a\":2}"), false },
    { "another site", E("\"type\":\"t\",\"site\":\"r\""), E("\"type\":\"t\",\"site\":\"s\""), false },
    { "bytes moved between type and site", E("\"type\":\"ab\",\"site\":\"c\""),
      E("\"type\":\"a\",\"site\":\"bc\""), false },
    { "the same id with other content",
      E("\"type\":\"t\",\"id\":\"0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061\",\"time\":1795175999"),
      E("\"type\":\"u\",\"id\":\"0190A3B4-C5D6-7E8F-9A0B-1C2D3E4F5061\",\"seq\":4"), true },
    { "another id", E("\"type\":\"t\",\"id\":\"0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061\""),
      E("\"type\":\"t\",\"id\":\"0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5062\""), false },
    { "the same seq and time with other content",
      E("\"type\":\"t\",\"seq\":4,\"time\":1795175999,\"data\":{\"a\":1}"),
      E("\"type\":\"t\",\"seq\":4,\"time\":1795175999,\"data\":{\"a\":2}"), true },
    { "the same seq at another time", E("\"type\":\"t\",\"seq\":4,\"time\":1795175999"),
      E("\"type\":\"t\",\"seq\":4,\"time\":1795175998"), false },
    { "another seq", E("\"type\":\"t\",\"seq\":4,\"time\":1795175999"),
      E("\"type\":\"t\",\"seq\":5,\"time\":1795175999"), false },
};

static void test_keys(struct ingest_test *test)
{
    uint8_t a[16], b[16];

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        ingest_test_reset(test);
        key_of(test, keys[i].a, a);
        key_of(test, keys[i].b, b);
        ok((memcmp(a, b, 16) == 0) == keys[i].is_same, "%s: %s event", keys[i].says,
           keys[i].is_same ? "the same" : "another");
    }
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_single(&test);
    test_batches(&test);
    test_limits(&test);
    test_rules(&test);
    test_keys(&test);
    ingest_test_close(&test);
    return done_testing();
}
