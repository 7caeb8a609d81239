/* One event of the native format, from JSON to a draft in the columns, without a tree. Answers
 * for what each member may be; not for the rules of all formats (columns), nor for where the
 * events stand in a body (format_event). Called by the event formats and by import.
 *
 * Members that are not known are passed over: a device that says more than we ask for must not
 * lose its readings. Of a member or metric given twice the last one counts, as everywhere in
 * JSON. null in place of an optional member is as if it were absent. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "ingest/event_key.h"
#include "ingest/format.h"
#include "ingest/storable.h"

struct item {
    struct json_reader *reader;
    struct ingest_columns *columns;
    struct ingest_draft *draft;
    struct str data;     /* the member of that name */
    struct buf strings;  /* metrics that are strings, as members of an object */
    int n_strings;
    bool is_rejected;
};

/* Rejects the item once, with its first fault; the rest of it is only passed over. */
#define reject(item, field, ...)                                                            \
    do {                                                                                    \
        if (!(item)->is_rejected) {                                                         \
            columns_reject((item)->columns, ERR_INVALID, (field), __VA_ARGS__);             \
        }                                                                                   \
        (item)->is_rejected = true;                                                         \
    } while (0)

/* ---- scalar members ---- */

static void read_text(struct item *item, const char *field, struct str *out)
{
    switch (json_peek(item->reader)) {
    case JSON_STRING:
        (void)json_read_string(item->reader, out);
        break;
    case JSON_NULL:
        *out = (struct str){ 0 };
        (void)json_read_null(item->reader);
        break;
    default:
        (void)json_skip(item->reader, NULL);
        reject(item, field, "%s is not a string", field);
    }
}

static void read_device(struct item *item)
{
    read_text(item, "device", &item->draft->device);
}

static void read_type(struct item *item)
{
    read_text(item, "type", &item->draft->type);
}

static void read_site(struct item *item)
{
    read_text(item, "site", &item->draft->site);
}

static void read_id(struct item *item)
{
    struct str text = { 0 };

    read_text(item, "id", &text);
    item->draft->has_id = text.ptr != NULL;
    if (text.ptr && !event_parse_uuid(text, item->draft->id)) {
        reject(item, "id", "id is not a UUID");
    }
}

/* A whole number that fits an int64. */
static bool read_integer(struct item *item, const char *field, const char *wanted, int64_t *out)
{
    struct str text;
    long long value;
    double rounded;

    if (json_peek(item->reader) != JSON_NUMBER) {
        (void)json_skip(item->reader, NULL);
    } else if (json_read_number(item->reader, &rounded, &text) && str_to_int64(text, &value)) {
        *out = value;
        return true;
    }
    reject(item, field, "%s", wanted);
    return false;
}

static void read_seq(struct item *item)
{
    item->draft->has_seq = false;
    if (json_peek(item->reader) == JSON_NULL) {
        (void)json_read_null(item->reader);
        return;
    }
    item->draft->has_seq =
        read_integer(item, "seq", "seq is not a 64-bit integer", &item->draft->seq);
}

static void read_time(struct item *item)
{
    static const char wanted[] = "time is neither RFC 3339 nor an integer epoch";
    struct ingest_draft *draft = item->draft;
    struct str text;
    int64_t epoch;

    draft->has_time = false;
    switch (json_peek(item->reader)) {
    case JSON_STRING:
        draft->has_time = json_read_string(item->reader, &text) &&
                          clock_parse_rfc3339(text, &draft->time_us);
        if (!draft->has_time) {
            reject(item, "time", "%s", wanted);
        }
        break;
    case JSON_NULL:
        (void)json_read_null(item->reader);
        break;
    default:
        if (read_integer(item, "time", wanted, &epoch)) {
            draft->time_us = clock_from_epoch(epoch);
            draft->has_time = true;
        }
    }
}

/* ---- metrics ---- */

/* Keeps a metric that is a string as a member for the event's data. */
static void read_string_metric(struct item *item, struct str name)
{
    struct json_writer writer;
    struct str raw;

    if (!json_skip(item->reader, &raw)) {
        return;
    }
    if (name.len > MAX_NAME_BYTES) {
        reject(item, "metrics", "metric is longer than %d bytes", MAX_NAME_BYTES);
        return;
    }
    if (item->n_strings == 0) {
        buf_init(&item->strings, item->columns->op->arena, 2 * MAX_EVENT_DATA_BYTES);
    }
    if (item->n_strings++ > 0) {
        buf_add_char(&item->strings, ',');
    }
    json_writer_init(&writer, &item->strings);
    json_string(&writer, name);
    buf_add_char(&item->strings, ':');
    buf_add_str(&item->strings, raw);
}

static const char *kind_of(enum json_type type)
{
    return type == JSON_OBJECT ? "an object" : type == JSON_ARRAY ? "a list" : "null";
}

static void read_metric(struct item *item, struct str name)
{
    enum json_type type = json_peek(item->reader);
    double value = 0;
    bool is_true = false;

    if (type == JSON_STRING) {
        read_string_metric(item, name);
        return;
    }
    if (type == JSON_NUMBER) {
        (void)json_read_number(item->reader, &value, NULL);
    } else if (type == JSON_TRUE || type == JSON_FALSE) {
        (void)json_read_bool(item->reader, &is_true);
        value = is_true ? 1 : 0;
    } else {
        (void)json_skip(item->reader, NULL);
        reject(item, "metrics", "metric \"%.*s\" is %s, not a number", columns_shown(name),
               name.ptr, kind_of(type));
        return;
    }
    if (!item->is_rejected && (item->n_strings + item->draft->n_metrics >= MAX_METRICS ||
                               !columns_metric(item->columns, name, STR(""), value))) {
        reject(item, "metrics", "more than %d metrics", MAX_METRICS);
    }
}

static void read_metrics(struct item *item)
{
    struct str name;

    item->draft->n_metrics = 0;
    item->n_strings = 0;
    if (json_peek(item->reader) == JSON_NULL) {
        (void)json_read_null(item->reader);
        return;
    }
    if (json_peek(item->reader) != JSON_OBJECT) {
        (void)json_skip(item->reader, NULL);
        reject(item, "metrics", "metrics is not an object");
        return;
    }
    (void)json_enter_object(item->reader);
    while (json_next_member(item->reader, &name)) {
        read_metric(item, name);
    }
    if (item->n_strings > MAX_METRICS) {
        reject(item, "metrics", "more than %d metrics", MAX_METRICS);
    }
}

/* ---- data ---- */

static void read_data(struct item *item)
{
    item->data = (struct str){ 0 };
    if (json_peek(item->reader) == JSON_NULL) {
        (void)json_read_null(item->reader);
        return;
    }
    bool is_object = json_peek(item->reader) == JSON_OBJECT;
    if (!json_skip(item->reader, &item->data)) {
        return;
    }
    if (!is_object) {
        reject(item, "data", "data is not an object");
    } else if (item->data.len > MAX_EVENT_DATA_BYTES) {
        reject(item, "data", "data is over %u bytes", MAX_EVENT_DATA_BYTES);
    } else if (!storable_json(item->data)) {
        reject(item, "data", "data holds a number that is out of range");
    }
}

/* True for an object without members. */
static bool is_empty_object(struct str text)
{
    return text.ptr && str_trim((struct str){ text.ptr + 1, text.len - 2 }).len == 0;
}

/* The event's data: its own, with the metrics that are strings before it, so that jsonb, which
 * keeps the last of two members, lets the event's own win. */
static void compose_data(struct item *item)
{
    struct ingest_draft *draft = item->draft;
    struct str own = is_empty_object(item->data) ? (struct str){ 0 } : item->data;

    if (item->n_strings == 0) {
        draft->data = own;
        return;
    }
    struct buf whole;
    buf_init(&whole, item->columns->op->arena, 4 * MAX_EVENT_DATA_BYTES);
    buf_add_char(&whole, '{');
    buf_add_str(&whole, buf_str(&item->strings));
    if (own.ptr) {
        buf_add_char(&whole, ',');
        buf_add(&whole, own.ptr + 1, own.len - 1);
    } else {
        buf_add_char(&whole, '}');
    }
    draft->data = buf_str(&whole);
    if (item->strings.is_broken || whole.is_broken) {
        reject(item, "data", "data is over %u bytes", MAX_EVENT_DATA_BYTES);
    }
}

/* ---- the item ---- */

static const struct member {
    struct str name;
    void (*read)(struct item *item);
} members[] = {
    { { "device", 6 }, read_device }, { { "time", 4 }, read_time },
    { { "metrics", 7 }, read_metrics }, { { "type", 4 }, read_type },
    { { "seq", 3 }, read_seq }, { { "data", 4 }, read_data },
    { { "id", 2 }, read_id }, { { "site", 4 }, read_site },
};

static void read_members(struct item *item)
{
    struct str name;

    (void)json_enter_object(item->reader);
    while (json_next_member(item->reader, &name)) {
        const struct member *member = NULL;
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            if (str_equal(members[i].name, name)) {
                member = &members[i];
                break;
            }
        }
        if (member) {
            member->read(item);
        } else {
            (void)json_skip(item->reader, NULL);
        }
    }
}

/* True when the reader stopped at an escape that JSON's grammar allows and jsonb does not:
 * \u0000 or half of a surrogate pair. */
static bool is_refused_escape(const struct json_reader *reader)
{
    const char *at = reader->error_at;

    if (reader->end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return false;
    }
    for (int i = 2; i < 6; i++) {
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        bool is_letter = (at[i] | 0x20) >= 'a' && (at[i] | 0x20) <= 'f';
        if (!is_digit && !is_letter) {
            return false;
        }
    }
    return true;
}

/* Where the object that begins at `at` ends, by its brackets alone; NULL when it does not. */
static const char *object_end(const char *at, const char *end)
{
    int depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = storable_pass_string(at, end);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
        if (depth == 0) {
            return at;
        }
    }
    return NULL;
}

/* Puts the reader, as it was before the item, behind it: the item is lost, the body is not. */
static bool recover(struct item *item, const struct json_reader *before)
{
    struct json_reader *reader = item->reader;
    const char *end = object_end(before->at, reader->end);

    if (!end || !is_refused_escape(reader)) {
        return false;
    }
    reject(item, NULL, "%s", reader->error);
    *reader = *before;
    reader->at = end;
    reader->is_first = false;
    return true;
}

/* Reads the item that the reader stands at, without keeping it yet. False when the rest of the
 * input cannot be read. */
static bool read_item(struct item *item, struct json_reader *reader, uint32_t index,
                      struct ingest_columns *columns)
{
    enum json_type type = json_peek(reader);
    struct json_reader before = *reader;

    *item = (struct item){ .reader = reader, .columns = columns };
    item->draft = columns_begin(columns, index);
    if (!item->draft) {
        return false;
    }
    if (type != JSON_OBJECT) {
        if (json_skip(reader, NULL)) {
            reject(item, NULL, "an event is an object");
        }
        return !reader->error;
    }
    read_members(item);
    if (reader->error) {
        return recover(item, &before);
    }
    if (!item->is_rejected) {
        compose_data(item);
    }
    return true;
}

bool ingest_read_event(struct json_reader *reader, uint32_t index, struct ingest_columns *columns)
{
    struct item item;

    if (!read_item(&item, reader, index, columns)) {
        return false;
    }
    if (!item.is_rejected) {
        columns_end(columns);
    }
    return true;
}

void ingest_read_event_line(struct str line, uint32_t index, struct ingest_columns *columns)
{
    struct json_reader reader;
    struct item item;

    json_reader_init(&reader, line, columns->op->arena, MAX_JSON_DEPTH);
    bool is_read = read_item(&item, &reader, index, columns);
    if (!item.draft || item.is_rejected) {
        return;
    }
    if (is_read && json_at_end(&reader)) {
        columns_end(columns);
        return;
    }
    columns_reject(columns, ERR_MALFORMED, NULL, "not JSON: %s at byte %zu",
                   reader.error ? reader.error : "more after the event", json_offset(&reader));
}
