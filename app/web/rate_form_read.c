/* Reads a rate schedule's document into its form. Called by page_rate_edit.c. */
#include "web/rate_form.h"

#include "base/json.h"
#include "web/rate_form_day.h"
#include "web/rate_form_json.h"
#include "web/rate_form_terms.h"

#include <string.h>

#define MAX_TEXT_BYTES (1u << 20)

struct reading {
    struct op *op;
    struct json_reader json;
    struct rate_form *form;
    struct json_writer other;
    bool has_other;
    bool is_too_long;     /* more rows than the form has */
    char *codes;          /* of the charges so far, "energy, fixed" */
};

static const char *copy(struct reading *reading, struct str text)
{
    const char *kept = arena_copy(reading->op->arena, text);

    return kept ? kept : "";
}

static const char *scalar(struct reading *reading)
{
    return form_json_scalar(&reading->json, reading->op->arena);
}

static void *next_row(struct reading *reading, void *rows, size_t size, int *n, int most)
{
    if (*n == most) {
        reading->is_too_long = true;
        return NULL;
    }
    return (char *)rows + size * (size_t)(*n)++;
}

static void read_row(struct reading *reading, const struct form_column *columns)
{
    form_json_row(&reading->json, reading->op->arena, columns);
}

/* ---- the calendar ---- */

static void read_seasons(struct reading *reading)
{
    struct rate_form *form = reading->form;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json);) {
        struct season_row spare = { "", "", "", "", NULL }; /* of one too many */
        struct season_row *row = next_row(reading, form->seasons, sizeof *row, &form->n_seasons,
                                          EDITOR_SEASONS);
        if (row) {
            *row = spare;
        } else {
            row = &spare;
        }
        read_row(reading, (const struct form_column[]){ { "name", &row->name, NULL },
                                                   { "title", &row->title, NULL },
                                                   { "from", &row->from, NULL },
                                                   { "to", &row->to, NULL },
                                                   { NULL, NULL, NULL } });
    }
}

static void read_periods(struct reading *reading)
{
    struct rate_form *form = reading->form;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json);) {
        struct period_row spare = { "", "", NULL }; /* of one too many */
        struct period_row *row = next_row(reading, form->periods, sizeof *row, &form->n_periods,
                                          EDITOR_PERIODS);
        if (row) {
            *row = spare;
        } else {
            row = &spare;
        }
        read_row(reading, (const struct form_column[]){ { "name", &row->name, NULL },
                                                   { "title", &row->title, NULL },
                                                   { NULL, NULL, NULL } });
    }
}

static void read_rules(struct reading *reading)
{
    struct rate_form *form = reading->form;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json);) {
        struct rule_row spare = { "", "", "", "", "", NULL }; /* of one too many */
        struct rule_row *row =
            next_row(reading, form->rules, sizeof *row, &form->n_rules, EDITOR_RULES);
        if (row) {
            *row = spare;
        } else {
            row = &spare;
        }
        read_row(reading, (const struct form_column[]){ { "period", &row->period, NULL },
                                                   { "seasons", &row->seasons, ", " },
                                                   { "days", &row->days, " " },
                                                   { "from", &row->from, NULL },
                                                   { "to", &row->to, NULL },
                                                   { NULL, NULL, NULL } });
    }
}

/* ---- charges ---- */

/* "0.20 to 100, 0.30" */
static const char *read_tiers(struct reading *reading)
{
    struct arena *arena = reading->op->arena;
    char *all = NULL;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json);) {
        const char *rate = "", *limit = NULL;
        read_row(reading, (const struct form_column[]){ { "rate", &rate, NULL },
                                                   { "up_to", &limit, NULL },
                                                   { NULL, NULL, NULL } });
        const char *tier = limit ? arena_printf(arena, "%s to %s", rate, limit) : rate;
        all = all ? arena_printf(arena, "%s, %s", all, tier) : arena_copy(arena, str_of(tier));
    }
    return all ? all : "";
}

/* Adds a member to the row's JSON object. */
static void add_more(struct arena *arena, struct charge_row *row, struct str key, struct str value)
{
    const char *had = row->more[0] ? row->more : "{}";
    size_t len = strlen(had) - 1;
    char *all = arena_printf(arena, "%.*s%s\"%.*s\": %.*s}", (int)len, had, len > 1 ? ", " : "",
                             (int)key.len, key.ptr, (int)value.len, value.ptr);
    row->more = all ? all : row->more;
}

static void keep_more(struct reading *reading, struct charge_row *row, struct str key)
{
    struct str value = { NULL, 0 };

    if (json_skip(&reading->json, &value)) {
        add_more(reading->op->arena, row, key, value);
    }
}

/* A text as JSON. */
static struct str quoted(struct arena *arena, const char *text)
{
    struct json_writer json;
    struct buf out;

    buf_init(&out, arena, MAX_TEXT_BYTES);
    json_writer_init(&json, &out);
    json_text(&json, text);
    return buf_str(&out);
}

static const struct charge_row BLANK = { "", "", "", "", "", "", "", "", NULL };

static struct charge_row *next_charge(struct reading *reading, struct charge_row *spare)
{
    struct rate_form *form = reading->form;
    struct charge_row *row =
        next_row(reading, form->charges, sizeof *row, &form->n_charges, EDITOR_CHARGES);

    row = row ? row : spare;
    *row = BLANK;
    return row;
}

/* A member of a price; false where it is none. */
static bool read_price_member(struct reading *reading, struct charge_row *row, struct str key)
{
    if (str_equal(key, STR("rate")) || str_equal(key, STR("amount"))) {
        row->price = scalar(reading);
    } else if (str_equal(key, STR("percent"))) {
        row->price = arena_printf(reading->op->arena, "%s %%", scalar(reading));
    } else if (str_equal(key, STR("tiers"))) {
        row->price = read_tiers(reading);
    } else if (str_equal(key, STR("season"))) {
        row->season = scalar(reading);
    } else if (str_equal(key, STR("period"))) {
        row->period = scalar(reading);
    } else {
        return false;
    }
    return true;
}

/* The members of a price by time, as they come. */
struct price_by_time {
    const char *series, *factor, *add; /* NULL: there is none */
};

static bool read_by_time(struct reading *reading, struct price_by_time *price, struct str key)
{
    const char **value = str_equal(key, STR("series"))   ? &price->series
                         : str_equal(key, STR("factor")) ? &price->factor
                         : str_equal(key, STR("add"))    ? &price->add
                                                         : NULL;

    if (value) {
        *value = scalar(reading);
    }
    return value != NULL;
}

/* Puts the price by time into the row: as its price, or among its other members where that would
 * not be read as the same. */
static void keep_by_time(struct reading *reading, struct charge_row *row,
                         const struct price_by_time *price)
{
    struct arena *arena = reading->op->arena;
    const char *const values[] = { price->series, price->factor, price->add };
    static const char *const keys[] = { "series", "factor", "add" };
    const char *text = price->series
                           ? series_price_text(arena, price->series, price->factor, price->add)
                           : NULL;

    if (text) {
        row->price = text;
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (values[i]) {
            add_more(arena, row, str_of(keys[i]), quoted(arena, values[i]));
        }
    }
}

/* The rows of a charge's prices: the first is the charge's own. */
static void read_prices(struct reading *reading, struct charge_row *first)
{
    struct charge_row spare;
    struct str key;
    bool is_first = true;

    for (bool is_in = json_enter_array(&reading->json);
         is_in && json_next_element(&reading->json); is_first = false) {
        struct charge_row *row = is_first ? first : next_charge(reading, &spare);
        struct price_by_time by_time = { NULL, NULL, NULL };
        row->type = first->type;
        row->name = first->name;
        for (bool is_object = json_enter_object(&reading->json);
             is_object && json_next_member(&reading->json, &key);) {
            if (!read_price_member(reading, row, key) &&
                !read_by_time(reading, &by_time, key)) {
                keep_more(reading, row, key);
            }
        }
        keep_by_time(reading, row, &by_time);
    }
}

/* All charges before it are what a percentage is of where nothing is said. */
static void add_code(struct reading *reading, struct charge_row *row)
{
    struct arena *arena = reading->op->arena;
    const char *code = row->name[0] ? arena_printf(arena, "%s:%s", row->type, row->name)
                                    : row->type;

    if (reading->codes && strcmp(row->of, reading->codes) == 0) {
        row->of = "";
    }
    reading->codes = reading->codes ? arena_printf(arena, "%s, %s", reading->codes, code)
                                    : arena_copy(arena, str_of(code));
}

static void read_charge(struct reading *reading)
{
    struct charge_row spare;
    struct charge_row *row = next_charge(reading, &spare);
    struct price_by_time by_time = { NULL, NULL, NULL };
    struct str key;

    for (bool is_in = json_enter_object(&reading->json);
         is_in && json_next_member(&reading->json, &key);) {
        if (str_equal(key, STR("type"))) {
            row->type = scalar(reading);
        } else if (str_equal(key, STR("name"))) {
            row->name = scalar(reading);
        } else if (str_equal(key, STR("per"))) {
            row->per = scalar(reading);
        } else if (str_equal(key, STR("on"))) {
            row->of = form_json_list(&reading->json, reading->op->arena, ", ");
        } else if (str_equal(key, STR("prices"))) {
            read_prices(reading, row);
        } else if (!read_price_member(reading, row, key) &&
                   !read_by_time(reading, &by_time, key)) {
            keep_more(reading, row, key);
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

static void read_other(struct reading *reading, struct str key)
{
    struct str value;

    if (json_skip(&reading->json, &value) &&
        !rate_form_terms_read(reading->op->arena, key, value, reading->form)) {
        reading->has_other = true;
        json_key_str(&reading->other, key);
        json_raw(&reading->other, value);
    }
}

static void read_member(struct reading *reading, struct str key)
{
    if (str_equal(key, STR("seasons"))) {
        read_seasons(reading);
    } else if (str_equal(key, STR("periods"))) {
        read_periods(reading);
    } else if (str_equal(key, STR("windows"))) {
        read_rules(reading);
    } else if (str_equal(key, STR("charges"))) {
        for (bool is_in = json_enter_array(&reading->json);
             is_in && json_next_element(&reading->json);) {
            read_charge(reading);
        }
    } else if (!read_head(reading, key)) {
        read_other(reading, key);
    }
}

enum err rate_form_of(struct op *op, struct str document, struct rate_form *form)
{
    struct reading reading = { .op = op, .form = form };
    struct buf other;
    struct str key;

    buf_init(&other, op->arena, MAX_TEXT_BYTES);
    json_writer_init(&reading.other, &other);
    json_open_object(&reading.other);
    json_reader_init(&reading.json, document, op->arena, 16);
    bool is_object = json_enter_object(&reading.json);
    while (is_object && json_next_member(&reading.json, &key)) {
        read_member(&reading, key);
    }
    json_close_object(&reading.other);
    if (!is_object || !json_at_end(&reading.json)) {
        return fail(op, ERR_INTERNAL, "a rate schedule's document is not as it was written");
    }
    if (reading.is_too_long || other.is_broken) {
        return fail(op, ERR_INVALID, "This schedule has more rows than the form: change its "
                                     "document.");
    }
    form->other.value = reading.has_other ? copy(&reading, buf_str(&other)) : "";
    return OK;
}
