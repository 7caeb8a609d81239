/* Lists of a rate schedule's form. Called by the other files of the form. */
#include "web/rate_form_rows.h"

#include "web/rate_form_json.h"

#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- what there is to choose ---- */

static const struct choice_view TYPES[] = {
    { "", "–" },
    { "energy", "Energy" },
    { "export", "Fed in" },
    { "demand", "Demand" },
    { "fixed", "Fixed charge" },
    { "tax", "Tax" },
    { "rider", "Surcharge" },
    { "minimum", "Minimum" },
};
static const struct choice_view PERS[] = {
    { "", "–" }, { "day", "day" }, { "month", "month" }, { "year", "year" }, { "date", "date" },
};
static const struct choice_view OBSERVED[] = {
    { "", "it is that day" },
    { "nearest_weekday", "the nearest weekday" },
    { "sunday_to_monday", "Sunday’s on Monday" },
    { "next_weekday", "both on Monday" },
};
static const struct choice_view MINUTES[] = {
    { "", "–" }, { "15", "15" }, { "30", "30" }, { "60", "60" },
};
static const struct choice_view TIERS_OF[] = {
    { "", "kWh" }, { "baseline_percent", "% of the baseline" },
};
static const struct choice_view TIERS_BEGIN[] = {
    { "", "each cycle" }, { "day", "each day" },
};
static const struct choice_view TIERS_COUNT[] = {
    { "", "all energy" }, { "period", "each period alone" },
};

/* ---- columns ---- */

static const struct column_view OF_PERIODS[] = {
    { .name = "name", .label = "Name", .key = "name" },
    { .name = "title", .label = "For people", .key = "title" },
};
static const struct column_view OF_SEASONS[] = {
    { .name = "name", .label = "Name", .key = "name" },
    { .name = "title", .label = "For people", .key = "title" },
    { .name = "from", .label = "From", .key = "from", .placeholder = "06-01" },
    { .name = "to", .label = "Until before", .key = "to", .placeholder = "10-01" },
};
static const struct column_view OF_HOLIDAYS[] = {
    [HOLIDAY_DAY] = { .name = "day", .label = "Day", .placeholder = "12-25" },
    [HOLIDAY_NAME] = { .name = "name", .label = "Name" },
    [HOLIDAY_LATER] = { .name = "later", .label = "Days later" },
    [HOLIDAY_OBSERVED] = { .name = "observed", .label = "On a weekend", .choices = OBSERVED,
                           .n_choices = LENGTH(OBSERVED), .is_aside = true },
};
static const struct column_view OF_RULES[] = {
    { .name = "period", .label = "Period", .key = "period" },
    { .name = "seasons", .label = "Seasons", .key = "seasons", .mark = ", " },
    { .name = "days", .label = "Days", .key = "days", .mark = " " },
    { .name = "from", .label = "From", .key = "from", .placeholder = "00:00" },
    { .name = "to", .label = "To", .key = "to", .placeholder = "24:00" },
};
static const struct column_view OF_CHARGES[] = {
    [CHARGE_TYPE] = { .name = "type", .label = "Type", .choices = TYPES,
                      .n_choices = LENGTH(TYPES) },
    [CHARGE_NAME] = { .name = "name", .label = "Name" },
    [CHARGE_SEASON] = { .name = "season", .label = "Season", .placeholder = "all" },
    [CHARGE_PERIOD] = { .name = "period", .label = "Period", .placeholder = "all" },
    [CHARGE_PRICE] = { .name = "price", .label = "Price" },
    [CHARGE_PER] = { .name = "per", .label = "Per", .choices = PERS, .n_choices = LENGTH(PERS) },
    [CHARGE_OF] = { .name = "of", .label = "Of", .placeholder = "all above" },
    [CHARGE_TIERS_OF] = { .name = "tiers_of", .label = "Tiers in", .key = "tier_unit",
                          .choices = TIERS_OF, .n_choices = LENGTH(TIERS_OF) },
    [CHARGE_TIERS_BEGIN] = { .name = "tiers_begin", .label = "Tiers begin anew",
                             .key = "tiers_begin", .choices = TIERS_BEGIN,
                             .n_choices = LENGTH(TIERS_BEGIN) },
    [CHARGE_TIERS_COUNT] = { .name = "tiers_count", .label = "Tiers count", .key = "tiers_count",
                             .choices = TIERS_COUNT, .n_choices = LENGTH(TIERS_COUNT) },
    [CHARGE_WINDOW] = { .name = "window", .label = "Demand over minutes", .key = "window_minutes",
                        .choices = MINUTES, .n_choices = LENGTH(MINUTES) },
    [CHARGE_RATCHET] = { .name = "ratchet", .label = "At least percent", .placeholder = "80" },
    [CHARGE_CYCLES] = { .name = "cycles", .label = "Of the last cycles", .placeholder = "11" },
    [CHARGE_DATES] = { .name = "dates", .label = "On dates", .placeholder = "04-01, 10-01",
                       .key = "dates", .mark = ", " },
};
static const struct column_view OF_SERIES[] = {
    [SERIES_NAME] = { .name = "name", .label = "Name", .placeholder = "spot" },
    [SERIES_MINUTES] = { .name = "minutes", .label = "Minutes", .choices = MINUTES,
                         .n_choices = LENGTH(MINUTES), .is_aside = true },
    [SERIES_PRICES] = { .name = "prices", .label = "Prices", .is_lines = true },
};
static const struct column_view OF_BASELINE[] = {
    { .name = "kwh", .label = "kWh a day", .key = "kwh_per_day" },
    { .name = "season", .label = "Season", .key = "season", .placeholder = "all" },
};

struct list_kind {
    const char *letter, *title, *key;
    const struct column_view *columns;
    int n_cells, n_more;
    int n_empty;   /* rows added to fill in */
    bool is_plain; /* its columns are members */
};

static const struct list_kind KINDS[EDITOR_LISTS] = {
    [EDITOR_PERIODS] = { "p", "Period", "periods", OF_PERIODS, LENGTH(OF_PERIODS), 0, 1, true },
    [EDITOR_SEASONS] = { "s", "Season", "seasons", OF_SEASONS, LENGTH(OF_SEASONS), 0, 1, true },
    [EDITOR_HOLIDAYS] = { "h", "Holiday", "holidays", OF_HOLIDAYS, LENGTH(OF_HOLIDAYS), 0, 2,
                          false },
    [EDITOR_RULES] = { "w", "Rule", "windows", OF_RULES, LENGTH(OF_RULES), 0, 2, true },
    [EDITOR_DEMAND] = { "d", "Rule of demand", "demand_windows", OF_RULES, LENGTH(OF_RULES), 0, 2,
                        true },
    [EDITOR_EXPORT] = { "e", "Rule of what is fed in", "export_windows", OF_RULES,
                        LENGTH(OF_RULES), 0, 2, true },
    [EDITOR_CHARGES] = { "c", "Charge", "charges", OF_CHARGES, CHARGE_TIERS_OF,
                         CHARGE_CELLS - CHARGE_TIERS_OF, 2, false },
    [EDITOR_SERIES] = { "x", "Prices by time", "price_series", OF_SERIES, LENGTH(OF_SERIES), 0, 1,
                        false },
    [EDITOR_BASELINE] = { "b", "Baseline", "baseline", OF_BASELINE, LENGTH(OF_BASELINE), 0, 1,
                          true },
};

/* ---- rows ---- */

static int cells_of(const struct rows_view *list)
{
    return list->n_cells + list->n_more;
}

static void clear(struct row_view *row)
{
    *row = (struct row_view){ .error = NULL };
    for (int c = 0; c < EDITOR_CELLS; c++) {
        row->values[c] = "";
    }
}

void rate_rows_init(struct rate_form *form)
{
    for (int i = 0; i < EDITOR_LISTS; i++) {
        const struct list_kind *kind = &KINDS[i];
        struct rows_view *list = &form->lists[i];
        list->letter = kind->letter;
        list->title = kind->title;
        list->key = kind->key;
        list->columns = kind->columns;
        list->n_cells = kind->n_cells;
        list->n_more = kind->n_more;
        list->n = 0;
        for (int row = 0; row < EDITOR_ROWS; row++) {
            clear(&list->rows[row]);
        }
    }
}

struct row_view *rate_rows_add(struct rows_view *list)
{
    return list->n < EDITOR_ROWS ? &list->rows[list->n++] : NULL;
}

bool rate_row_is_blank(const struct rows_view *list, const struct row_view *row)
{
    for (int c = 0; c < cells_of(list); c++) {
        if (row->values[c][0] && !list->columns[c].is_aside) {
            return false;
        }
    }
    return true;
}

/* ---- what was posted ---- */

static const char *posted(const struct web *web, const struct rows_view *list, int row,
                          const struct column_view *column)
{
    char *name = arena_printf(web->op->arena, "%s%d_%s", list->letter, row, column->name);
    struct str value = name ? str_trim(web_form(web, name)) : (struct str){ NULL, 0 };
    const char *copy = value.len > 0 ? arena_copy(web->op->arena, value) : "";

    return copy ? copy : "";
}

void rate_rows_take(const struct web *web, struct rate_form *form)
{
    for (int i = 0; i < EDITOR_LISTS; i++) {
        struct rows_view *list = &form->lists[i];
        list->n = 0;
        for (int r = 0; r < EDITOR_ROWS; r++) {
            struct row_view *row = &list->rows[r];
            for (int c = 0; c < cells_of(list); c++) {
                row->values[c] = posted(web, list, r, &list->columns[c]);
            }
            list->n = rate_row_is_blank(list, row) ? list->n : r + 1;
        }
    }
}

/* ---- lists whose columns are members ---- */

static void read_row(struct json_reader *json, const struct rows_view *list, struct row_view *row)
{
    struct form_column columns[EDITOR_CELLS + 1] = { { NULL, NULL, NULL } };

    for (int c = 0; c < cells_of(list); c++) {
        columns[c] = (struct form_column){ list->columns[c].key, &row->values[c],
                                           list->columns[c].mark };
    }
    form_json_row(json, json->arena, columns);
}

bool rate_rows_read(struct json_reader *json, struct str key, struct rate_form *form,
                    bool *is_too_long)
{
    struct rows_view *list = NULL;

    for (int i = 0; i < EDITOR_LISTS; i++) {
        if (KINDS[i].is_plain && str_equal(key, str_of(KINDS[i].key))) {
            list = &form->lists[i];
        }
    }
    if (!list) {
        return false;
    }
    for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
        struct row_view *row = rate_rows_add(list);
        if (row) {
            read_row(json, list, row);
        } else {
            *is_too_long = true;
            (void)json_skip(json, NULL);
        }
    }
    return true;
}

void rate_row_open(struct json_writer *json, struct arena *arena, const struct rows_view *list,
                   struct row_view *row, int n)
{
    if (n == 0) {
        json_key(json, list->key);
        json_open_array(json);
    }
    json_open_object(json);
    row->pointer = arena_printf(arena, "/%s/%d", list->key, n);
}

static void write_list(struct json_writer *json, struct arena *arena, struct rows_view *list)
{
    int n = 0;

    for (int r = 0; r < list->n; r++) {
        struct row_view *row = &list->rows[r];
        if (rate_row_is_blank(list, row)) {
            continue;
        }
        rate_row_open(json, arena, list, row, n++);
        for (int c = 0; c < list->n_cells; c++) {
            const struct column_view *column = &list->columns[c];
            if (column->mark) {
                form_member_list(json, arena, column->key, row->values[c], column->mark);
            } else {
                form_member(json, column->key, row->values[c]);
            }
        }
        json_close_object(json);
    }
    if (n > 0) {
        json_close_array(json);
    }
}

void rate_rows_write(struct json_writer *json, struct arena *arena, struct rate_form *form)
{
    for (int i = 0; i < EDITOR_LISTS; i++) {
        if (KINDS[i].is_plain) {
            write_list(json, arena, &form->lists[i]);
        }
    }
}

/* ---- for the page ---- */

bool rate_text_is_typed(const char *value, bool is_lines)
{
    for (const char *at = value; *at; at++) {
        bool is_control = (unsigned char)*at < ' ' || *at == 0x7f;
        if (is_control && !(is_lines && *at == '\n')) {
            return false;
        }
    }
    return str_trim(str_of(value)).len == strlen(value);
}

bool rate_rows_are_typed(const struct rate_form *form)
{
    for (int i = 0; i < EDITOR_LISTS; i++) {
        const struct rows_view *list = &form->lists[i];
        for (int r = 0; r < list->n; r++) {
            for (int c = 0; c < cells_of(list); c++) {
                if (!rate_text_is_typed(list->rows[r].values[c], list->columns[c].is_lines)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool lay_out(struct arena *arena, const struct rows_view *list, int number,
                    struct row_view *row)
{
    struct cell_view *cells = arena_array(arena, EDITOR_CELLS, sizeof *cells);

    row->error_id = arena_printf(arena, "%s%d-error", list->letter, number);
    row->more_id = arena_printf(arena, "%s%d-more-error", list->letter, number);
    row->more_title = arena_printf(arena, "More of %s %d", list->title, number + 1);
    row->has_more = row->more_error != NULL;
    row->cells = cells;
    row->more = cells ? cells + list->n_cells : NULL;
    for (int c = 0; cells && c < cells_of(list); c++) {
        const struct column_view *column = &list->columns[c];
        bool is_more = c >= list->n_cells;
        cells[c] = (struct cell_view){
            .column = column,
            .name = arena_printf(arena, "%s%d_%s", list->letter, number, column->name),
            .title = arena_printf(arena, "%s %d: %s", list->title, number + 1, column->label),
            .value = row->values[c],
            .error_id = is_more ? row->more_id : row->error_id,
        };
        row->has_more = row->has_more || (is_more && row->values[c][0]);
        if (!cells[c].name || !cells[c].title) {
            return false;
        }
    }
    return cells && row->error_id && row->more_id && row->more_title;
}

bool rate_rows_show(struct arena *arena, struct rate_form *form)
{
    bool is_done = true;

    for (int i = 0; i < EDITOR_LISTS; i++) {
        struct rows_view *list = &form->lists[i];
        bool is_pair = i == EDITOR_SEASONS && list->n == 0; /* one season is none */
        for (int more = KINDS[i].n_empty + is_pair; more > 0 && list->n < EDITOR_ROWS; more--) {
            clear(rate_rows_add(list));
        }
        for (int r = 0; r < list->n; r++) {
            is_done = lay_out(arena, list, r, &list->rows[r]) && is_done;
        }
    }
    return is_done;
}
