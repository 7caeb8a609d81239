/* emoncms's input/bulk: rows [seconds, node, value, …] of several nodes, their times relative to
 * `time`, to now and `offset` or `sentat`, or to the last row, which is now then. As JSON in
 * `data`, as hexadecimal zlib there (`c`), or as zlib in the body (`cb`).
 * Source: emoncms, Modules/input/input_methods.php; emonHub and IoTaWatt for how it is used. */
#include "ingest/emoncms.h"

#include "base/clock.h"
#include "domain/emoncms.h"
#include "http/form.h"
#include "http/inflate.h"
#include "ingest/fields.h"
#include "ingest/number.h"

#include <math.h>

#define NO_JSON "Format error, json string supplied is not valid"
#define MAX_SECONDS 1e11
/* emonHub sends absolute times with its own clock as `sentat`. A clock as right as this is
 * believed: what it sends again has the same times then, and is known for the same. */
#define CLOCK_SLACK_US (10 * US_PER_SECOND)

/* ---- the text ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum err read_hex(struct op *op, struct str hex, struct str *out)
{
    char *bytes = arena_alloc(op->arena, hex.len / 2 + 1);

    if (!bytes) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < hex.len / 2; i++) {
        int high = digit_of(hex.ptr[2 * i]), low = digit_of(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0) {
            return fail(op, ERR_MALFORMED, "Format error, compressed hex not valid");
        }
        bytes[i] = (char)(high * 16 + low);
    }
    *out = (struct str){ bytes, hex.len / 2 };
    return hex.len > 0 && hex.len % 2 == 0
               ? OK
               : fail(op, ERR_MALFORMED, "Format error, compressed hex not valid");
}

static enum err read_text(struct http_request *request, struct str body, struct str *out)
{
    if (http_query(request, "cb").ptr) {
        return http_inflate(request->op, body, INFLATE_DEFLATE, MAX_INGEST_BODY_BYTES, out);
    }
    enum err err = http_read_form(request, MAX_INGEST_BODY_BYTES);
    if (err) {
        return err;
    }
    *out = http_field(request, "data");
    if (!http_field(request, "c").ptr) {
        return OK;
    }
    err = read_hex(request->op, *out, out);
    return err ? err
               : http_inflate(request->op, *out, INFLATE_DEFLATE, MAX_INGEST_BODY_BYTES, out);
}

static enum err fail_json(const struct ingest_columns *columns, const struct json_reader *reader)
{
    return fail(columns->op, ERR_MALFORMED, NO_JSON " (%s at byte %zu)",
                reader->error ? reader->error : "not a list of rows", json_offset(reader));
}

/* ---- times ---- */

/* The seconds that a row begins with, as microseconds; null is 0. False (the value is passed over)
 * for anything else. */
static bool read_seconds(struct json_reader *reader, int64_t *out_us)
{
    enum json_type type = json_peek(reader);
    struct str text;
    double seconds = 0;
    bool is_read = false;

    if (type == JSON_STRING) {
        is_read = json_read_string(reader, &text) && number_read(text, &seconds);
    } else if (type == JSON_NUMBER) {
        is_read = json_read_number(reader, &seconds, NULL);
    } else {
        is_read = json_skip(reader, NULL) && type == JSON_NULL;
    }
    if (!is_read || !(fabs(seconds) < MAX_SECONDS)) {
        return false;
    }
    *out_us = llround(seconds * (double)US_PER_SECOND);
    return true;
}

/* Walks the rows once, so that the rest need not doubt them: how many there are, and the seconds of
 * the last one. */
static enum err find_last(struct ingest_columns *columns, struct str text, int64_t *out_us)
{
    struct json_reader reader, row;
    struct str last = { NULL, 0 };

    json_reader_init(&reader, text, columns->op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) == JSON_ARRAY && json_enter_array(&reader)) {
        while (json_next_element(&reader) && json_skip(&reader, &last)) {
        }
    }
    if (reader.error || !last.ptr || !json_at_end(&reader)) {
        return fail_json(columns, &reader);
    }
    json_reader_init(&row, last, columns->op->arena, MAX_JSON_DEPTH);
    *out_us = 0;
    if (json_peek(&row) != JSON_ARRAY || !json_enter_array(&row) || !json_next_element(&row)) {
        return fail(columns->op, ERR_INVALID,
                    "Format error, last item in bulk data does not contain any data");
    }
    return read_seconds(&row, out_us)
               ? OK
               : fail(columns->op, ERR_INVALID, "Format error, the last item has no time");
}

/* What the rows' seconds count from. */
static enum err find_reference(struct http_request *request, const struct ingest_columns *columns,
                               int64_t last_us, int64_t *out_us)
{
    static const char *const names[] = { "sentat", "offset", "time" };
    int64_t now_us = columns->rules.now_us - columns->rules.now_us % US_PER_SECOND;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str text = http_field(request, names[i]);
        double seconds;
        if (!text.ptr) {
            continue;
        }
        if (!number_read(text, &seconds) || !(fabs(seconds) < MAX_SECONDS)) {
            return fail(request->op, ERR_INVALID, "%s is not a number of seconds", names[i]);
        }
        int64_t said_us = llround(seconds * (double)US_PER_SECOND);
        *out_us = i == 2 ? said_us : now_us - said_us;
        if (i == 0 && *out_us >= -CLOCK_SLACK_US && *out_us <= CLOCK_SLACK_US) {
            *out_us = 0;
        }
        return OK;
    }
    *out_us = now_us - last_us;
    return OK;
}

/* ---- rows ---- */

struct row {
    struct json_reader *reader;
    struct ingest_fields fields;
    int place; /* the next value's name */
};

/* The node's name; "0" for none, as emoncms has it. ptr NULL where it is no name (passed over). */
static struct str read_node(struct json_reader *reader, struct arena *arena)
{
    enum json_type type = json_peek(reader);
    struct str node = { NULL, 0 };

    if (type == JSON_STRING ? !json_read_string(reader, &node) : !json_skip(reader, &node)) {
        return (struct str){ NULL, 0 };
    }
    if (type == JSON_NULL || (type == JSON_STRING && node.len == 0)) {
        return STR("0");
    }
    return type == JSON_STRING || type == JSON_NUMBER ? emoncms_name(arena, node)
                                                      : (struct str){ NULL, 0 };
}

/* {"power": 100, …} among the values. */
static void read_named(struct row *row)
{
    struct arena *arena = row->fields.columns->op->arena;
    struct str name;

    (void)json_enter_object(row->reader);
    while (json_next_member(row->reader, &name)) {
        if (!fields_read(&row->fields, emoncms_name(arena, name), row->reader)) {
            return;
        }
    }
}

static void read_value(struct row *row)
{
    if (json_peek(row->reader) == JSON_OBJECT) {
        read_named(row);
        return;
    }
    const char *name = arena_printf(row->fields.columns->op->arena, "%d", row->place++);
    if (json_peek(row->reader) == JSON_ARRAY) {
        (void)json_skip(row->reader, NULL);
        fields_reject(&row->fields, "data", "Format error, a value is a list");
        return;
    }
    (void)!fields_read(&row->fields, str_of(name), row->reader);
}

/* The values of a row, the reader before the first of them. */
static void read_values(struct json_reader *reader, struct ingest_columns *columns)
{
    struct row row = { .reader = reader, .place = 1 };

    fields_begin(&row.fields, columns);
    if (!columns->draft.has_time) {
        fields_reject(&row.fields, "time", "Format error, time is not a number of seconds");
    }
    if (!columns->draft.device.ptr) {
        fields_reject(&row.fields, "device", "Format error, node must not be an object");
    }
    do {
        read_value(&row);
    } while (json_next_element(reader));
    if (!reader->error) {
        fields_end(&row.fields);
    }
}

/* A row; one of fewer than three elements says nothing. */
static void read_row(struct json_reader *reader, uint32_t index, int64_t reference_us,
                     struct ingest_columns *columns)
{
    int64_t time_us = 0;

    if (json_peek(reader) != JSON_ARRAY) {
        if (json_skip(reader, NULL) && columns_begin(columns, index)) {
            columns_reject(columns, ERR_INVALID, "data", "Format error, a row is a list");
        }
        return;
    }
    if (!json_enter_array(reader) || !json_next_element(reader)) {
        return;
    }
    bool has_time = read_seconds(reader, &time_us);
    if (reader->error || !json_next_element(reader)) {
        return;
    }
    struct str node = read_node(reader, columns->op->arena);
    if (reader->error || !json_next_element(reader)) {
        return;
    }
    struct ingest_draft *draft = columns_begin(columns, index);
    if (draft) {
        draft->has_time = has_time;
        draft->time_us = reference_us + time_us;
        draft->device = node;
        read_values(reader, columns);
    }
}

static enum err parse_bulk(struct http_request *request, struct str body,
                           struct ingest_columns *columns)
{
    int64_t last_us = 0, reference_us = 0;
    struct json_reader reader;
    struct str text = { NULL, 0 };
    uint32_t index = 0;
    enum err err = read_text(request, body, &text);

    if (!err) {
        err = find_last(columns, text, &last_us);
    }
    if (!err) {
        err = find_reference(request, columns, last_us, &reference_us);
    }
    if (err) {
        return err;
    }
    json_reader_init(&reader, text, columns->op->arena, MAX_JSON_DEPTH);
    (void)json_enter_array(&reader);
    while (!columns->broken && json_next_element(&reader)) {
        read_row(&reader, index++, reference_us, columns);
    }
    if (columns->broken) {
        return columns->broken;
    }
    return reader.error ? fail_json(columns, &reader) : OK;
}

const struct ingest_format ingest_format_emoncms_bulk = {
    .name = "emoncms bulk",
    .credentials = CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_EMONCMS,
    .parse = parse_bulk,
    .answer = emoncms_answer,
    .answer_error = emoncms_answer_error,
};
