/* Reads the JSON object of an admin's request. Called by the api_*.c handlers that change
 * something. */
#include "web/body.h"

#include "base/clock.h"

#include <inttypes.h>

/* ---- reading ---- */

static enum err check_type(const struct web *web)
{
    const struct http_request *request = web->request;

    if (str_equal(request->content_type, STR("application/json")) ||
        (request->method == HTTP_PATCH &&
         str_equal(request->content_type, STR("application/merge-patch+json")))) {
        return OK;
    }
    return fail(web->op, ERR_MEDIA_TYPE, "The body must be application/json.");
}

static bool read_value(struct json_reader *reader, struct body_member *member)
{
    member->type = json_peek(reader);
    if (member->type == JSON_STRING) {
        return json_read_string(reader, &member->text);
    }
    if (member->type == JSON_NUMBER) {
        return json_read_number(reader, &member->number, &member->raw);
    }
    return json_skip(reader, &member->raw);
}

static int index_of(const struct body *body, struct str name)
{
    for (int i = 0; i < body->n; i++) {
        if (str_equal(body->members[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static void add_error(struct body *body, const char *field, const char *detail)
{
    if (body->n_errors < BODY_MAX_ERRORS) {
        body->errors[body->n_errors++] = (struct http_item_error){ -1, field, detail };
    }
}

static enum err read_members(struct body *body, struct json_reader *reader)
{
    struct op *op = body->web->op;
    struct str name;

    while (json_next_member(reader, &name)) {
        struct body_member member = { .name = name };
        if (!read_value(reader, &member)) {
            break;
        }
        if (index_of(body, name) >= 0) {
            add_error(body, arena_copy(op->arena, name), "is there twice");
        } else if (body->n == BODY_MAX_MEMBERS) {
            return fail(op, ERR_INVALID, "The body has more than %d members.", BODY_MAX_MEMBERS);
        } else {
            body->members[body->n++] = member;
        }
    }
    return OK;
}

enum err body_read(struct web *web, struct body *out)
{
    struct op *op = web->op;
    struct json_reader reader;
    struct str text;

    *out = (struct body){ .web = web };
    enum err err = check_type(web);
    if (err == OK) {
        err = http_read_decoded_body(web->request, web->max_body, &text);
    }
    if (err != OK) {
        return err;
    }
    json_reader_init(&reader, text, op->arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_OBJECT && !reader.error) {
        return fail(op, ERR_MALFORMED, "The body must be a JSON object.");
    }
    if (json_enter_object(&reader)) {
        err = read_members(out, &reader);
    }
    if (err == OK && !json_at_end(&reader)) {
        return fail(op, ERR_MALFORMED, "The body is not JSON: %s at byte %zu.",
                    reader.error ? reader.error : "more follows the object",
                    json_offset(&reader));
    }
    return err;
}

/* ---- members ---- */

/* The member that a getter asks for; NULL when absent. */
static const struct body_member *ask(struct body *body, const char *name)
{
    int i = index_of(body, str_of(name));

    if (i < 0) {
        return NULL;
    }
    body->members[i].is_known = true;
    return &body->members[i];
}

bool body_has(const struct body *body, const char *name)
{
    return index_of(body, str_of(name)) >= 0;
}

bool body_is_null(struct body *body, const char *name)
{
    int i = index_of(body, str_of(name));

    return i >= 0 && body->members[i].type == JSON_NULL && ask(body, name) != NULL;
}

void body_refuse(struct body *body, const char *name, const char *detail)
{
    add_error(body, name, detail);
}

void body_require(struct body *body, const char *name)
{
    if (!body_has(body, name)) {
        add_error(body, name, "must be given");
    }
}

struct str body_text(struct body *body, const char *name, size_t min, size_t max)
{
    static const struct str NONE = { NULL, 0 };
    const struct body_member *member = ask(body, name);

    if (!member || member->type == JSON_NULL) {
        if (member) {
            add_error(body, name, "must be a text, not null");
        }
        return NONE;
    }
    if (member->type != JSON_STRING) {
        add_error(body, name, "must be a text");
        return NONE;
    }
    if (member->text.len < min || member->text.len > max) {
        add_error(body, name, arena_printf(body->web->op->arena,
                                           "must be of %zu to %zu bytes", min, max));
        return NONE;
    }
    /* an empty text is a view with a pointer: there, and not absent */
    return member->text.ptr ? member->text : STR("");
}

/* "must be one of a, b, c" */
static const char *choice_detail(const struct body *body, const char *const *choices, int n)
{
    struct buf text;

    buf_init(&text, body->web->op->arena, 1024);
    buf_add_text(&text, "must be one of ");
    for (int i = 0; i < n; i++) {
        buf_add_text(&text, i > 0 ? ", " : "");
        buf_add_text(&text, choices[i]);
    }
    buf_add_char(&text, '\0');
    return text.is_broken ? "is none of the choices" : text.data;
}

int body_choice(struct body *body, const char *name, const char *const *choices, int n_choices)
{
    const struct body_member *member = ask(body, name);

    if (!member) {
        return -1;
    }
    for (int i = 0; member->type == JSON_STRING && i < n_choices; i++) {
        if (str_equal(member->text, str_of(choices[i]))) {
            return i;
        }
    }
    add_error(body, name, choice_detail(body, choices, n_choices));
    return -1;
}

int64_t body_int(struct body *body, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    const struct body_member *member = ask(body, name);
    long long value;

    if (!member) {
        return fallback;
    }
    if (member->type != JSON_NUMBER || !str_to_int64(member->raw, &value) || value < min ||
        value > max) {
        add_error(body, name, arena_printf(body->web->op->arena,
                                           "must be an integer from %" PRId64 " to %" PRId64,
                                           min, max));
        return fallback;
    }
    return value;
}

struct str body_number(struct body *body, const char *name, double *value)
{
    static const struct str NONE = { NULL, 0 };
    const struct body_member *member = ask(body, name);

    if (!member) {
        return NONE;
    }
    if (member->type != JSON_NUMBER || !__builtin_isfinite(member->number)) {
        add_error(body, name, "must be a finite number");
        return NONE;
    }
    *value = member->number;
    return member->raw;
}

struct str body_decimal(struct body *body, const char *name, double *value)
{
    static const struct str NONE = { NULL, 0 };
    const struct body_member *member = ask(body, name);
    struct json_reader reader;
    struct str text;
    double number;

    if (!member || member->type != JSON_STRING) {
        return body_number(body, name, value);
    }
    json_reader_init(&reader, member->text, body->web->op->arena, 1);
    if (member->text.len == 0 || !json_read_number(&reader, &number, &text) ||
        !json_at_end(&reader) || text.len != member->text.len || !__builtin_isfinite(number)) {
        add_error(body, name, "must be a finite number, or a text of one");
        return NONE;
    }
    *value = number;
    return text;
}

bool body_bool(struct body *body, const char *name, bool fallback)
{
    const struct body_member *member = ask(body, name);

    if (!member) {
        return fallback;
    }
    if (member->type != JSON_TRUE && member->type != JSON_FALSE) {
        add_error(body, name, "must be true or false");
        return fallback;
    }
    return member->type == JSON_TRUE;
}

int64_t body_time(struct body *body, const char *name, int64_t fallback_us)
{
    const struct body_member *member = ask(body, name);
    int64_t time_us;

    if (!member) {
        return fallback_us;
    }
    struct str text = member->type == JSON_STRING ? member->text : member->raw;
    if ((member->type != JSON_STRING && member->type != JSON_NUMBER) ||
        !clock_parse(text, &time_us)) {
        add_error(body, name, "must be an RFC 3339 time or an integer epoch");
        return fallback_us;
    }
    return time_us;
}

struct str body_object(struct body *body, const char *name, size_t max)
{
    static const struct str NONE = { NULL, 0 };
    const struct body_member *member = ask(body, name);

    if (!member) {
        return NONE;
    }
    if (member->type != JSON_OBJECT) {
        add_error(body, name, "must be an object");
        return NONE;
    }
    if (member->raw.len > max) {
        add_error(body, name, arena_printf(body->web->op->arena,
                                           "must be of at most %zu bytes", max));
        return NONE;
    }
    return member->raw;
}

/* ---- the end ---- */

enum err body_finish(struct body *body)
{
    struct op *op = body->web->op;

    for (int i = 0; i < body->n; i++) {
        if (!body->members[i].is_known) {
            add_error(body, arena_copy(op->arena, body->members[i].name), "is not known here");
        }
    }
    if (body->n_errors == 0) {
        return OK;
    }
    struct http_item_error *errors = arena_array(op->arena, (size_t)body->n_errors, sizeof *errors);
    if (!errors) {
        return fail_memory(op);
    }
    memcpy(errors, body->errors, (size_t)body->n_errors * sizeof *errors);
    body->web->response->errors = errors;
    body->web->response->n_errors = body->n_errors;
    if (body->n_errors > 1) {
        return fail(op, ERR_INVALID, "%d things are wrong with the body.", body->n_errors);
    }
    return fail(op, ERR_INVALID, "%s: %s", errors[0].field, errors[0].detail);
}
