/* Forms of rate schedules: their fields as posted, and what is wrong beside them. Called by
 * page_rate_edit.c. */
#include "web/rate_form.h"

#include "web/form_input.h"
#include "web/rate_form_terms.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_NAME, HEAD_DESCRIPTION, HEAD_SOURCE, HEAD_ZONE, HEAD_CURRENCY, HEAD_FROM, HEAD_TO };

void rate_form_init(struct rate_form *form)
{
    *form = (struct rate_form){ .n_seasons = 0 };
    form->head[HEAD_NAME] = (struct field_view){ .name = "name", .label = "Name", .type = "text",
                                                 .is_required = true };
    form->head[HEAD_DESCRIPTION] = (struct field_view){
        .name = "description", .label = "Description", .type = "text", .max_bytes = 2000,
    };
    form->head[HEAD_SOURCE] = (struct field_view){
        .name = "source", .label = "Source", .type = "text", .max_bytes = 2000,
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
    form->other = (struct field_view){
        .name = "other", .label = "Other members", .type = "textarea", .rows = 5,
        .is_code = true, .max_bytes = MAX_LIST_BODY_BYTES,
        .hint = "A JSON object: demand_windows and export_windows, where they differ from the "
                "rules.",
    };
    rate_form_terms_init(form);
}

/* ---- what was posted ---- */

const char *rate_cell(const struct web *web, const char *table, int row, const char *column)
{
    char *name = arena_printf(web->op->arena, "%s%d_%s", table, row, column);
    struct str value = name ? str_trim(web_form(web, name)) : (struct str){ NULL, 0 };
    const char *copy = value.len > 0 ? arena_copy(web->op->arena, value) : "";

    return copy ? copy : "";
}

static void take_rules(const struct web *web, struct rate_form *form)
{
    for (int i = 0; i < EDITOR_RULES; i++) {
        const struct rule_row row = {
            rate_cell(web, "w", i, "period"), rate_cell(web, "w", i, "seasons"),
            rate_cell(web, "w", i, "days"),   rate_cell(web, "w", i, "from"),
            rate_cell(web, "w", i, "to"),     NULL,
        };
        form->rules[i] = row;
        if (row.period[0] || row.seasons[0] || row.days[0] || row.from[0] || row.to[0]) {
            form->n_rules = i + 1;
        }
    }
}

static void take_charges(const struct web *web, struct rate_form *form)
{
    for (int i = 0; i < EDITOR_CHARGES; i++) {
        const struct charge_row row = {
            .type = rate_cell(web, "c", i, "type"),     .name = rate_cell(web, "c", i, "name"),
            .season = rate_cell(web, "c", i, "season"), .period = rate_cell(web, "c", i, "period"),
            .price = rate_cell(web, "c", i, "price"),   .per = rate_cell(web, "c", i, "per"),
            .of = rate_cell(web, "c", i, "of"),         .more = rate_cell(web, "c", i, "more"),
        };
        form->charges[i] = row;
        if (row.type[0] || row.name[0] || row.price[0]) {
            form->n_charges = i + 1;
        }
    }
}

void rate_form_take(const struct web *web, struct rate_form *form)
{
    (void)form_take(web, form->head, EDITOR_HEAD);
    (void)form_take(web, &form->other, 1);
    for (int i = 0; i < EDITOR_SEASONS; i++) {
        const struct season_row row = {
            rate_cell(web, "s", i, "name"), rate_cell(web, "s", i, "title"),
            rate_cell(web, "s", i, "from"), rate_cell(web, "s", i, "to"), NULL,
        };
        form->seasons[i] = row;
        form->n_seasons = row.name[0] || row.from[0] || row.to[0] ? i + 1 : form->n_seasons;
    }
    for (int i = 0; i < EDITOR_PERIODS; i++) {
        const struct period_row row = {
            rate_cell(web, "p", i, "name"), rate_cell(web, "p", i, "title"), NULL,
        };
        form->periods[i] = row;
        form->n_periods = row.name[0] || row.title[0] ? i + 1 : form->n_periods;
    }
    take_rules(web, form);
    take_charges(web, form);
    rate_form_terms_take(web, form);
}

static int more(int n, int by, int most)
{
    return n + by < most ? n + by : most;
}

void rate_form_pad(struct rate_form *form)
{
    form->n_seasons = more(form->n_seasons, form->n_seasons == 0 ? 2 : 1, EDITOR_SEASONS);
    form->n_periods = more(form->n_periods, 1, EDITOR_PERIODS);
    form->n_rules = more(form->n_rules, 2, EDITOR_RULES);
    form->n_charges = more(form->n_charges, 2, EDITOR_CHARGES);
    form->n_holidays = more(form->n_holidays, 2, EDITOR_HOLIDAYS);
    form->n_baselines = more(form->n_baselines, 1, EDITOR_BASELINES);
    form->n_series = more(form->n_series, 1, EDITOR_SERIES);
}

/* ---- what is wrong ---- */

/* Whether the field is the pointer or lies below it. */
static bool is_below(const char *field, const char *pointer)
{
    size_t len = pointer ? strlen(pointer) : 0;

    return pointer && strncmp(field, pointer, len) == 0 &&
           (field[len] == '\0' || field[len] == '/');
}

static void add_error(struct arena *arena, const char **error, const char *what,
                      const char *detail)
{
    const char *text = what[0] ? arena_printf(arena, "%s %s", what, detail)
                               : arena_copy(arena, str_of(detail));
    const char *all = *error && text ? arena_printf(arena, "%s; %s", *error, text) : text;

    *error = all ? all : *error;
}

/* What of the row is meant: "from", "rate". */
static const char *last_word(const char *field, const char *pointer)
{
    const char *slash = strrchr(field, '/');

    return slash && strlen(field) > strlen(pointer) ? slash + 1 : "";
}

static bool blame_place(struct arena *arena, const char *pointer, const struct problem *problem,
                        const char **error)
{
    bool is_here = is_below(problem->field, pointer);

    if (is_here) {
        add_error(arena, error, last_word(problem->field, pointer), problem->detail);
    }
    return is_here;
}

/* What is wrong with a charge as a whole stands beside its first price. */
static bool blame_charge(struct arena *arena, struct rate_form *form,
                         const struct rate_form_places *places, const struct problem *problem)
{
    for (int i = 0; i < EDITOR_CHARGES; i++) {
        if (blame_place(arena, places->charges[i].also, problem, &form->charges[i].error)) {
            return true;
        }
    }
    return false;
}

/* Rows of one kind: where each stands, and the first one's error. */
struct blamed {
    const struct rate_form_place *places;
    const char **error;
    size_t row_bytes;
    int n;
};

static bool blame_rows(struct arena *arena, struct rate_form *form,
                       const struct rate_form_places *places, const struct problem *problem)
{
    const struct blamed kinds[] = {
        { places->charges, &form->charges->error, sizeof *form->charges, EDITOR_CHARGES },
        { places->rules, &form->rules->error, sizeof *form->rules, EDITOR_RULES },
        { places->periods, &form->periods->error, sizeof *form->periods, EDITOR_PERIODS },
        { places->seasons, &form->seasons->error, sizeof *form->seasons, EDITOR_SEASONS },
        { places->holidays, &form->holidays->error, sizeof *form->holidays, EDITOR_HOLIDAYS },
        { places->baselines, &form->baselines->error, sizeof *form->baselines, EDITOR_BASELINES },
        { places->series, &form->series->error, sizeof *form->series, EDITOR_SERIES },
    };

    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        for (int i = 0; i < kinds[kind].n; i++) {
            void *error = (char *)kinds[kind].error + (size_t)i * kinds[kind].row_bytes;
            if (blame_place(arena, kinds[kind].places[i].pointer, problem, error)) {
                return true;
            }
        }
    }
    return blame_charge(arena, form, places, problem);
}

static bool blame_field(struct arena *arena, struct rate_form *form, const struct problem *problem)
{
    struct field_view *field = rate_form_terms_field(form, problem->field);

    for (int i = 0; i < EDITOR_HEAD; i++) {
        if (problem->field[0] == '/' && strcmp(problem->field + 1, form->head[i].name) == 0) {
            field = &form->head[i];
        }
    }
    if (field) {
        add_error(arena, &field->error, "This", problem->detail);
    }
    return field != NULL;
}

int rate_form_blame(struct arena *arena, struct rate_form *form,
                    const struct rate_form_places *places, const struct problems *problems,
                    struct rate_wrong *rest)
{
    int n = 0;

    for (int i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->items[i];
        if (!blame_rows(arena, form, places, problem) && !blame_field(arena, form, problem)) {
            rest[n++] = (struct rate_wrong){ problem->field, problem->detail };
        }
    }
    return n;
}
