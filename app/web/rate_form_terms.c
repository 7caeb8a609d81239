/* Holidays, baseline, series of prices, billing and rounding as rows and fields, and back. Called
 * by the form of rate schedules. */
#include "web/rate_form_terms.h"

#include "web/form_input.h"
#include "web/rate_form_day.h"
#include "web/rate_form_json.h"

#include <string.h>

#define MAX_PRICES_BYTES 4000 /* of a series: more are brought beside the schedule */
#define MAX_STARTS_BYTES 4000
#define MAX_DEPTH 8

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

/* Whether another element of the array comes and there is room for it. */
static bool next_row(struct json_reader *json, int n, int most, bool *is_too_long)
{
    if (!json_next_element(json)) {
        return false;
    }
    *is_too_long = n == most;
    return !*is_too_long;
}

static bool read_holidays(struct json_reader *json, struct arena *arena, struct rate_form *form)
{
    bool is_too_long = false;

    for (bool is_in = json_enter_array(json);
         is_in && next_row(json, form->n_holidays, EDITOR_HOLIDAYS, &is_too_long);) {
        struct holiday_row *row = &form->holidays[form->n_holidays++];
        struct holiday_day day = { .date = NULL };
        *row = (struct holiday_row){ "", "", "", "", NULL };
        form_json_row(json, arena,
                      (const struct form_column[]){ { "name", &row->name, NULL },
                                                    { "offset", &row->later, NULL },
                                                    { "observed", &row->observed, NULL },
                                                    { "date", &day.date, NULL },
                                                    { "on", &day.on, NULL },
                                                    { "easter", &day.easter, NULL },
                                                    { "month", &day.month, NULL },
                                                    { "weekday", &day.weekday, NULL },
                                                    { "nth", &day.nth, NULL },
                                                    { NULL, NULL, NULL } });
        row->day = holiday_day_text(arena, &day);
        row->day = row->day ? row->day : "";
    }
    return !is_too_long;
}

static bool read_baselines(struct json_reader *json, struct arena *arena, struct rate_form *form)
{
    bool is_too_long = false;

    for (bool is_in = json_enter_array(json);
         is_in && next_row(json, form->n_baselines, EDITOR_BASELINES, &is_too_long);) {
        struct baseline_row *row = &form->baselines[form->n_baselines++];
        *row = (struct baseline_row){ "", "", NULL };
        form_json_row(json, arena,
                      (const struct form_column[]){ { "season", &row->season, NULL },
                                                    { "kwh_per_day", &row->kwh, NULL },
                                                    { NULL, NULL, NULL } });
    }
    return !is_too_long;
}

/* "2024-01-01T00:00:00Z 0.12", a line for each; NULL where that is too much for a form. */
static const char *read_prices(struct json_reader *json, struct arena *arena)
{
    struct buf text;

    buf_init(&text, arena, MAX_PRICES_BYTES);
    for (bool is_in = json_enter_array(json); is_in && json_next_element(json);) {
        const char *from = "", *rate = "";
        form_json_row(json, arena,
                      (const struct form_column[]){ { "from", &from, NULL },
                                                    { "rate", &rate, NULL },
                                                    { NULL, NULL, NULL } });
        buf_printf(&text, "%s%s %s", text.len > 0 ? "\n" : "", from, rate);
    }
    return text.is_broken ? NULL : arena_copy(arena, buf_str(&text));
}

static bool read_series(struct json_reader *json, struct arena *arena, struct rate_form *form)
{
    bool is_too_long = false;
    struct str key;

    for (bool is_in = json_enter_array(json);
         is_in && next_row(json, form->n_series, EDITOR_SERIES, &is_too_long);) {
        struct timed_row *row = &form->series[form->n_series++];
        *row = (struct timed_row){ "", "", "", NULL };
        for (bool is_row = json_enter_object(json); is_row && json_next_member(json, &key);) {
            if (str_equal(key, STR("prices"))) {
                row->prices = read_prices(json, arena);
            } else if (str_equal(key, STR("minutes"))) {
                row->minutes = form_json_scalar(json, arena);
            } else {
                row->name = form_json_scalar(json, arena);
            }
        }
        if (!row->prices) {
            return false;
        }
    }
    return !is_too_long;
}

static bool read_billing(struct json_reader *json, struct arena *arena, struct rate_form *form)
{
    form_json_row(json, arena,
                  (const struct form_column[]){ { "day", &form->bill[BILL_DAY].value, NULL },
                                                { "starts", &form->bill[BILL_STARTS].value, ", " },
                                                { NULL, NULL, NULL } });
    return !form->bill[BILL_STARTS].value ||
           strlen(form->bill[BILL_STARTS].value) <= MAX_STARTS_BYTES;
}

static bool read_rounding(struct json_reader *json, struct arena *arena, struct rate_form *form)
{
    form_json_row(json, arena,
                  (const struct form_column[]){ { "mode", &form->bill[BILL_MODE].value, NULL },
                                                { "decimals", &form->bill[BILL_DECIMALS].value,
                                                  NULL },
                                                { NULL, NULL, NULL } });
    return true;
}

bool rate_form_terms_read(struct arena *arena, struct str key, struct str value,
                          struct rate_form *form)
{
    static const struct {
        const char *key;
        bool (*read)(struct json_reader *json, struct arena *arena, struct rate_form *form);
    } members[] = {
        { "holidays", read_holidays }, { "baseline", read_baselines },
        { "price_series", read_series }, { "billing", read_billing },
        { "rounding", read_rounding },
    };
    struct rate_form filled = *form;
    struct json_reader json;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!str_equal(key, str_of(members[i].key))) {
            continue;
        }
        json_reader_init(&json, value, arena, MAX_DEPTH);
        if (members[i].read(&json, arena, &filled)) {
            *form = filled;
            return true;
        }
    }
    return false;
}

/* ---- what was posted ---- */

void rate_form_terms_take(const struct web *web, struct rate_form *form)
{
    (void)form_take(web, form->bill, EDITOR_BILL);
    for (int i = 0; i < EDITOR_HOLIDAYS; i++) {
        const struct holiday_row row = {
            rate_cell(web, "h", i, "name"), rate_cell(web, "h", i, "day"),
            rate_cell(web, "h", i, "later"), rate_cell(web, "h", i, "observed"), NULL,
        };
        form->holidays[i] = row;
        form->n_holidays = row.name[0] || row.day[0] || row.later[0] ? i + 1 : form->n_holidays;
    }
    for (int i = 0; i < EDITOR_BASELINES; i++) {
        const struct baseline_row row = { rate_cell(web, "b", i, "season"),
                                          rate_cell(web, "b", i, "kwh"), NULL };
        form->baselines[i] = row;
        form->n_baselines = row.season[0] || row.kwh[0] ? i + 1 : form->n_baselines;
    }
    for (int i = 0; i < EDITOR_SERIES; i++) {
        const struct timed_row row = { rate_cell(web, "x", i, "name"),
                                        rate_cell(web, "x", i, "minutes"),
                                        rate_cell(web, "x", i, "prices"), NULL };
        form->series[i] = row;
        form->n_series = row.name[0] || row.prices[0] ? i + 1 : form->n_series;
    }
}

/* ---- into a document ---- */

static void member(struct json_writer *json, const char *key, const char *value)
{
    if (value && value[0]) {
        json_key(json, key);
        json_text(json, value);
    }
}

/* A whole number, where it is one. */
static void member_number(struct json_writer *json, const char *key, const char *value)
{
    long long number;

    if (value && str_to_int64(str_of(value), &number)) {
        json_key(json, key);
        json_int(json, number);
    } else {
        member(json, key, value);
    }
}

/* Where row `n` of the list stands; opens the list before the first. */
static const char *begin_row(struct arena *arena, struct json_writer *json, const char *list, int n)
{
    if (n == 0) {
        json_key(json, list);
        json_open_array(json);
    }
    json_open_object(json);
    return arena_printf(arena, "/%s/%d", list, n);
}

static void write_holidays(struct arena *arena, const struct rate_form *form,
                           struct problems *problems, struct rate_form_places *places,
                           struct json_writer *json)
{
    int n = 0;

    for (int i = 0; i < form->n_holidays; i++) {
        const struct holiday_row *row = &form->holidays[i];
        if (!row->name[0] && !row->day[0] && !row->later[0]) {
            continue;
        }
        const char *pointer = begin_row(arena, json, "holidays", n++);
        places->holidays[i].pointer = pointer;
        member(json, "name", row->name);
        if (!holiday_day_write(json, str_of(row->day))) {
            problems_add(problems, arena_printf(arena, "%s/day", pointer ? pointer : ""),
                         "must be such as 12-25, 2026-12-24, easter -2 or 4th thu of nov");
            json_key(json, "easter");
            json_int(json, 0);
        }
        member_number(json, "offset", row->later);
        member(json, "observed", row->observed);
        json_close_object(json);
    }
    if (n > 0) {
        json_close_array(json);
    }
}

static void write_baselines(struct arena *arena, const struct rate_form *form,
                            struct rate_form_places *places, struct json_writer *json)
{
    int n = 0;

    for (int i = 0; i < form->n_baselines; i++) {
        const struct baseline_row *row = &form->baselines[i];
        if (!row->season[0] && !row->kwh[0]) {
            continue;
        }
        places->baselines[i].pointer = begin_row(arena, json, "baseline", n++);
        member(json, "season", row->season);
        member(json, "kwh_per_day", row->kwh);
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

static void write_series(struct arena *arena, const struct rate_form *form,
                         struct rate_form_places *places, struct json_writer *json)
{
    int n = 0;

    for (int i = 0; i < form->n_series; i++) {
        const struct timed_row *row = &form->series[i];
        if (!row->name[0] && !row->prices[0]) {
            continue;
        }
        places->series[i].pointer = begin_row(arena, json, "price_series", n++);
        member(json, "name", row->name);
        member_number(json, "minutes", row->minutes);
        write_prices(json, str_of(row->prices));
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

/* Days between commas, blanks and ends of lines. */
static void write_starts(struct json_writer *json, const char *text)
{
    static const char marks[] = ", \t\r\n";

    json_key(json, "starts");
    json_open_array(json);
    for (text += strspn(text, marks); *text; text += strspn(text, marks)) {
        size_t len = strcspn(text, marks);
        json_string(json, (struct str){ text, len });
        text += len;
    }
    json_close_array(json);
}

static void write_bill(const struct rate_form *form, struct json_writer *json)
{
    const struct field_view *bill = form->bill;

    if (is_filled(&bill[BILL_DAY]) || is_filled(&bill[BILL_STARTS])) {
        json_key(json, "billing");
        json_open_object(json);
        member_number(json, "day", bill[BILL_DAY].value);
        if (is_filled(&bill[BILL_STARTS])) {
            write_starts(json, bill[BILL_STARTS].value);
        }
        json_close_object(json);
    }
    if (is_filled(&bill[BILL_MODE]) || is_filled(&bill[BILL_DECIMALS])) {
        json_key(json, "rounding");
        json_open_object(json);
        member(json, "mode", bill[BILL_MODE].value);
        member_number(json, "decimals", bill[BILL_DECIMALS].value);
        json_close_object(json);
    }
}

void rate_form_terms_write(struct arena *arena, const struct rate_form *form,
                           struct problems *problems, struct rate_form_places *places,
                           struct json_writer *json)
{
    write_holidays(arena, form, problems, places, json);
    write_baselines(arena, form, places, json);
    write_series(arena, form, places, json);
    write_bill(form, json);
}
