/* Reads lists of corrections, see the header. Called by web/api_corrections. */
#include "web/correction_input.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/json_number.h"
#include "base/limits.h"

#define CSV_COLUMNS 4 /* time, metric, value, labels */

static const char *const TIME_DETAIL =
    "must be an RFC 3339 time or an integer epoch of the years 1600 to 9999";
static const char *const VALUE_DETAIL = "must be a finite number";

void correction_input_refuse(struct correction_input *input, int index, const char *field,
                             const char *detail)
{
    if (input->n_errors < MAX_ITEM_ERRORS) {
        input->errors[input->n_errors++] = (struct http_item_error){ index, field, detail };
    }
}

/* The item's place, empty; NULL (with the failure) beyond the limit. */
static struct correction *next_item(struct web *web, struct correction_input *input)
{
    if (input->n_items == MAX_CORRECTIONS) {
        (void)fail(web->op, ERR_TOO_LARGE, "The list has more than %d items.", MAX_CORRECTIONS);
        return NULL;
    }
    struct correction *item = &input->list.items[input->list.n];
    *item = (struct correction){ .index = input->n_items++, .time_us = INT64_MIN };
    return item;
}

static bool is_known_time(int64_t time_us)
{
    return time_us >= MIN_SAMPLE_TIME_US && time_us <= CLOCK_MAX_US;
}

/* ---- JSON ---- */

/* What the members of one item said. */
struct members {
    const char *bad, *detail; /* the first that is wrong; NULL: none */
    bool has_value;
};

static void note(struct members *members, const char *name, const char *detail)
{
    if (!members->bad) {
        members->bad = name;
        members->detail = detail;
    }
}

static void read_time(struct json_reader *reader, struct correction *item, struct members *members)
{
    struct str text = { NULL, 0 };
    long long epoch;
    double number;

    if (json_peek(reader) == JSON_STRING) {
        if (json_read_string(reader, &text) &&
            !(clock_parse(text, &item->time_us) && is_known_time(item->time_us))) {
            note(members, "time", TIME_DETAIL);
        }
    } else if (json_peek(reader) == JSON_NUMBER && json_read_number(reader, &number, &text)) {
        item->time_us = str_to_int64(text, &epoch) ? clock_from_epoch(epoch) : INT64_MIN;
        if (!is_known_time(item->time_us)) {
            note(members, "time", TIME_DETAIL);
        }
    } else {
        (void)json_skip(reader, NULL);
        note(members, "time", TIME_DETAIL);
    }
}

static void read_value(struct json_reader *reader, struct correction *item,
                       struct members *members)
{
    bool truth;

    members->has_value = true;
    switch (json_peek(reader)) {
    case JSON_NUMBER:
        if (json_read_number(reader, &item->value, NULL) && !__builtin_isfinite(item->value)) {
            note(members, "value", VALUE_DETAIL);
        }
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        if (json_read_bool(reader, &truth)) {
            item->value = truth;
        }
        break;
    default:
        (void)json_skip(reader, NULL);
        note(members, "value", VALUE_DETAIL);
    }
}

static void read_member(struct json_reader *reader, struct str name, struct correction *item,
                        struct members *members)
{
    if (str_equal(name, STR("time"))) {
        read_time(reader, item, members);
    } else if (str_equal(name, STR("value"))) {
        read_value(reader, item, members);
    } else if (str_equal(name, STR("metric")) && json_peek(reader) == JSON_STRING) {
        (void)json_read_string(reader, &item->metric);
    } else if (str_equal(name, STR("labels")) && json_peek(reader) == JSON_OBJECT) {
        (void)json_skip(reader, &item->labels);
    } else {
        (void)json_skip(reader, NULL);
        if (str_equal(name, STR("metric"))) {
            note(members, "metric", "must be a text");
        } else if (str_equal(name, STR("labels"))) {
            note(members, "labels", "must be an object");
        } else {
            const char *copy = arena_copy(reader->arena, name);
            note(members, copy ? copy : "item", "is not known here");
        }
    }
}

static enum err read_item(struct web *web, struct json_reader *reader,
                          struct correction_input *input)
{
    struct correction *item = next_item(web, input);
    struct members members = { .has_value = false };
    struct str name;

    if (!item) {
        return ERR_TOO_LARGE;
    }
    if (json_peek(reader) != JSON_OBJECT) {
        correction_input_refuse(input, item->index, NULL, "must be an object");
        (void)json_skip(reader, NULL);
        return OK;
    }
    (void)json_enter_object(reader);
    while (json_next_member(reader, &name)) {
        read_member(reader, name, item, &members);
    }
    if (!members.bad && (item->time_us == INT64_MIN || !item->metric.ptr || !members.has_value)) {
        note(&members, item->time_us == INT64_MIN ? "time" : !item->metric.ptr ? "metric" : "value",
             "is missing");
    }
    if (members.bad) {
        correction_input_refuse(input, item->index, members.bad, members.detail);
    } else {
        input->list.n++;
    }
    return OK;
}

static enum err read_items(struct web *web, struct json_reader *reader,
                           struct correction_input *input)
{
    enum err err = OK;

    if (json_peek(reader) != JSON_ARRAY && !reader->error) {
        return fail(web->op, ERR_MALFORMED, "The body must be a list, or have one as \"items\".");
    }
    if (json_enter_array(reader)) {
        while (err == OK && json_next_element(reader)) {
            err = read_item(web, reader, input);
        }
    }
    return err;
}

static enum err read_json(struct web *web, struct str text, struct correction_input *input)
{
    struct json_reader reader;
    struct str name;
    enum err err = OK;

    json_reader_init(&reader, text, web->op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) == JSON_OBJECT && json_enter_object(&reader)) {
        while (err == OK && json_next_member(&reader, &name)) {
            if (!str_equal(name, STR("items"))) {
                return fail(web->op, ERR_INVALID, "The body has \"items\" and no other member.");
            }
            err = read_items(web, &reader, input);
        }
    } else {
        err = read_items(web, &reader, input);
    }
    if (err == OK && !json_at_end(&reader)) {
        return fail(web->op, ERR_MALFORMED, "The body is not JSON: %s at byte %zu.",
                    reader.error ? reader.error : "more follows the list", json_offset(&reader));
    }
    return err;
}

/* ---- CSV ---- */

static bool is_object(struct arena *arena, struct str text)
{
    struct json_reader reader;

    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    return json_peek(&reader) == JSON_OBJECT && json_skip(&reader, NULL) && json_at_end(&reader);
}

static void read_fields(struct arena *arena, const struct str *fields, int n,
                        struct correction *item, struct members *members)
{
    struct str value = n > 2 ? str_trim(fields[2]) : (struct str){ "", 0 };
    const char *end = value.ptr + value.len;

    if (n < 3) {
        note(members, "item", "must have time, metric and value");
        return;
    }
    if (!clock_parse(str_trim(fields[0]), &item->time_us) || !is_known_time(item->time_us)) {
        note(members, "time", TIME_DETAIL);
    }
    item->metric = fields[1];
    if (json_number_read(value.ptr, end, &item->value) != end || value.len == 0 ||
        !__builtin_isfinite(item->value)) {
        note(members, "value", VALUE_DETAIL);
    }
    if (n > 3 && fields[3].len > 0) {
        item->labels = fields[3];
        if (!is_object(arena, fields[3])) {
            note(members, "labels", "must be a JSON object");
        }
    }
}

static enum err read_csv(struct web *web, struct str text, struct correction_input *input)
{
    char *at = arena_copy(web->op->arena, text);
    size_t left = text.len;
    bool is_first = true;

    if (!at) {
        return fail_memory(web->op);
    }
    if (!str_is_utf8(text)) {
        return fail(web->op, ERR_MALFORMED, "The body is not UTF-8.");
    }
    while (left > 0) {
        struct str fields[CSV_COLUMNS];
        struct members members = { .has_value = true };
        unsigned lines;
        size_t len = csv_record((struct str){ at, left }, true, &lines);
        int n = len > 0 ? csv_split(at, len, fields, CSV_COLUMNS) : -1;
        if (n < 0) {
            return fail(web->op, ERR_MALFORMED, "The record after %d others is no CSV of at most "
                        "%d columns.", input->n_items, CSV_COLUMNS);
        }
        at += len;
        left -= len;
        bool is_header = is_first && n > 0 && str_equal_nocase(str_trim(fields[0]), STR("time"));
        is_first = is_first && n == 0;
        if (n == 0 || is_header) {
            continue;
        }
        struct correction *item = next_item(web, input);
        if (!item) {
            return ERR_TOO_LARGE;
        }
        read_fields(web->op->arena, fields, n, item, &members);
        if (members.bad) {
            correction_input_refuse(input, item->index, members.bad, members.detail);
        } else {
            input->list.n++;
        }
    }
    return OK;
}

enum err correction_input_read(struct web *web, struct correction_input *out)
{
    bool is_csv = str_equal(web->request->content_type, STR("text/csv"));
    struct str text;

    *out = (struct correction_input){ .n_items = 0 };
    if (!is_csv && !str_equal(web->request->content_type, STR("application/json"))) {
        return fail(web->op, ERR_MEDIA_TYPE, "The body must be application/json or text/csv.");
    }
    out->list.items = arena_array(web->op->arena, MAX_CORRECTIONS, sizeof *out->list.items);
    if (!out->list.items) {
        return fail_memory(web->op);
    }
    enum err err = http_read_decoded_body(web->request, web->max_body, &text);
    if (err == OK) {
        err = is_csv ? read_csv(web, text, out) : read_json(web, text, out);
    }
    if (err == OK && out->n_items == 0) {
        err = fail(web->op, ERR_INVALID, "The list is empty.");
    }
    return err;
}
