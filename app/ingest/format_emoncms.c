/* emoncms's input/post: one event of one node. `fulljson` is JSON; `json`, `csv` and `data` are
 * read as loosely as emoncms reads them: brackets and quotes mean nothing, a value without a name
 * is named by its place, 1…n. What a text in fulljson says goes to the event's data, where emoncms
 * would make it 0. Source: emoncms, Modules/input/input_methods.php. */
#include "ingest/emoncms.h"

#include "domain/emoncms.h"
#include "http/form.h"
#include "ingest/fields.h"
#include "ingest/number.h"

#define NOTHING_SENT "Request contains no data via csv, json or data tag"
#define NOT_AN_OBJECT "Input in not a valid JSON object" /* sic */

/* ---- json, csv, data ---- */

/* A character that emoncms keeps of such a text; the others are as if they were not there. */
static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_-.:, \t\r\n", c)) || (unsigned char)c >= 0x80;
}

static bool strip(struct arena *arena, struct str text, struct str *out)
{
    char *kept = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    if (!kept) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (is_kept(text.ptr[i])) {
            kept[len++] = text.ptr[i];
        }
    }
    *out = (struct str){ kept, len };
    return true;
}

/* One piece between commas: "name:value" or "value", the `place`-th of those. A missing value
 * (nothing, or null) is none, and no fault. */
static void read_pair(struct ingest_fields *fields, struct str piece, int *place)
{
    struct arena *arena = fields->columns->op->arena;
    struct str value = piece;
    struct str name = str_trim(str_cut(&value, ':'));
    bool is_named = value.ptr != NULL;
    double number;

    if (!is_named) {
        value = name;
        char *numbered = arena_printf(arena, "%d", ++*place);
        name = str_of(numbered);
    }
    value = str_trim(value);
    if (is_named && name.len == 0) {
        fields_reject(fields, "json", "Format error, json key missing or invalid character");
    } else if (value.len == 0 || str_equal_nocase(value, STR("null"))) {
        return;
    } else if (!number_read(value, &number)) {
        fields_reject(fields, "json", is_named ? "Format error, json value is not numeric"
                                               : "Format error: csv value is not numeric");
    } else {
        fields_number(fields, name, number);
    }
}

static enum err read_loose(struct ingest_fields *fields, struct str text)
{
    int place = 0;

    if (!strip(fields->columns->op->arena, text, &text)) {
        return fail_memory(fields->columns->op);
    }
    while (text.ptr && !fields->is_rejected) {
        read_pair(fields, str_cut(&text, ','), &place);
    }
    return OK;
}

/* ---- fulljson ---- */

/* `time` among the values. One that is none is refused: emoncms would take now for it. */
static bool read_time_member(struct ingest_fields *fields, struct json_reader *reader, bool has_own)
{
    struct ingest_draft *draft = &fields->columns->draft;
    bool is_text = json_peek(reader) == JSON_STRING;
    struct str text;
    int64_t time_us = 0;

    if (is_text ? !json_read_string(reader, &text) : !json_skip(reader, &text)) {
        return false;
    }
    if (has_own || str_equal(text, STR("null"))) {
        return true;
    }
    if (!number_read_time(text, &time_us)) {
        fields_reject(fields, "time", "time is neither an epoch nor RFC 3339");
    }
    draft->time_us = time_us;
    draft->has_time = true;
    return true;
}

static enum err read_full(struct ingest_fields *fields, struct str text)
{
    struct op *op = fields->columns->op;
    bool has_own = fields->columns->draft.has_time;
    struct json_reader reader;
    struct str name;

    json_reader_init(&reader, text, op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_OBJECT) {
        return fail(op, ERR_INVALID, "%s", NOT_AN_OBJECT);
    }
    (void)json_enter_object(&reader);
    while (json_next_member(&reader, &name)) {
        enum json_type type = json_peek(&reader);
        if (type == JSON_OBJECT || type == JSON_ARRAY) {
            return fail(op, ERR_INVALID, "%s", NOT_AN_OBJECT);
        }
        if (str_equal_nocase(name, STR("time"))
                ? !read_time_member(fields, &reader, has_own)
                : !fields_read(fields, emoncms_name(op->arena, name), &reader)) {
            break;
        }
    }
    return !reader.error && json_at_end(&reader)
               ? OK
               : fail(op, ERR_MALFORMED, "%s: %s at byte %zu", NOT_AN_OBJECT,
                      reader.error ? reader.error : "more after it", json_offset(&reader));
}

/* ---- the request ---- */

/* The node: of the path (its ".json" is the answer's form), of the field, of a bound token; emoncms
 * takes 0 for none. */
static struct str read_node(struct http_request *request, const struct ingest_columns *columns)
{
    const struct str json = STR(".json");
    struct str node = http_capture(request, "node");
    struct str name;

    if (node.ptr && node.len > json.len &&
        str_equal((struct str){ node.ptr + node.len - json.len, json.len }, json)) {
        node.len -= json.len;
    }
    if (!node.ptr) {
        node = http_field(request, "node");
    }
    name = emoncms_name(request->op->arena, node);
    if (name.len > 0) {
        return name;
    }
    return columns->rules.is_device_bound ? columns->rules.device : STR("0");
}

static bool read_time(struct http_request *request, struct ingest_fields *fields)
{
    struct ingest_draft *draft = &fields->columns->draft;
    struct str text = str_trim(http_field(request, "time"));

    if (text.len == 0) {
        return true;
    }
    draft->has_time = number_read_time(text, &draft->time_us);
    if (!draft->has_time) {
        fields_reject(fields, "time", "time is neither an epoch nor RFC 3339");
    }
    return draft->has_time;
}

static struct str find_loose(const struct http_request *request)
{
    static const char *const names[] = { "json", "csv", "data" };
    struct str text = { NULL, 0 };

    for (size_t i = 0; i < sizeof names / sizeof *names && text.len == 0; i++) {
        text = http_field(request, names[i]);
    }
    return text;
}

static enum err parse_post(struct http_request *request, struct str body,
                           struct ingest_columns *columns)
{
    struct ingest_fields fields;
    enum err err = http_read_form(request, MAX_INGEST_BODY_BYTES);

    (void)body;
    if (err) {
        return err;
    }
    struct str full = http_field(request, "fulljson");
    struct str text = full.len > 0 ? full : find_loose(request);
    if (text.len == 0) {
        return fail(request->op, ERR_INVALID, "%s", NOTHING_SENT);
    }
    struct ingest_draft *draft = columns_begin(columns, 0);
    if (!draft) {
        return columns->broken;
    }
    fields_begin(&fields, columns);
    draft->device = read_node(request, columns);
    if (!read_time(request, &fields)) {
        return OK;
    }
    err = full.len > 0 ? read_full(&fields, full) : read_loose(&fields, text);
    if (!err) {
        fields_end(&fields);
    }
    return err ? err : columns->broken;
}

const struct ingest_format ingest_format_emoncms_post = {
    .name = "emoncms",
    .credentials = CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_EMONCMS,
    .max_events = 1,
    .parse = parse_post,
    .answer = emoncms_answer,
    .answer_error = emoncms_answer_error,
};
