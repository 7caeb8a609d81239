/* The native format: POST /v1/event with one event, POST /v1/events/batch with a list, an
 * object around a list, NDJSON or CSV. Answers for where events stand in a body and for the
 * answers' shape; what an event may say is read_event's, what a record of CSV is import_csv's.
 * Called by the service. */
#include "ingest/format.h"

#include "base/csv.h"
#include "base/json.h"
#include "ingest/import_csv.h"

static const char *const json_types[] = {
    /* none, and what clients say when they are told nothing (`curl -d`, libraries) */
    "", "application/x-www-form-urlencoded", "application/octet-stream",
    "application/json", "text/json", NULL,
};

#define NDJSON "application/x-ndjson"
#define CSV "text/csv"
static const char *const batch_types[] = {
    "", "application/x-www-form-urlencoded", "application/octet-stream",
    "application/json", "text/json",
    NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines", CSV, NULL,
};

/* A record that is refused is kept with the header; with a longer one the whole body is. */
#define MAX_KEPT_HEADER_BYTES 1024

/* ---- reading ---- */

static enum err fail_syntax(struct ingest_columns *columns, const struct json_reader *reader,
                            const char *otherwise)
{
    return fail(columns->op, ERR_MALFORMED, "the body is not JSON: %s at byte %zu",
                reader->error ? reader->error : otherwise, json_offset(reader));
}

/* Starts reading a body. ERR_MALFORMED for an empty one. */
static enum err open_body(struct json_reader *reader, struct str body,
                          struct ingest_columns *columns, enum json_type *out)
{
    json_reader_init(reader, body, columns->op->arena, MAX_JSON_DEPTH);
    *out = json_peek(reader);
    if (*out != JSON_NONE) {
        return OK;
    }
    return reader->error ? fail_syntax(columns, reader, "")
                         : fail(columns->op, ERR_MALFORMED, "the body is empty");
}

/* Records with a header before them, as `tidemark import` takes them. Of times that name no zone
 * it is UTC. */
static enum err read_csv(struct str body, struct ingest_columns *columns)
{
    static const struct zone utc = { .name = "UTC" };
    struct op *op = columns->op;
    struct import_csv *csv = arena_alloc(op->arena, sizeof *csv);
    char *text = arena_copy(op->arena, body); /* records are unquoted in place */
    uint32_t index = 0;
    unsigned lines;
    enum err err = csv && text ? OK : fail_memory(op);

    if (!err) {
        *csv = (struct import_csv){ .zone = &utc };
    }
    for (size_t at = 0, len; !err && at < body.len; at += len) {
        len = csv_record((struct str){ text + at, body.len - at }, true, &lines);
        const struct str record = str_trim((struct str){ body.ptr + at, len });
        if (len == 0) {
            return fail(op, ERR_MALFORMED, "the record at byte %zu does not end: a quote is open",
                        at);
        }
        if (record.len && csv->n_columns == 0) {
            err = import_csv_header(csv, op, text + at, len);
            columns->source_head = record;
        } else if (record.len) {
            import_csv_record(csv, text + at, len, index++, columns);
            if (columns->source_head.len <= MAX_KEPT_HEADER_BYTES) {
                columns_source(columns, record);
            }
            err = columns->broken;
        }
    }
    if (!err && csv->n_columns == 0) {
        return fail(op, ERR_MALFORMED, "the body is empty");
    }
    return err;
}

static bool is_csv(const struct http_request *request)
{
    return str_equal(request->content_type, STR(CSV));
}

/* A body that is JSON but not what the endpoint takes: ERR_INVALID, or the syntax error that
 * it holds further on. */
static enum err fail_shape(struct ingest_columns *columns, struct json_reader *reader,
                           const char *wanted)
{
    if (!json_skip(reader, NULL) || !json_at_end(reader)) {
        return fail_syntax(columns, reader, "more after the value");
    }
    return fail(columns->op, ERR_INVALID, "the body is not %s", wanted);
}

static enum err parse_event(struct http_request *request, struct str body,
                            struct ingest_columns *columns)
{
    struct json_reader reader;
    enum json_type type;

    if (is_csv(request)) { /* a record that was kept, with its header */
        return read_csv(body, columns);
    }
    enum err err = open_body(&reader, body, columns, &type);
    if (err) {
        return err;
    }
    if (type != JSON_OBJECT) {
        return fail_shape(columns, &reader, "an object");
    }
    bool is_read = ingest_read_event(&reader, 0, columns);
    if (columns->broken) {
        return columns->broken;
    }
    return is_read && json_at_end(&reader) ? OK
                                           : fail_syntax(columns, &reader, "more after the event");
}

/* The events of the array that the reader stands at. */
static enum err read_array(struct json_reader *reader, struct ingest_columns *columns)
{
    uint32_t index = 0;

    (void)json_enter_array(reader);
    while (json_next_element(reader)) {
        const char *start = reader->at;
        if (!ingest_read_event(reader, index++, columns)) {
            break;
        }
        columns_source(columns, (struct str){ start, (size_t)(reader->at - start) });
    }
    if (columns->broken) {
        return columns->broken;
    }
    return reader->error ? fail_syntax(columns, reader, "") : OK;
}

/* {"events": […]}; other members are passed over. */
static enum err read_wrapper(struct json_reader *reader, struct ingest_columns *columns)
{
    bool has_events = false;
    struct str name;

    (void)json_enter_object(reader);
    while (json_next_member(reader, &name)) {
        if (!str_equal(name, STR("events")) || json_peek(reader) != JSON_ARRAY) {
            (void)json_skip(reader, NULL);
            continue;
        }
        if (has_events) {
            return fail(columns->op, ERR_INVALID, "the body holds two lists of events");
        }
        has_events = true;
        enum err err = read_array(reader, columns);
        if (err) {
            return err;
        }
    }
    if (reader->error) {
        return fail_syntax(columns, reader, "");
    }
    return has_events ? OK
                      : fail(columns->op, ERR_INVALID, "the body holds no list named \"events\"");
}

static enum err read_lines(struct str body, struct ingest_columns *columns)
{
    uint32_t index = 0;

    while (body.ptr && !columns->broken) {
        struct str line = str_trim(str_cut(&body, '\n'));
        if (line.len) {
            ingest_read_event_line(line, index++, columns);
            columns_source(columns, line);
        }
    }
    if (!columns->broken && index == 0) {
        return fail(columns->op, ERR_MALFORMED, "the body is empty");
    }
    return columns->broken;
}

static bool is_line_type(struct str type)
{
    return str_equal(type, STR(NDJSON)) || str_equal(type, STR("application/ndjson")) ||
           str_equal(type, STR("application/jsonl")) ||
           str_equal(type, STR("application/x-jsonlines"));
}

static enum err parse_events(struct http_request *request, struct str body,
                             struct ingest_columns *columns)
{
    struct json_reader reader;
    enum json_type type;

    if (is_line_type(request->content_type)) {
        return read_lines(body, columns);
    }
    if (is_csv(request)) {
        return read_csv(body, columns);
    }
    enum err err = open_body(&reader, body, columns, &type);
    if (err) {
        return err;
    }
    if (type == JSON_ARRAY) {
        err = read_array(&reader, columns);
    } else if (type == JSON_OBJECT) {
        err = read_wrapper(&reader, columns);
    } else {
        return fail_shape(columns, &reader, "a list of events");
    }
    if (err || json_at_end(&reader)) {
        return err;
    }
    return fail_syntax(columns, &reader, "more after the events");
}

/* ---- answering ---- */

/* The rejections as entries of a problem's list. NULL without memory. */
static struct http_item_error *item_errors(struct op *op, const struct ingest_outcome *outcome,
                                           bool is_batch)
{
    struct http_item_error *items =
        arena_array(op->arena, (size_t)outcome->n_errors + 1, sizeof *items);

    for (int i = 0; items && i < outcome->n_errors; i++) {
        const struct ingest_error *error = &outcome->errors[i];
        items[i] = (struct http_item_error){ is_batch ? (int)error->index : -1, error->field,
                                             error->detail };
    }
    return items;
}

static void write_errors(struct json_writer *writer, const struct ingest_outcome *outcome)
{
    json_key(writer, "errors");
    json_open_array(writer);
    for (int i = 0; i < outcome->n_errors; i++) {
        const struct ingest_error *error = &outcome->errors[i];
        json_open_object(writer);
        json_key(writer, "index");
        json_int(writer, error->index);
        if (error->field) {
            json_key(writer, "field");
            json_text(writer, error->field);
        }
        json_key(writer, "detail");
        json_text(writer, error->detail);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void write_outcome(struct http_response *response, const struct ingest_outcome *outcome)
{
    struct json_writer writer;

    response->status = outcome->rejected ? 207 : 200;
    response->content_type = "application/json";
    json_writer_init(&writer, &response->body);
    json_open_object(&writer);
    json_key(&writer, "accepted");
    json_int(&writer, outcome->accepted);
    json_key(&writer, "duplicates");
    json_int(&writer, outcome->duplicates);
    json_key(&writer, "updated");
    json_int(&writer, outcome->updated);
    json_key(&writer, "rejected");
    json_int(&writer, outcome->rejected);
    if (outcome->is_dry_run) {
        json_key(&writer, "dry_run");
        json_bool(&writer, true);
    }
    if (outcome->rejected) {
        write_errors(&writer, outcome);
    }
    json_close_object(&writer);
}

static bool is_all_rejected(const struct ingest_outcome *outcome)
{
    return outcome->rejected > 0 &&
           outcome->accepted + outcome->duplicates + outcome->updated == 0;
}

/* The problem document of a request of which nothing was kept. */
static enum err answer_rejected(struct http_request *request, const struct ingest_outcome *outcome,
                                struct http_response *response, bool is_batch)
{
    const struct ingest_error *first = outcome->errors;
    struct http_item_error *items = item_errors(request->op, outcome, is_batch);

    if (!items) {
        return fail_memory(request->op);
    }
    if (is_batch) {
        (void)fail(request->op, ERR_INVALID, "none of the %u events was accepted",
                   outcome->rejected);
    } else {
        (void)fail(request->op, first->code, "%s", first->detail);
    }
    http_problem_items(response, request->op, request->path, items, outcome->n_errors);
    return OK;
}

static enum err answer_event(struct http_request *request, const struct ingest_outcome *outcome,
                             struct http_response *response)
{
    if (is_all_rejected(outcome)) {
        return answer_rejected(request, outcome, response, false);
    }
    write_outcome(response, outcome);
    return OK;
}

static enum err answer_events(struct http_request *request, const struct ingest_outcome *outcome,
                              struct http_response *response)
{
    if (is_all_rejected(outcome)) {
        return answer_rejected(request, outcome, response, true);
    }
    write_outcome(response, outcome);
    return OK;
}

static void answer_problem(struct http_request *request, struct http_response *response)
{
    http_problem(response, request->op, request->path);
}

const struct ingest_format ingest_format_event = {
    .name = "event",
    .credentials = CREDENTIAL_IN_HEADERS,
    .media_types = json_types,
    .parse = parse_event,
    .answer = answer_event,
    .answer_error = answer_problem,
};

const struct ingest_format ingest_format_events = {
    .name = "events",
    .credentials = CREDENTIAL_IN_HEADERS,
    .media_types = batch_types,
    .item = &ingest_format_event,
    .parse = parse_events,
    .answer = answer_events,
    .answer_error = answer_problem,
};
