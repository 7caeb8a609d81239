/* Metrics and data of one event, gathered value by value. Called by the formats of emoncms,
 * ThingsBoard and PVOutput. */
#include "ingest/fields.h"

#include "ingest/number.h"
#include "ingest/storable.h"

#define CAP_BYTES (2u * MAX_EVENT_DATA_BYTES) /* longer data is refused by the columns' own words */

void fields_begin(struct ingest_fields *fields, struct ingest_columns *columns)
{
    *fields = (struct ingest_fields){ .columns = columns };
}

void fields_number(struct ingest_fields *fields, struct str name, double value)
{
    if (fields->columns->draft.n_metrics + fields->n_texts >= MAX_METRICS ||
        !columns_metric(fields->columns, name, STR(""), value)) {
        fields_reject(fields, "metrics", "more than %d metrics", MAX_METRICS);
    }
}

/* Starts a member of the data; what follows is its value. Cannot be done: the event is rejected. */
static bool begin_text(struct ingest_fields *fields, struct str name)
{
    struct json_writer writer;

    if (name.len > MAX_NAME_BYTES) {
        fields_reject(fields, "metrics", "metric is longer than %d bytes", MAX_NAME_BYTES);
        return false;
    }
    if (fields->columns->draft.n_metrics + fields->n_texts >= MAX_METRICS) {
        fields_reject(fields, "metrics", "more than %d metrics", MAX_METRICS);
        return false;
    }
    if (fields->n_texts == 0) {
        buf_init(&fields->texts, fields->columns->op->arena, CAP_BYTES);
    }
    buf_add_char(&fields->texts, fields->n_texts++ ? ',' : '{');
    json_writer_init(&writer, &fields->texts);
    json_string(&writer, name);
    buf_add_char(&fields->texts, ':');
    return true;
}

void fields_text(struct ingest_fields *fields, struct str name, struct str value)
{
    struct json_writer writer;

    if (begin_text(fields, name)) {
        json_writer_init(&writer, &fields->texts);
        json_string(&writer, value);
    }
}

/* Any value that jsonb can hold. */
static void add_json(struct ingest_fields *fields, struct str name, struct str value)
{
    if (!storable_json(value)) {
        fields_reject(fields, "data", "data holds a number that is out of range");
    } else if (begin_text(fields, name)) {
        buf_add_str(&fields->texts, value);
    }
}

static bool read_string(struct ingest_fields *fields, struct str name, struct json_reader *reader)
{
    struct str text;
    double value;

    if (!json_read_string(reader, &text)) {
        return false;
    }
    if (number_read(text, &value)) {
        fields_number(fields, name, value);
    } else {
        fields_text(fields, name, text);
    }
    return true;
}

bool fields_read(struct ingest_fields *fields, struct str name, struct json_reader *reader)
{
    enum json_type type = json_peek(reader);
    struct str raw;
    double value = 0;
    bool is_true = false;

    switch (type) {
    case JSON_STRING: return read_string(fields, name, reader);
    case JSON_NULL: return json_read_null(reader);
    case JSON_NUMBER:
        if (json_read_number(reader, &value, NULL)) {
            fields_number(fields, name, value);
        }
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        if (json_read_bool(reader, &is_true)) {
            fields_number(fields, name, is_true ? 1 : 0);
        }
        break;
    default:
        if (json_skip(reader, &raw)) {
            add_json(fields, name, raw);
        }
    }
    return !reader->error;
}

void fields_end(struct ingest_fields *fields)
{
    struct ingest_draft *draft = &fields->columns->draft;

    if (fields->n_texts > 0 && !fields->is_rejected) {
        buf_add_char(&fields->texts, '}');
        draft->data = buf_str(&fields->texts);
        if (fields->texts.is_broken) {
            fields_reject(fields, "data", "data is over %u bytes", MAX_EVENT_DATA_BYTES);
        }
    }
    if (!fields->is_rejected && (draft->n_metrics > 0 || fields->n_texts > 0)) {
        columns_end(fields->columns);
    }
}
