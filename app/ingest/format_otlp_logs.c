/* OTLP logs. A record is an event: its type the event's name, else the attribute `event.name`, else
 * "log"; its device as with metrics; its time when it happened, else when it was seen. The event's
 * data are {severity, severity_number, body, attributes, scope, resource, trace_id, span_id}, each
 * where there is something to say. Source: opentelemetry-proto, logs/v1/logs.proto. */
#include "base/crypto.h"
#include "ingest/otlp.h"

#define NS_PER_US 1000
#define MAX_ID_BYTES 32 /* a trace has 16, a span 8 */

struct otlp_logs {
    struct ingest_columns *columns;
    struct arena *arena;
    bool is_broken;
    struct proto_reader resource;
    bool has_resource;
    struct str scope; /* its name */
    uint32_t n_records;
};

/* LogRecord {time_unix_nano = 1, severity_number = 2, severity_text = 3, body = 5, attributes = 6,
 * trace_id = 9, span_id = 10, observed_time_unix_nano = 11, event_name = 12} */
struct otlp_record {
    struct proto_reader message;
    uint64_t time_ns, observed_ns, severity;
    struct str severity_text, event_name, trace_id, span_id;
    struct proto_reader body;
    bool has_body, has_attributes;
};

static struct otlp_record read_record(struct proto_reader message)
{
    struct otlp_record record = { .message = message };
    struct proto_field field;

    while (proto_next(&message, &field)) {
        switch (field.number) {
        case 1: record.time_ns = proto_fixed64(&message, &field); break;
        case 2: record.severity = proto_uint(&message, &field); break;
        case 3: record.severity_text = proto_bytes(&message, &field); break;
        case 5:
            record.body = proto_message(&message, &field);
            record.has_body = true;
            break;
        case 6: record.has_attributes = true; break;
        case 9: record.trace_id = proto_bytes(&message, &field); break;
        case 10: record.span_id = proto_bytes(&message, &field); break;
        case 11: record.observed_ns = proto_fixed64(&message, &field); break;
        case 12: record.event_name = proto_bytes(&message, &field); break;
        default: break;
        }
    }
    return record;
}

/* What in resource and record names the device, and maybe the event. */
static const char *read_names(struct otlp_logs *logs, const struct otlp_record *record,
                              struct otlp_names *names)
{
    const char *fault = logs->has_resource ? otlp_read_names(logs->resource, 1, names) : NULL;

    return fault ? fault : otlp_read_names(record->message, 6, names);
}

/* ---- data ---- */

/* The specification's short names, four numbers each. */
static const char *severity_name(uint64_t number)
{
    static const char *const names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };

    return number >= 1 && number <= 24 ? names[(number - 1) / 4] : NULL;
}

static void write_severity(struct json_writer *writer, const struct otlp_record *record)
{
    if (record->severity_text.len) {
        json_key(writer, "severity");
        json_string(writer, record->severity_text);
    } else if (severity_name(record->severity)) {
        json_key(writer, "severity");
        json_text(writer, severity_name(record->severity));
    }
    if (record->severity) {
        json_key(writer, "severity_number");
        json_int(writer, (int64_t)record->severity);
    }
}

static void write_id(struct json_writer *writer, const char *key, struct str id)
{
    char hex[2 * MAX_ID_BYTES + 1];

    if (id.len && id.len <= MAX_ID_BYTES) {
        crypto_hex((const uint8_t *)id.ptr, id.len, hex);
        json_key(writer, key);
        json_text(writer, hex);
    }
}

static struct str write_data(struct otlp_logs *logs, const struct otlp_record *record)
{
    struct json_writer writer;
    struct buf out;

    buf_init(&out, logs->arena, 2 * MAX_EVENT_DATA_BYTES);
    json_writer_init(&writer, &out);
    json_open_object(&writer);
    write_severity(&writer, record);
    if (record->has_body) {
        json_key(&writer, "body");
        otlp_write_value(&writer, record->body);
    }
    if (record->has_attributes) {
        json_key(&writer, "attributes");
        otlp_write_attributes(&writer, record->message, 6);
    }
    if (logs->scope.len) {
        json_key(&writer, "scope");
        json_string(&writer, logs->scope);
    }
    if (logs->has_resource) {
        json_key(&writer, "resource");
        otlp_write_attributes(&writer, logs->resource, 1);
    }
    write_id(&writer, "trace_id", record->trace_id);
    write_id(&writer, "span_id", record->span_id);
    json_close_object(&writer);
    return out.is_broken ? (struct str){ NULL, 0 } : buf_str(&out);
}

/* ---- records ---- */

static struct str type_of(const struct otlp_record *record, const struct ingest_labels *names)
{
    struct str name = record->event_name;

    if (!name.len) {
        name = labels_find(names, OTLP_EVENT_NAME);
    }
    return name.len ? name : STR("log");
}

/* For the mapping, which may name the device by another of them. False without memory. */
static bool say_labels(struct otlp_names *names, struct ingest_draft *draft)
{
    return !names->mapping || labels_write(&names->labels, names->arena, &draft->labels);
}

static bool is_text(struct str text)
{
    return !text.len || str_is_utf8(text);
}

static void read_log(struct otlp_logs *logs, struct proto_reader message)
{
    struct otlp_record record = read_record(message);
    struct otlp_names names = { .mapping = logs->columns->rules.mapping, .arena = logs->arena };
    struct ingest_draft *draft = columns_begin(logs->columns, logs->n_records++);

    if (!draft) {
        return;
    }
    const char *fault = read_names(logs, &record, &names);
    if (!fault && !(is_text(record.event_name) && is_text(record.severity_text) &&
                    is_text(logs->scope))) {
        fault = "a name is not UTF-8";
    }
    if (fault) {
        columns_reject(logs->columns, ERR_INVALID, NULL, "%s", fault);
        return;
    }
    uint64_t time_ns = record.time_ns ? record.time_ns : record.observed_ns;
    draft->type = type_of(&record, &names.labels);
    draft->device = otlp_take_device(&names.labels, &logs->columns->rules);
    draft->time_us = (int64_t)(time_ns / NS_PER_US);
    draft->has_time = time_ns != 0;
    draft->data = write_data(logs, &record);
    bool is_written = draft->data.ptr && say_labels(&names, draft);
    if (!is_written) {
        columns_reject(logs->columns, ERR_INVALID, "data", "data is over %u bytes",
                       MAX_EVENT_DATA_BYTES);
        return;
    }
    columns_end(logs->columns);
}

/* ScopeLogs {scope = 1 {name = 1}, log_records = 2} */
static void read_scope(struct otlp_logs *logs, struct proto_reader message)
{
    struct proto_reader again = message;
    struct proto_field field;

    logs->scope = (struct str){ "", 0 };
    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            struct proto_reader scope = proto_message(&message, &field);
            while (proto_next(&scope, &field)) {
                if (field.number == 1) {
                    logs->scope = proto_bytes(&scope, &field);
                }
            }
        }
    }
    while (!logs->columns->broken && proto_next(&again, &field)) {
        if (field.number == 2) {
            read_log(logs, proto_message(&again, &field));
        }
    }
}

/* ResourceLogs {resource = 1, scope_logs = 2} */
static void read_resource(struct otlp_logs *logs, struct proto_reader message)
{
    struct proto_reader again = message;
    struct proto_field field;

    logs->has_resource = false;
    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            logs->resource = proto_message(&message, &field);
            logs->has_resource = field.bytes.len > 0;
        }
    }
    while (!logs->columns->broken && proto_next(&again, &field)) {
        if (field.number == 2) {
            read_scope(logs, proto_message(&again, &field));
        }
    }
}

/* ExportLogsServiceRequest {resource_logs = 1} */
static enum err parse_logs(struct http_request *request, struct str body,
                           struct ingest_columns *columns)
{
    struct otlp_logs logs = { .columns = columns, .arena = request->op->arena };
    struct proto_field field;
    enum err err = otlp_body(request, body, &otlp_logs_request, &body);

    if (err) {
        return err;
    }
    struct proto_reader message = proto_reader(body, &logs.is_broken);
    while (!columns->broken && proto_next(&message, &field)) {
        if (field.number == 1) {
            read_resource(&logs, proto_message(&message, &field));
        }
    }
    if (columns->broken) {
        return columns->broken;
    }
    return logs.is_broken
               ? fail(request->op, ERR_MALFORMED, "the body is not an ExportLogsServiceRequest")
               : OK;
}

static enum err answer_logs(struct http_request *request, const struct ingest_outcome *outcome,
                            struct http_response *response)
{
    return otlp_answer(request, outcome, "rejectedLogRecords", response);
}

const struct ingest_format ingest_format_otlp_logs = {
    .name = "otlp_logs",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = OTLP_MAX_ITEMS,
    .media_types = otlp_types,
    .parse = parse_logs,
    .answer = answer_logs,
    .answer_error = otlp_answer_error,
};
