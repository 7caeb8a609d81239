/* OTLP's JSON, rewritten as protobuf by a table of its messages, so that what a field means is
 * told once, by the reader of protobuf. It is protobuf's own mapping to JSON with OTLP's three
 * exceptions (specs/otlp, JSON Protobuf Encoding): ids are hexadecimal, enums are numbers, and
 * what is not known is passed over; 64-bit integers may be strings. Called by the formats of
 * OTLP. Fields that no reader asks for are not in the table. */
#include "ingest/otlp.h"

#include "base/limits.h"

#include <math.h>

/* "0," in a list of fixed64 becomes nine bytes. */
#define GROWTH 5

enum otlp_kind {
    OTLP_TEXT,
    OTLP_HEX,
    OTLP_BASE64,
    OTLP_BOOL,
    OTLP_INT,     /* as a varint: int64, uint32, enum */
    OTLP_FIXED64, /* fixed64, sfixed64 */
    OTLP_DOUBLE,
    OTLP_MESSAGE
};

struct otlp_field {
    const char *name;
    uint32_t number;
    enum otlp_kind kind;
    bool is_repeated;
    const struct otlp_message *message;
};

struct otlp_message {
    const struct otlp_field *fields; /* ended by one without a name */
};

#define MESSAGE(name, ...)                                               \
    static const struct otlp_field name##_fields[] = { __VA_ARGS__, { 0 } }; \
    static const struct otlp_message name = { name##_fields }
#define ONE(name, number, kind) { name, number, kind, false, NULL }
#define MANY(name, number, kind) { name, number, kind, true, NULL }
#define PART(name, number, message) { name, number, OTLP_MESSAGE, false, &(message) }
#define PARTS(name, number, message) { name, number, OTLP_MESSAGE, true, &(message) }

/* ---- common.proto, resource.proto ---- */

static const struct otlp_message any_value; /* a value may hold values */
MESSAGE(key_value, ONE("key", 1, OTLP_TEXT), PART("value", 2, any_value));
MESSAGE(array_value, PARTS("values", 1, any_value));
MESSAGE(key_values, PARTS("values", 1, key_value));
MESSAGE(any_value, ONE("stringValue", 1, OTLP_TEXT), ONE("boolValue", 2, OTLP_BOOL),
        ONE("intValue", 3, OTLP_INT), ONE("doubleValue", 4, OTLP_DOUBLE),
        PART("arrayValue", 5, array_value), PART("kvlistValue", 6, key_values),
        ONE("bytesValue", 7, OTLP_BASE64));
MESSAGE(resource, PARTS("attributes", 1, key_value));
MESSAGE(scope, ONE("name", 1, OTLP_TEXT));

/* ---- metrics.proto ---- */

MESSAGE(number_point, PARTS("attributes", 7, key_value),
        ONE("startTimeUnixNano", 2, OTLP_FIXED64), ONE("timeUnixNano", 3, OTLP_FIXED64),
        ONE("asDouble", 4, OTLP_DOUBLE), ONE("asInt", 6, OTLP_FIXED64), ONE("flags", 8, OTLP_INT));
MESSAGE(histogram_point, PARTS("attributes", 9, key_value),
        ONE("startTimeUnixNano", 2, OTLP_FIXED64), ONE("timeUnixNano", 3, OTLP_FIXED64),
        ONE("count", 4, OTLP_FIXED64), ONE("sum", 5, OTLP_DOUBLE),
        MANY("bucketCounts", 6, OTLP_FIXED64), MANY("explicitBounds", 7, OTLP_DOUBLE),
        ONE("flags", 10, OTLP_INT), ONE("min", 11, OTLP_DOUBLE), ONE("max", 12, OTLP_DOUBLE));
MESSAGE(exponential_point, PARTS("attributes", 1, key_value),
        ONE("startTimeUnixNano", 2, OTLP_FIXED64), ONE("timeUnixNano", 3, OTLP_FIXED64),
        ONE("count", 4, OTLP_FIXED64), ONE("sum", 5, OTLP_DOUBLE), ONE("flags", 10, OTLP_INT),
        ONE("min", 12, OTLP_DOUBLE), ONE("max", 13, OTLP_DOUBLE));
MESSAGE(quantile, ONE("quantile", 1, OTLP_DOUBLE), ONE("value", 2, OTLP_DOUBLE));
MESSAGE(summary_point, PARTS("attributes", 7, key_value),
        ONE("startTimeUnixNano", 2, OTLP_FIXED64), ONE("timeUnixNano", 3, OTLP_FIXED64),
        ONE("count", 4, OTLP_FIXED64), ONE("sum", 5, OTLP_DOUBLE),
        PARTS("quantileValues", 6, quantile), ONE("flags", 8, OTLP_INT));
MESSAGE(gauge, PARTS("dataPoints", 1, number_point));
MESSAGE(sum, PARTS("dataPoints", 1, number_point), ONE("aggregationTemporality", 2, OTLP_INT),
        ONE("isMonotonic", 3, OTLP_BOOL));
MESSAGE(histogram, PARTS("dataPoints", 1, histogram_point),
        ONE("aggregationTemporality", 2, OTLP_INT));
MESSAGE(exponential, PARTS("dataPoints", 1, exponential_point),
        ONE("aggregationTemporality", 2, OTLP_INT));
MESSAGE(summary, PARTS("dataPoints", 1, summary_point));
MESSAGE(metric, ONE("name", 1, OTLP_TEXT), ONE("unit", 3, OTLP_TEXT), PART("gauge", 5, gauge),
        PART("sum", 7, sum), PART("histogram", 9, histogram),
        PART("exponentialHistogram", 10, exponential), PART("summary", 11, summary));
MESSAGE(scope_metrics, PARTS("metrics", 2, metric));
MESSAGE(resource_metrics, PART("resource", 1, resource), PARTS("scopeMetrics", 2, scope_metrics));

/* ---- logs.proto ---- */

MESSAGE(log_record, ONE("timeUnixNano", 1, OTLP_FIXED64), ONE("severityNumber", 2, OTLP_INT),
        ONE("severityText", 3, OTLP_TEXT), PART("body", 5, any_value),
        PARTS("attributes", 6, key_value), ONE("traceId", 9, OTLP_HEX), ONE("spanId", 10, OTLP_HEX),
        ONE("observedTimeUnixNano", 11, OTLP_FIXED64), ONE("eventName", 12, OTLP_TEXT));
MESSAGE(scope_logs, PART("scope", 1, scope), PARTS("logRecords", 2, log_record));
MESSAGE(resource_logs, PART("resource", 1, resource), PARTS("scopeLogs", 2, scope_logs));

/* ---- the requests ---- */

static const struct otlp_field metrics_fields[] = { PARTS("resourceMetrics", 1, resource_metrics),
                                                    { 0 } };
static const struct otlp_field logs_fields[] = { PARTS("resourceLogs", 1, resource_logs), { 0 } };
const struct otlp_message otlp_metrics_request = { metrics_fields };
const struct otlp_message otlp_logs_request = { logs_fields };

/* ---- values ---- */

/* An integer, as a number or as a string; a number may be written with a point or an exponent. */
static int64_t read_int(struct json_reader *reader)
{
    long long value = 0;
    double rounded;
    struct str text;

    if (json_peek(reader) == JSON_STRING) {
        if (json_read_string(reader, &text) && !str_to_int64(text, &value)) {
            (void)json_fail(reader, "not a 64-bit integer");
        }
        return value;
    }
    if (!json_read_number(reader, &rounded, &text) || str_to_int64(text, &value)) {
        return value;
    }
    if (rounded != floor(rounded) || fabs(rounded) >= 0x1p63) {
        (void)json_fail(reader, "not a 64-bit integer");
        return 0;
    }
    return (int64_t)rounded;
}

static double read_double(struct json_reader *reader)
{
    static const struct {
        struct str text;
        double value;
    } words[] = { { STR_INIT("NaN"), NAN },
                  { STR_INIT("Infinity"), INFINITY },
                  { STR_INIT("-Infinity"), -INFINITY } };
    struct json_reader number;
    double value = 0;
    struct str text;

    if (json_peek(reader) != JSON_STRING) {
        (void)json_read_number(reader, &value, NULL);
        return value;
    }
    if (!json_read_string(reader, &text)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_equal(text, words[i].text)) {
            return words[i].value;
        }
    }
    json_reader_init(&number, text, reader->arena, 1);
    if (!json_read_number(&number, &value, NULL) || !json_at_end(&number)) {
        (void)json_fail(reader, "not a number");
    }
    return value;
}

static int digit_of(char c, const char *digits)
{
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static struct str read_hex(struct json_reader *reader)
{
    static const char digits[] = "0123456789abcdef";
    struct str text = { "", 0 };

    (void)json_read_string(reader, &text);
    char *bytes = arena_alloc(reader->arena, text.len / 2 + 1);
    for (size_t i = 0; bytes && i + 1 < text.len + text.len % 2; i += 2) {
        int high = digit_of((char)(text.ptr[i] | 0x20), digits);
        int low = i + 1 < text.len ? digit_of((char)(text.ptr[i + 1] | 0x20), digits) : -1;
        if (high < 0 || low < 0) {
            (void)json_fail(reader, "not hexadecimal");
            return (struct str){ "", 0 };
        }
        bytes[i / 2] = (char)(high << 4 | low);
    }
    return (struct str){ bytes, bytes ? text.len / 2 : 0 };
}

/* Either alphabet, with padding or without. */
static struct str read_base64(struct json_reader *reader)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct str text = { "", 0 };
    uint32_t group = 0;
    size_t len = 0;

    (void)json_read_string(reader, &text);
    while (text.len && text.ptr[text.len - 1] == '=') {
        text.len--;
    }
    char *bytes = arena_alloc(reader->arena, text.len + 1);
    for (size_t i = 0; bytes && i < text.len; i++) {
        char c = text.ptr[i];
        int digit = digit_of(c == '-' ? '+' : c == '_' ? '/' : c, digits);
        if (digit < 0) {
            (void)json_fail(reader, "not base64");
            return (struct str){ "", 0 };
        }
        group = group << 6 | (uint32_t)digit;
        if (i % 4 > 0) {
            bytes[len++] = (char)(unsigned char)(group >> (6 - 2 * (i % 4)));
        }
    }
    return (struct str){ bytes, bytes ? len : 0 };
}

/* ---- rewriting ---- */

static void rewrite_message(struct json_reader *reader, const struct otlp_message *message,
                            struct buf *out);

static void rewrite_value(struct json_reader *reader, const struct otlp_field *field,
                          struct buf *out)
{
    struct str text = { "", 0 };
    bool is_true = false;
    double number;

    switch (field->kind) {
    case OTLP_TEXT:
        (void)json_read_string(reader, &text);
        proto_put_bytes(out, field->number, text);
        break;
    case OTLP_HEX: proto_put_bytes(out, field->number, read_hex(reader)); break;
    case OTLP_BASE64: proto_put_bytes(out, field->number, read_base64(reader)); break;
    case OTLP_BOOL:
        (void)json_read_bool(reader, &is_true);
        proto_put_uint(out, field->number, is_true);
        break;
    case OTLP_INT: proto_put_uint(out, field->number, (uint64_t)read_int(reader)); break;
    case OTLP_FIXED64: proto_put_64(out, field->number, (uint64_t)read_int(reader)); break;
    case OTLP_DOUBLE:
        number = read_double(reader);
        proto_put_64(out, field->number, proto_from_double(number));
        break;
    case OTLP_MESSAGE: {
        size_t opened = proto_open(out, field->number);
        rewrite_message(reader, field->message, out);
        proto_close(out, opened);
    }
    }
}

static void rewrite_field(struct json_reader *reader, const struct otlp_field *field,
                          struct buf *out)
{
    if (json_peek(reader) == JSON_NULL) {
        (void)json_read_null(reader); /* as if it were not there */
    } else if (!field->is_repeated) {
        rewrite_value(reader, field, out);
    } else if (json_enter_array(reader)) {
        while (json_next_element(reader)) {
            rewrite_value(reader, field, out);
        }
    }
}

static void rewrite_message(struct json_reader *reader, const struct otlp_message *message,
                            struct buf *out)
{
    struct str name;

    (void)json_enter_object(reader);
    while (!reader->error && !out->is_broken && json_next_member(reader, &name)) {
        const struct otlp_field *field = message->fields;
        while (field->name && !str_equal(name, str_of(field->name))) {
            field++;
        }
        if (field->name) {
            rewrite_field(reader, field, out);
        } else {
            (void)json_skip(reader, NULL);
        }
    }
}

enum err otlp_body(struct http_request *request, struct str body,
                   const struct otlp_message *message, struct str *out)
{
    struct json_reader reader;
    struct buf rewritten;

    *out = body;
    if (!str_equal(request->content_type, STR(OTLP_JSON))) {
        return OK;
    }
    buf_init(&rewritten, request->op->arena, GROWTH * body.len + 16);
    json_reader_init(&reader, body, request->op->arena, MAX_JSON_DEPTH);
    rewrite_message(&reader, message, &rewritten);
    if (rewritten.is_broken) {
        return fail(request->op, ERR_TOO_LARGE,
                    "the request takes more memory than a request may");
    }
    if (!json_at_end(&reader)) {
        return fail(request->op, ERR_MALFORMED, "the body is not OTLP's JSON: %s at byte %zu",
                    reader.error ? reader.error : "more after the object", json_offset(&reader));
    }
    *out = buf_str(&rewritten);
    return OK;
}
