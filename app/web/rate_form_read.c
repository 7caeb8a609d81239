/* Reads a rate schedule's document into its form. Called by page_rate_edit.c. */
#include "web/rate_form.h"

#include "base/json.h"
#include "web/rate_form_day.h"
#include "web/rate_form_json.h"
#include "web/rate_form_rows.h"
#include "web/rate_form_terms.h"

#include <string.h>

#define MAX_DEPTH 16

struct reading {
    struct op *op;
    struct json_reader json;
    struct rate_form *form;
    bool is_too_long;       /* there is more than the form has room for */
    char *codes;            /* of the charges so far, "energy, fixed" */
    struct row_view spare;  /* of one too many */
};

static const char *scalar(struct reading *reading)
{
    return form_json_scalar(&reading->json, reading->op->arena);
}

static struct row_view *next_charge(struct reading *reading)
{
    struct rows_view *list = &reading->form->lists[EDITOR_CHARGES];
    struct row_view *row = rate_rows_add(list);

    if (!row) {
        reading->is_too_long = true;
        reading->spare = list->rows[0];
        row = &reading->spare;
    }
    return row;
}

/* ---- prices ---- */

/* "0.20 to 100, 0.30" */
static const char *read_tiers(struct reading *reading)
{
    struct arena *arena = reading->op->arena;
    char *all = NULL;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json);) {
        const char *rate = "", *limit = NULL;
        form_json_row(&reading->json, arena,
                      (const struct form_column[]){ { "rate", &rate, NULL },
                                                    { "up_to", &limit, NULL },
                                                    { NULL, NULL, NULL } });
        const char *tier = limit ? arena_printf(arena, "%s to %s", rate, limit) : rate;
        tier = tier ? tier : "";
        all = all ? arena_printf(arena, "%s, %s", all, tier) : arena_copy(arena, str_of(tier));
    }
    return all ? all : "";
}

/* The members of a price by time, as they come. */
struct price_by_time {
    const char *series, *factor, *add; /* NULL: there is none */
};

/* A member of a price; false where it is none. */
static bool read_price_member(struct reading *reading, struct row_view *row, struct str key,
                              struct price_by_time *by_time)
{
    const struct { const char *key; const char **value; } texts[] = {
        { "rate", &row->values[CHARGE_PRICE] },    { "amount", &row->values[CHARGE_PRICE] },
        { "percent", &row->values[CHARGE_PRICE] }, { "season", &row->values[CHARGE_SEASON] },
        { "period", &row->values[CHARGE_PERIOD] }, { "series", &by_time->series },
        { "factor", &by_time->factor },            { "add", &by_time->add },
    };

    if (str_equal(key, STR("tiers"))) {
        row->values[CHARGE_PRICE] = read_tiers(reading);
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_equal(key, str_of(texts[i].key))) {
            *texts[i].value = scalar(reading);
            return true;
        }
    }
    return false;
}

static void keep_by_time(struct reading *reading, struct row_view *row,
                         const struct price_by_time *price)
{
    const char *text = price->series ? series_price_text(reading->op->arena, price->series,
                                                         price->factor, price->add)
                                     : NULL;

    row->values[CHARGE_PRICE] = text ? text : row->values[CHARGE_PRICE];
}

/* The rows of a charge's prices: the first is the charge's own. */
static void read_prices(struct reading *reading, struct row_view *first)
{
    struct str key;
    bool is_first = true;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json); is_first = false) {
        struct row_view *row = is_first ? first : next_charge(reading);
        struct price_by_time by_time = { NULL, NULL, NULL };
        row->values[CHARGE_TYPE] = first->values[CHARGE_TYPE];
        row->values[CHARGE_NAME] = first->values[CHARGE_NAME];
        for (bool is_object = json_enter_object(&reading->json);
             is_object && json_next_member(&reading->json, &key);) {
            if (!read_price_member(reading, row, key, &by_time)) {
                (void)json_skip(&reading->json, NULL);
            }
        }
        keep_by_time(reading, row, &by_time);
    }
}

/* ---- charges ---- */

/* All charges before it are what a percentage is of where nothing is said. */
static void add_code(struct reading *reading, struct row_view *row)
{
    struct arena *arena = reading->op->arena;
    const char *type = row->values[CHARGE_TYPE], *name = row->values[CHARGE_NAME];
    const char *code = name[0] ? arena_printf(arena, "%s:%s", type, name) : type;

    if (reading->codes && strcmp(row->values[CHARGE_OF], reading->codes) == 0) {
        row->values[CHARGE_OF] = "";
    }
    reading->codes = reading->codes ? arena_printf(arena, "%s, %s", reading->codes, code)
                                    : arena_copy(arena, str_of(code ? code : ""));
}

/* A member that a column behind "More" is, or several are. */
static bool read_more(struct reading *reading, struct row_view *row, struct str key)
{
    const struct rows_view *list = &reading->form->lists[EDITOR_CHARGES];
    struct json_reader *json = &reading->json;
    struct arena *arena = reading->op->arena;

    if (str_equal(key, STR("ratchet"))) {
        form_json_row(json, arena,
                      (const struct form_column[]){
                          { "percent", &row->values[CHARGE_RATCHET], NULL },
                          { "cycles", &row->values[CHARGE_CYCLES], NULL },
                          { NULL, NULL, NULL } });
        return true;
    }
    for (int c = list->n_cells; c < list->n_cells + list->n_more; c++) {
        const struct column_view *column = &list->columns[c];
        if (column->key && str_equal(key, str_of(column->key))) {
            row->values[c] = column->mark ? form_json_list(json, arena, column->mark)
                                          : form_json_scalar(json, arena);
            return true;
        }
    }
    return false;
}

static void read_charge(struct reading *reading)
{
    struct row_view *row = next_charge(reading);
    struct price_by_time by_time = { NULL, NULL, NULL };
    struct str key;

    for (bool is_in = json_enter_object(&reading->json);
         is_in && json_next_member(&reading->json, &key);) {
        if (str_equal(key, STR("type"))) {
            row->values[CHARGE_TYPE] = scalar(reading);
        } else if (str_equal(key, STR("name"))) {
            row->values[CHARGE_NAME] = scalar(reading);
        } else if (str_equal(key, STR("per"))) {
            row->values[CHARGE_PER] = scalar(reading);
        } else if (str_equal(key, STR("on"))) {
            row->values[CHARGE_OF] = form_json_list(&reading->json, reading->op->arena, ", ");
        } else if (str_equal(key, STR("prices"))) {
            read_prices(reading, row);
        } else if (!read_more(reading, row, key) &&
                   !read_price_member(reading, row, key, &by_time)) {
            (void)json_skip(&reading->json, NULL);
        } else if (str_equal(key, STR("percent"))) {
            row->values[CHARGE_PRICE] =
                arena_printf(reading->op->arena, "%s %%", row->values[CHARGE_PRICE]);
        }
    }
    keep_by_time(reading, row, &by_time);
    add_code(reading, row);
}

/* ---- all of it ---- */

/* A text of the head; false where it is none. */
static bool read_head(struct reading *reading, struct str key)
{
    for (int i = 0; i < EDITOR_HEAD; i++) {
        struct field_view *field = &reading->form->head[i];
        if (str_equal(key, str_of(field->name))) {
            field->value = scalar(reading);
            return true;
        }
    }
    return false;
}

static void read_member(struct reading *reading, struct str key)
{
    struct json_reader *json = &reading->json;
    bool *is_too_long = &reading->is_too_long;

    if (str_equal(key, STR("charges"))) {
        for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
            read_charge(reading);
        }
    } else if (!rate_rows_read(json, key, reading->form, is_too_long) &&
               !rate_form_terms_read(json, key, reading->form, is_too_long) &&
               !read_head(reading, key)) {
        *is_too_long = true;
        (void)json_skip(json, NULL);
    }
}

enum err rate_form_of(struct op *op, struct str document, struct rate_form *form, bool *is_whole)
{
    struct reading *reading = arena_alloc(op->arena, sizeof *reading);
    struct str key;

    if (!reading) {
        return fail_memory(op);
    }
    *reading = (struct reading){ .op = op, .form = form };
    json_reader_init(&reading->json, document, op->arena, MAX_DEPTH);
    bool is_object = json_enter_object(&reading->json);
    while (is_object && json_next_member(&reading->json, &key)) {
        read_member(reading, key);
    }
    if (!is_object || !json_at_end(&reading->json)) {
        return fail(op, ERR_INTERNAL, "a rate schedule's document is not as it was written");
    }
    *is_whole = !reading->is_too_long;
    return OK;
}
