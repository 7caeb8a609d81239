/* ThingsBoard's HTTP device API: telemetry as {key: value}, as {"ts": ms, "values": {…}}, or as an
 * array of either; attributes as {key: value}. The token in the path names the device, so it is one
 * bound to a device. Numbers, numbers in quotes, true and false are metrics; other texts, objects
 * and lists are the event's data. Attributes are the device's state and no series: each post is an
 * event of type "attributes" with all of them as its data.
 * Source: thingsboard.io/docs/reference/http-api. */
#include "base/json.h"
#include "ingest/fields.h"
#include "ingest/format.h"
#include "ingest/number.h"
#include "ingest/plain.h"
#include "ingest/storable.h"

/* ---- reading ---- */

static enum err fail_syntax(const struct ingest_columns *columns, const struct json_reader *reader,
                            const char *otherwise)
{
    return fail(columns->op, ERR_MALFORMED, "the body is not JSON: %s at byte %zu",
                reader->error ? reader->error : otherwise, json_offset(reader));
}

/* Whether the object that begins at the reader has both `ts` and `values`: {"ts": …, "values": …}
 * and not two keys of a device. Looks ahead in a copy of the reader. */
static bool has_time(struct json_reader reader)
{
    bool has_ts = false, has_values = false;
    struct str name;

    (void)json_enter_object(&reader);
    while (json_next_member(&reader, &name)) {
        has_ts = has_ts || str_equal(name, STR("ts"));
        has_values = has_values || (str_equal(name, STR("values")) &&
                                    json_peek(&reader) == JSON_OBJECT);
        if (!json_skip(&reader, NULL)) {
            return false;
        }
    }
    return has_ts && has_values;
}

/* The pairs of the object where the reader stands. */
static void read_pairs(struct ingest_fields *fields, struct json_reader *reader)
{
    struct str name;

    (void)json_enter_object(reader);
    while (json_next_member(reader, &name)) {
        if (!fields_read(fields, name, reader)) {
            return;
        }
    }
}

static void read_time(struct ingest_fields *fields, struct json_reader *reader)
{
    struct ingest_draft *draft = &fields->columns->draft;
    bool is_text = json_peek(reader) == JSON_STRING;
    struct str text;

    if (is_text ? !json_read_string(reader, &text) : !json_skip(reader, &text)) {
        return;
    }
    draft->has_time = number_read_time(text, &draft->time_us);
    if (!draft->has_time) {
        fields_reject(fields, "ts", "ts is no epoch in milliseconds");
    }
}

static void read_timed(struct ingest_fields *fields, struct json_reader *reader)
{
    struct str name;

    (void)json_enter_object(reader);
    while (json_next_member(reader, &name)) {
        if (str_equal(name, STR("ts"))) {
            read_time(fields, reader);
        } else if (str_equal(name, STR("values")) && json_peek(reader) == JSON_OBJECT) {
            read_pairs(fields, reader);
        } else {
            (void)json_skip(reader, NULL); /* "metadata", say */
        }
    }
}

/* One item of telemetry; false when the body cannot be read on. */
static bool read_telemetry(struct json_reader *reader, uint32_t index,
                           struct ingest_columns *columns)
{
    struct ingest_fields fields;
    bool is_object = json_peek(reader) == JSON_OBJECT;
    const char *begin = reader->at;

    if (!columns_begin(columns, index)) {
        return false;
    }
    fields_begin(&fields, columns);
    if (!is_object) {
        (void)json_skip(reader, NULL);
        fields_reject(&fields, NULL, "telemetry is an object of keys and values");
    } else if (has_time(*reader)) {
        read_timed(&fields, reader);
    } else {
        read_pairs(&fields, reader);
    }
    if (reader->error) {
        return false;
    }
    columns_source(columns, (struct str){ begin, (size_t)(reader->at - begin) });
    fields_end(&fields);
    return true;
}

static enum err parse_telemetry(struct http_request *request, struct str body,
                                struct ingest_columns *columns)
{
    struct json_reader reader;
    uint32_t index = 0;

    (void)request;
    json_reader_init(&reader, body, columns->op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_ARRAY) {
        (void)!read_telemetry(&reader, 0, columns);
    } else {
        (void)json_enter_array(&reader);
        while (json_next_element(&reader) && read_telemetry(&reader, index, columns)) {
            index++;
        }
    }
    if (columns->broken) {
        return columns->broken;
    }
    return json_at_end(&reader) ? OK : fail_syntax(columns, &reader, "more after the telemetry");
}

/* Attributes are no telemetry that repeats itself: what was so, was otherwise, and is so again are
 * three events, for the time is a part of an event's identity. */
static enum err parse_attributes(struct http_request *request, struct str body,
                                 struct ingest_columns *columns)
{
    struct json_reader reader;
    struct str raw = { NULL, 0 };

    (void)request;
    json_reader_init(&reader, body, columns->op->arena, MAX_JSON_DEPTH);
    bool is_object = json_peek(&reader) == JSON_OBJECT;
    if (!json_skip(&reader, &raw) || !json_at_end(&reader)) {
        return fail_syntax(columns, &reader, "more after the attributes");
    }
    if (!is_object) {
        return fail(columns->op, ERR_MALFORMED, "attributes are an object of keys and values");
    }
    struct ingest_draft *draft = columns_begin(columns, 0);
    if (!draft) {
        return columns->broken;
    }
    draft->type = STR("attributes");
    draft->data = raw;
    if (storable_json(raw)) {
        columns_end(columns);
    } else {
        columns_reject(columns, ERR_INVALID, "data", "data holds a number that is out of range");
    }
    return columns->broken;
}

/* ---- answering ---- */

static void write_failure(struct http_response *response, int status, const char *words)
{
    struct json_writer writer;

    response->status = status;
    response->content_type = "application/json";
    json_writer_init(&writer, &response->body);
    json_open_object(&writer);
    json_key(&writer, "status");
    json_int(&writer, status);
    json_key(&writer, "message");
    json_text(&writer, words);
    json_close_object(&writer);
}

static enum err answer(struct http_request *request, const struct ingest_outcome *outcome,
                       struct http_response *response)
{
    uint32_t kept = outcome->accepted + outcome->duplicates + outcome->updated;

    if (outcome->rejected == 0) {
        return OK; /* 200, empty */
    }
    const struct ingest_error *first = &outcome->errors[0];
    const char *words =
        arena_printf(request->op->arena, "%u rejected, %u stored; item %u: %s", outcome->rejected,
                     kept, first->index, first->detail);
    write_failure(response, first->code == ERR_FORBIDDEN ? 403 : 400,
                  kept == 0 && outcome->rejected == 1 ? first->detail : words);
    return OK;
}

/* 401 is empty, as ThingsBoard has it; what is malformed or invalid is 400. */
static void answer_error(struct http_request *request, struct http_response *response)
{
    plain_failure(response, request->op);
    if (response->status != 401) {
        write_failure(response, response->status == 422 ? 400 : response->status,
                      http_public_detail(request->op));
    }
}

const struct ingest_format ingest_format_thingsboard_telemetry = {
    .name = "thingsboard",
    .credentials = CREDENTIAL_IN_PATH,
    .parse = parse_telemetry,
    .answer = answer,
    .answer_error = answer_error,
};

const struct ingest_format ingest_format_thingsboard_attributes = {
    .name = "thingsboard attributes",
    .credentials = CREDENTIAL_IN_PATH,
    .max_events = 1,
    .parse = parse_attributes,
    .answer = answer,
    .answer_error = answer_error,
};
