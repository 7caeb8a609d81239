/* Forms of rate schedules: their fields as posted, and what is wrong beside them. Called by
 * page_rate_edit.c. */
#include "web/rate_form.h"

#include "web/form_input.h"
#include "web/rate_form_rows.h"
#include "web/rate_form_terms.h"

#include <ctype.h>
#include <string.h>

enum { HEAD_NAME, HEAD_DESCRIPTION, HEAD_SOURCE, HEAD_ZONE, HEAD_CURRENCY, HEAD_FROM, HEAD_TO };

void rate_form_init(struct rate_form *form)
{
    *form = (struct rate_form){ .head = { { .id = NULL } } };
    form->head[HEAD_NAME] = (struct field_view){ .name = "name", .label = "Name", .type = "text",
                                                 .is_required = true };
    form->head[HEAD_DESCRIPTION] = (struct field_view){
        .name = "description", .label = "Description", .type = "textarea", .rows = 2,
        .max_bytes = 2000,
    };
    form->head[HEAD_SOURCE] = (struct field_view){
        .name = "source", .label = "Source", .type = "textarea", .rows = 2, .max_bytes = 2000,
        .hint = "Where its figures come from.",
    };
    form->head[HEAD_ZONE] = (struct field_view){
        .name = "timezone", .label = "Time zone", .type = "text", .is_required = true,
        .hint = "Such as Europe/Berlin: its days, rules and billing cycles are local by it.",
    };
    form->head[HEAD_CURRENCY] = (struct field_view){
        .name = "currency", .label = "Currency", .type = "text", .is_required = true,
        .hint = "Its code, such as EUR.",
    };
    form->head[HEAD_FROM] = (struct field_view){
        .name = "valid_from", .label = "Valid from", .type = "date",
        .hint = "This version’s first day. Empty: always.",
    };
    form->head[HEAD_TO] = (struct field_view){
        .name = "valid_to", .label = "Until before", .type = "date", .hint = "Empty: open.",
    };
    rate_rows_init(form);
    rate_form_terms_init(form);
}

/* ---- what was posted ---- */

static bool is_lines(const struct field_view *field)
{
    return strcmp(field->type, "textarea") == 0;
}

/* Browsers end the lines of a textarea with CR LF, which count for one byte. */
static void join_lines(const struct web *web, struct field_view *field)
{
    char *text = arena_copy(web->op->arena, str_trim(str_of(field->value)));
    size_t n = 0;

    for (size_t i = 0; text && text[i]; i++) {
        if (text[i] != '\r') {
            text[n++] = text[i];
        }
    }
    if (text) {
        text[n] = '\0';
        field->value = text;
        form_check(web, field);
    }
}

/* A select that was not posted is at its first choice. */
static bool take_fields(const struct web *web, struct field_view *fields, int n)
{
    (void)form_take(web, fields, n);
    for (int i = 0; i < n; i++) {
        struct field_view *field = &fields[i];
        if (is_lines(field)) {
            join_lines(web, field);
        } else if (strcmp(field->type, "select") == 0 && field->value[0] == '\0') {
            field->value = field->choices[0].value;
            form_check(web, field);
        }
    }
    return form_is_good(fields, n);
}

bool rate_form_take(const struct web *web, struct rate_form *form)
{
    bool is_good = take_fields(web, form->head, EDITOR_HEAD);

    is_good = take_fields(web, form->bill, EDITOR_BILL) && is_good;
    rate_rows_take(web, form);
    return is_good;
}

/* ---- what is shown ---- */

static bool are_typed(const struct web *web, const struct field_view *fields, int n)
{
    for (int i = 0; i < n; i++) {
        struct field_view field = fields[i];
        field.value = field.value ? field.value : "";
        form_check(web, &field);
        if (field.error || !rate_text_is_typed(field.value, is_lines(&field))) {
            return false;
        }
    }
    return true;
}

bool rate_form_is_typed(const struct web *web, const struct rate_form *form)
{
    return are_typed(web, form->head, EDITOR_HEAD) && are_typed(web, form->bill, EDITOR_BILL) &&
           rate_rows_are_typed(form);
}

/* ---- what is wrong ---- */

/* Whether the field is the pointer or lies below it. */
static bool is_below(const char *field, const char *pointer)
{
    size_t len = pointer ? strlen(pointer) : 0;

    return pointer && strncmp(field, pointer, len) == 0 &&
           (field[len] == '\0' || field[len] == '/');
}

/* What is there already is not said twice. */
static void add_error(struct arena *arena, const char **error, struct str what,
                      const char *detail)
{
    const char *text = what.len > 0
                           ? arena_printf(arena, "%.*s %s", (int)what.len, what.ptr, detail)
                           : arena_copy(arena, str_of(detail));
    if (*error && text && strstr(*error, text)) {
        return;
    }
    const char *all = *error && text ? arena_printf(arena, "%s; %s", *error, text) : text;

    *error = all ? all : *error;
}

/* What of the row is meant: "from", "rate"; of a list's third item the list. */
static struct str last_word(const char *field, const char *pointer)
{
    const char *end = field + strlen(field), *from = end;

    while (from > field + strlen(pointer)) {
        while (from[-1] != '/') {
            from--;
        }
        if (!isdigit((unsigned char)*from)) {
            return (struct str){ from, (size_t)(end - from) };
        }
        end = --from;
    }
    return STR("");
}

/* The column behind "More" that a problem below the pointer is of, by the last of its words that
 * names one. */
static const struct column_view *more_column(const struct rows_view *list, const char *field,
                                             const char *pointer)
{
    struct str rest = str_of(field + strlen(pointer));
    const struct column_view *found = NULL;

    while (rest.ptr) {
        struct str word = str_cut(&rest, '/');
        for (int c = list->n_cells; c < list->n_cells + list->n_more; c++) {
            const struct column_view *column = &list->columns[c];
            if (str_equal(word, str_of(column->name)) ||
                (column->key && str_equal(word, str_of(column->key)))) {
                found = column;
            }
        }
    }
    return found;
}

/* A comma between prices parts tiers: of one that is meant as a decimal point the bound is
 * missing. */
static const char BOUND_MISSING[] =
    "of tiers each but the last is such as 0.20 to 100; decimals have a point, not a comma";

static bool is_bound_missing(const struct problem *problem)
{
    size_t len = strlen(problem->field);

    return len > 6 && strcmp(problem->field + len - 6, "/up_to") == 0 &&
           strcmp(problem->detail, "is missing") == 0;
}

static bool blame_row(struct arena *arena, const struct rows_view *list, struct row_view *row,
                      const char *pointer, const struct problem *problem)
{
    if (!is_below(problem->field, pointer)) {
        return false;
    }
    const struct column_view *more = more_column(list, problem->field, pointer);
    if (is_bound_missing(problem)) {
        add_error(arena, &row->error, STR(""), BOUND_MISSING);
    } else if (more) {
        add_error(arena, &row->more_error, str_of(more->label), problem->detail);
    } else {
        add_error(arena, &row->error, last_word(problem->field, pointer), problem->detail);
    }
    return true;
}

/* What is wrong with a charge as a whole stands beside its first price. */
static bool blame_rows(struct arena *arena, struct rate_form *form, const struct problem *problem)
{
    for (int is_also = 0; is_also < 2; is_also++) {
        for (int i = 0; i < EDITOR_LISTS; i++) {
            struct rows_view *list = &form->lists[i];
            for (int r = 0; r < list->n; r++) {
                struct row_view *row = &list->rows[r];
                if (blame_row(arena, list, row, is_also ? row->also : row->pointer, problem)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool blame_field(struct arena *arena, struct rate_form *form, const struct problem *problem)
{
    struct field_view *field = rate_form_terms_field(form, problem->field);

    for (int i = 0; i < EDITOR_HEAD; i++) {
        if (problem->field[0] == '/' && strcmp(problem->field + 1, form->head[i].name) == 0) {
            field = &form->head[i];
        }
    }
    bool is_left_out = field && field->error && field->value[0] == '\0';
    if (field && !is_left_out) { /* that it must be filled in says it */
        add_error(arena, &field->error, STR("This"), problem->detail);
    }
    return field != NULL;
}

/* What is wrong with a list as a whole: days without a season, hours without a period. */
static bool blame_list(struct arena *arena, struct rate_form *form, const struct problem *problem)
{
    for (int i = 0; i < EDITOR_LISTS; i++) {
        struct rows_view *list = &form->lists[i];
        if (problem->field[0] == '/' && strcmp(problem->field + 1, list->key) == 0) {
            add_error(arena, &list->error, STR("These"), problem->detail);
            return true;
        }
    }
    return false;
}

int rate_form_blame(struct arena *arena, struct rate_form *form, const struct problems *problems,
                    struct rate_wrong *rest)
{
    int n = 0;

    for (int i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->items[i];
        if (!blame_rows(arena, form, problem) && !blame_field(arena, form, problem) &&
            !blame_list(arena, form, problem)) {
            rest[n++] = (struct rate_wrong){ problem->field, problem->detail };
        }
    }
    return n;
}
