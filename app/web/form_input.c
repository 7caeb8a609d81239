/* Fields of pages' forms, see the header. Called by page_*.c. */
#include "web/form_input.h"

#include <assert.h>

#define DEFAULT_MAX_BYTES 200

static bool is_type(const struct field_view *field, const char *type)
{
    return strcmp(field->type, type) == 0;
}

static const char *check(const struct web *web, const struct field_view *field)
{
    size_t max = field->max_bytes > 0 ? field->max_bytes : DEFAULT_MAX_BYTES;

    if (field->value[0] == '\0' && field->is_required) {
        return "This must be filled in.";
    }
    if (strlen(field->value) > max) {
        const char *text = arena_printf(web->op->arena, "This is longer than %zu bytes.", max);
        return text ? text : "This is too long.";
    }
    for (int i = 0; is_type(field, "select") && i <= field->n_choices; i++) {
        if (i == field->n_choices) {
            return "Choose one of the options.";
        }
        if (strcmp(field->choices[i].value, field->value) == 0) {
            break;
        }
    }
    return NULL;
}

bool form_take(const struct web *web, struct field_view *fields, int n)
{
    for (int i = 0; i < n; i++) {
        struct field_view *field = &fields[i];
        struct str text = web_form(web, field->name);
        if (!is_type(field, "textarea") && !is_type(field, "password")) {
            text = str_trim(text);
        }
        const char *value = arena_copy(web->op->arena, text);
        field->error = NULL;
        if (!value) {
            field->value = "";
            field->error = "This could not be read.";
            continue;
        }
        if (!field->is_fixed) {
            field->value = value;
            field->error = check(web, field);
        }
    }
    return form_is_good(fields, n);
}

void form_check(const struct web *web, struct field_view *field)
{
    field->error = check(web, field);
}

struct field_view *form_field(struct field_view *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    assert(false && "a form has the fields that its handler asks for");
    return fields;
}

struct str form_value(struct field_view *fields, int n, const char *name)
{
    const char *value = form_field(fields, n, name)->value;

    return value && value[0] != '\0' ? str_of(value) : (struct str){ NULL, 0 };
}

void form_refuse(struct field_view *fields, int n, const char *name, const char *error)
{
    struct field_view *field = form_field(fields, n, name);

    if (!field->error) {
        field->error = error ? error : "This is not right.";
    }
}

bool form_is_good(const struct field_view *fields, int n)
{
    for (int i = 0; i < n; i++) {
        if (fields[i].error) {
            return false;
        }
    }
    return true;
}

struct notice_view form_rejected(struct web *web, const struct field_view *fields, int n)
{
    int n_wrong = 0;

    for (int i = 0; i < n; i++) {
        n_wrong += fields[i].error != NULL;
    }
    web->response->status = 422;
    return (struct notice_view){
        .text = n_wrong > 1 ? "Nothing was saved. Some fields need another look."
                            : "Nothing was saved. One field needs another look.",
        .tone = "bad",
    };
}

struct notice_view form_notice(const struct web *web, const struct form_outcome *outcomes, int n)
{
    struct str word = http_query(web->request, "done");

    for (int i = 0; word.len > 0 && i < n; i++) {
        if (str_equal(word, str_of(outcomes[i].word))) {
            return (struct notice_view){ outcomes[i].sentence, "good" };
        }
    }
    return (struct notice_view){ NULL, "good" };
}

enum err form_done(struct web *web, const char *path, const char *word)
{
    const char *location = path ? arena_printf(web->op->arena, "%s?done=%s", path, word) : NULL;

    if (!location) {
        return fail_memory(web->op);
    }
    http_redirect(web->response, location);
    return OK;
}
