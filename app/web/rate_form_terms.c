/* Holidays, series of prices, billing and rounding as rows and fields, and back. Called by the form
 * of rate schedules. */
#include "web/rate_form_terms.h"

#include "web/rate_form_day.h"
#include "web/rate_form_json.h"
#include "web/rate_form_rows.h"

#include <string.h>

#define MAX_PRICES_BYTES 16000 /* of a series: more are brought beside the schedule */
#define MAX_STARTS_BYTES 4000

enum { BILL_DAY, BILL_STARTS, BILL_MODE, BILL_DECIMALS };

static const struct choice_view ROUNDINGS[] = {
    { "half_away_from_zero", "Halves away from zero" },
    { "half_even", "Halves to the even figure" },
};

void rate_form_terms_init(struct rate_form *form)
{
    form->bill[BILL_DAY] = (struct field_view){
        .name = "billing_day", .label = "Billing cycles begin on day", .type = "number",
        .hint = "Of the month, 1 to 31; the last where there is none. Empty: 1.",
    };
    form->bill[BILL_STARTS] = (struct field_view){
        .name = "billing_starts", .label = "First days of cycles as meters were read",
        .type = "textarea", .rows = 2, .max_bytes = MAX_STARTS_BYTES,
        .hint = "Such as 2026-01-14, 2026-02-12. They take the place of the regular ones.",
    };
    form->bill[BILL_MODE] = (struct field_view){
        .name = "rounding_mode", .label = "Lines of a bill are rounded", .type = "select",
        .choices = ROUNDINGS, .n_choices = 2, .value = ROUNDINGS[0].value,
    };
    form->bill[BILL_DECIMALS] = (struct field_view){
        .name = "rounding_decimals", .label = "To decimals", .type = "number",
        .hint = "Empty: the currency’s.",
    };
}

struct field_view *rate_form_terms_field(struct rate_form *form, const char *pointer)
{
    static const struct { const char *pointer; int field; } fields[] = {
        { "/billing/starts", BILL_STARTS }, { "/billing", BILL_DAY },
        { "/rounding/decimals", BILL_DECIMALS }, { "/rounding", BILL_MODE },
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (str_starts_with(str_of(pointer), str_of(fields[i].pointer))) {
            return &form->bill[fields[i].field];
        }
    }
    return NULL;
}

/* ---- out of a document ---- */

/* A row for the next element, or `spare`, which is left out. */
static struct row_view *next_row(struct rows_view *list, struct row_view *spare, bool *is_too_long)
{
    struct row_view *row = rate_rows_add(list);

    *is_too_long = *is_too_long || !row;
    return row ? row : spare;
}

static void read_holidays(struct json_reader *json, struct rate_form *form, bool *is_too_long)
{
    struct row_view spare;

    for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
        struct row_view *row = next_row(&form->lists[EDITOR_HOLIDAYS], &spare, is_too_long);
        struct holiday_day day = { .date = NULL };
        form_json_row(json, json->arena,
                      (const struct form_column[]){ { "name", &row->values[HOLIDAY_NAME], NULL },
                                                    { "offset", &row->values[HOLIDAY_LATER], NULL },
                                                    { "observed", &row->values[HOLIDAY_OBSERVED],
                                                      NULL },
                                                    { "date", &day.date, NULL },
                                                    { "on", &day.on, NULL },
                                                    { "easter", &day.easter, NULL },
                                                    { "month", &day.month, NULL },
                                                    { "weekday", &day.weekday, NULL },
                                                    { "nth", &day.nth, NULL },
                                                    { NULL, NULL, NULL } });
        const char *text = holiday_day_text(json->arena, &day);
        row->values[HOLIDAY_DAY] = text ? text : "";
    }
}

/* "2024-01-01T00:00:00Z 0.12", a line for each; NULL where that is too much for a form. */
static const char *read_prices(struct json_reader *json)
{
    struct buf text;

    buf_init(&text, json->arena, MAX_PRICES_BYTES);
    for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
        const char *from = "", *rate = "";
        form_json_row(json, json->arena,
                      (const struct form_column[]){ { "from", &from, NULL },
                                                    { "rate", &rate, NULL },
                                                    { NULL, NULL, NULL } });
        buf_printf(&text, "%s%s %s", text.len > 0 ? "\n" : "", from, rate);
    }
    return text.is_broken ? NULL : arena_copy(json->arena, buf_str(&text));
}

static void read_series(struct json_reader *json, struct rate_form *form, bool *is_too_long)
{
    struct row_view spare;
    struct str key;

    for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
        struct row_view *row = next_row(&form->lists[EDITOR_SERIES], &spare, is_too_long);
        for (bool is_row = json_enter_object(json); is_row && json_next_member(json, &key);) {
            if (str_equal(key, STR("prices"))) {
                const char *prices = read_prices(json);
                row->values[SERIES_PRICES] = prices ? prices : "";
                *is_too_long = *is_too_long || !prices;
            } else {
                bool is_name = str_equal(key, STR("name"));
                row->values[is_name ? SERIES_NAME : SERIES_MINUTES] =
                    form_json_scalar(json, json->arena);
            }
        }
    }
}

static void read_billing(struct json_reader *json, struct rate_form *form, bool *is_too_long)
{
    const char **starts = &form->bill[BILL_STARTS].value;

    form_json_row(json, json->arena,
                  (const struct form_column[]){ { "day", &form->bill[BILL_DAY].value, NULL },
                                                { "starts", starts, ", " },
                                                { NULL, NULL, NULL } });
    *is_too_long = *is_too_long || (*starts && strlen(*starts) > MAX_STARTS_BYTES);
}

static void read_rounding(struct json_reader *json, struct rate_form *form)
{
    form_json_row(json, json->arena,
                  (const struct form_column[]){ { "mode", &form->bill[BILL_MODE].value, NULL },
                                                { "decimals", &form->bill[BILL_DECIMALS].value,
                                                  NULL },
                                                { NULL, NULL, NULL } });
}

bool rate_form_terms_read(struct json_reader *json, struct str key, struct rate_form *form,
                          bool *is_too_long)
{
    static const struct {
        const char *key;
        void (*read)(struct json_reader *json, struct rate_form *form, bool *is_too_long);
    } members[] = {
        { "holidays", read_holidays },
        { "price_series", read_series },
        { "billing", read_billing },
    };

    if (str_equal(key, STR("rounding"))) {
        read_rounding(json, form);
        return true;
    }
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (str_equal(key, str_of(members[i].key))) {
            members[i].read(json, form, is_too_long);
            return true;
        }
    }
    return false;
}

/* ---- into a document ---- */

static void write_holidays(struct json_writer *json, struct arena *arena, struct rate_form *form,
                           struct problems *problems)
{
    struct rows_view *list = &form->lists[EDITOR_HOLIDAYS];
    int n = 0;

    for (int i = 0; i < list->n; i++) {
        struct row_view *row = &list->rows[i];
        if (rate_row_is_blank(list, row)) {
            continue;
        }
        rate_row_open(json, arena, list, row, n++);
        form_member(json, "name", row->values[HOLIDAY_NAME]);
        if (!holiday_day_write(json, str_of(row->values[HOLIDAY_DAY]))) {
            problems_add(problems, arena_printf(arena, "%s/day", row->pointer ? row->pointer : ""),
                         "must be such as 12-25, 2026-12-24, easter -2 or 4th thu of nov");
            json_key(json, "easter");
            json_int(json, 0);
        }
        form_member_number(json, "offset", row->values[HOLIDAY_LATER]);
        form_member(json, "observed", row->values[HOLIDAY_OBSERVED]);
        json_close_object(json);
    }
    if (n > 0) {
        json_close_array(json);
    }
}

static void write_prices(struct json_writer *json, struct str rest)
{
    if (rest.len == 0) {
        return;
    }
    json_key(json, "prices");
    json_open_array(json);
    while (rest.ptr) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.len > 0) {
            json_open_object(json);
            json_key(json, "from");
            json_string(json, str_cut(&line, ' '));
            json_key(json, "rate");
            json_string(json, line.ptr ? str_trim(line) : STR(""));
            json_close_object(json);
        }
    }
    json_close_array(json);
}

static void write_series(struct json_writer *json, struct arena *arena, struct rate_form *form)
{
    struct rows_view *list = &form->lists[EDITOR_SERIES];
    int n = 0;

    for (int i = 0; i < list->n; i++) {
        struct row_view *row = &list->rows[i];
        if (rate_row_is_blank(list, row)) {
            continue;
        }
        rate_row_open(json, arena, list, row, n++);
        form_member(json, "name", row->values[SERIES_NAME]);
        form_member_number(json, "minutes", row->values[SERIES_MINUTES]);
        write_prices(json, str_of(row->values[SERIES_PRICES]));
        json_close_object(json);
    }
    if (n > 0) {
        json_close_array(json);
    }
}

static bool is_filled(const struct field_view *field)
{
    return field->value && field->value[0];
}

static void write_bill(struct json_writer *json, struct arena *arena, const struct rate_form *form)
{
    const struct field_view *bill = form->bill;

    if (is_filled(&bill[BILL_DAY]) || is_filled(&bill[BILL_STARTS])) {
        json_key(json, "billing");
        json_open_object(json);
        form_member_number(json, "day", bill[BILL_DAY].value);
        form_member_list(json, arena, "starts", bill[BILL_STARTS].value, " ");
        json_close_object(json);
    }
    if (is_filled(&bill[BILL_MODE]) || is_filled(&bill[BILL_DECIMALS])) {
        json_key(json, "rounding");
        json_open_object(json);
        form_member(json, "mode", bill[BILL_MODE].value);
        form_member_number(json, "decimals", bill[BILL_DECIMALS].value);
        json_close_object(json);
    }
}

void rate_form_terms_write(struct json_writer *json, struct arena *arena, struct rate_form *form,
                           struct problems *problems)
{
    write_holidays(json, arena, form, problems);
    write_series(json, arena, form);
    write_bill(json, arena, form);
}
