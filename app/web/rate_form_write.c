/* Writes the form of a rate schedule as its document. Called by page_rate_edit.c. */
#include "web/rate_form.h"

#include "base/json.h"
#include "web/rate_form_day.h"
#include "web/rate_form_json.h"
#include "web/rate_form_rows.h"
#include "web/rate_form_terms.h"

#include <string.h>

#define MAX_DOCUMENT_BYTES (2u << 20)

struct writing {
    struct op *op;
    struct rows_view *charges;
    struct problems *problems;
    struct json_writer json;
    int n_charges;
};

/* ---- prices ---- */

/* "0.20 to 100": a tier. */
static void write_tier(struct writing *writing, struct str text)
{
    struct str rate = str_trim(str_cut(&text, ' '));
    struct str rest = str_trim(text);

    json_open_object(&writing->json);
    json_key(&writing->json, "rate");
    json_string(&writing->json, rate);
    if (text.ptr && rest.len > 0) {
        struct str limit =
            str_starts_with(rest, STR("to "))
                ? str_trim((struct str){ rest.ptr + 3, rest.len - 3 })
                : rest;
        json_key(&writing->json, "up_to");
        json_string(&writing->json, limit);
    }
    json_close_object(&writing->json);
}

/* A price by time; false where the text is none. */
static bool write_by_time(struct writing *writing, const char *text)
{
    struct arena *arena = writing->op->arena;
    struct series_price price;

    if (!series_price_read(arena, str_of(text), &price)) {
        return false;
    }
    json_key(&writing->json, "series");
    json_string(&writing->json, price.series);
    if (price.factor.len > 0) {
        json_key(&writing->json, "factor");
        json_string(&writing->json, price.factor);
    }
    if (price.add.len > 0) {
        json_key(&writing->json, "add");
        json_text(&writing->json, arena_printf(arena, "%s%.*s", price.is_less ? "-" : "",
                                               (int)price.add.len, price.add.ptr));
    }
    return true;
}

/* Whether the price is of a series whose name stands in quotation marks, which may have anything
 * in it. */
static bool is_quoted(const char *price)
{
    return price[0] == '"';
}

/* "0.30", or tiers: "0.20 to 100, 0.30", or "spot * 1.1 + 0.02". */
static void write_price(struct writing *writing, const struct row_view *row)
{
    const char *price = row->values[CHARGE_PRICE];
    struct str rest = str_of(price);
    bool has_tiers = !is_quoted(price) && (strchr(price, ',') || strstr(price, " to "));

    if (has_tiers) {
        json_key(&writing->json, "tiers");
        json_open_array(&writing->json);
        while (rest.ptr) {
            write_tier(writing, str_trim(str_cut(&rest, ',')));
        }
        json_close_array(&writing->json);
    } else if (!write_by_time(writing, price)) {
        form_member(&writing->json, "rate", price);
    }
}

/* ---- charges ---- */

static bool is_type(const struct row_view *row, const char *type)
{
    return strcmp(row->values[CHARGE_TYPE], type) == 0;
}

static bool is_percent(const struct row_view *row)
{
    const char *price = row->values[CHARGE_PRICE];

    return is_type(row, "tax") || (!is_quoted(price) && strchr(price, '%'));
}

static bool is_amount(const struct row_view *row)
{
    return is_type(row, "fixed") || is_type(row, "minimum");
}

/* Whether the rows are prices of one charge. */
static bool is_same_charge(const struct row_view *a, const struct row_view *b)
{
    return is_type(a, b->values[CHARGE_TYPE]) &&
           strcmp(a->values[CHARGE_NAME], b->values[CHARGE_NAME]) == 0 && !is_percent(a) &&
           !is_percent(b) && !is_amount(a);
}

/* "7.5 %"; what has more behind the sign is written whole, and refused. */
static void write_percent(struct writing *writing, const char *price)
{
    struct str rest = str_of(price);
    struct str percent = str_trim(str_cut(&rest, '%'));
    bool is_all = str_trim(rest).len == 0;

    form_member(&writing->json, "percent",
                is_all ? arena_copy(writing->op->arena, percent) : price);
}

/* It has neither season nor period: where these are filled in they are refused. */
static void write_amount(struct writing *writing, const struct row_view *row)
{
    struct json_writer *json = &writing->json;

    form_member(json, "season", row->values[CHARGE_SEASON]);
    form_member(json, "period", row->values[CHARGE_PERIOD]);
    if (is_percent(row)) {
        write_percent(writing, row->values[CHARGE_PRICE]);
    } else {
        form_member(json, "amount", row->values[CHARGE_PRICE]);
    }
}

static void write_prices(struct writing *writing, const char *charge, int from, int to)
{
    struct row_view *rows = writing->charges->rows;
    struct row_view *first = &rows[from];
    struct json_writer *json = &writing->json;

    if (to == from + 1 && !first->values[CHARGE_SEASON][0] && !first->values[CHARGE_PERIOD][0]) {
        first->pointer = charge;
        write_price(writing, first);
        return;
    }
    json_key(json, "prices");
    json_open_array(json);
    for (int i = from; i < to; i++) {
        rows[i].pointer = arena_printf(writing->op->arena, "%s/prices/%d", charge, i - from);
        json_open_object(json);
        form_member(json, "season", rows[i].values[CHARGE_SEASON]);
        form_member(json, "period", rows[i].values[CHARGE_PERIOD]);
        write_price(writing, &rows[i]);
        json_close_object(json);
    }
    json_close_array(json);
    first->also = charge;
}

/* What a column says of the charge whose rows these are; a problem where they differ. */
static const char *said_of(struct writing *writing, int from, int to, int column)
{
    const struct row_view *rows = writing->charges->rows;
    const char *said = "";

    for (int i = from; i < to; i++) {
        const char *value = rows[i].values[column];
        if (said[0] && value[0] && strcmp(said, value) != 0) {
            const char *field =
                arena_printf(writing->op->arena, "%s/%s", rows[i].pointer ? rows[i].pointer : "",
                             writing->charges->columns[column].name);
            problems_add(writing->problems, field ? field : "",
                         "must be as a row of the same charge above says it");
        }
        said = said[0] ? said : value;
    }
    return said;
}

static void write_ratchet(struct writing *writing, const char *percent, const char *cycles)
{
    if (percent[0] || cycles[0]) {
        json_key(&writing->json, "ratchet");
        json_open_object(&writing->json);
        form_member(&writing->json, "percent", percent);
        form_member_number(&writing->json, "cycles", cycles);
        json_close_object(&writing->json);
    }
}

/* The members behind "More". */
static void write_more(struct writing *writing, int from, int to)
{
    const struct rows_view *list = writing->charges;
    struct json_writer *json = &writing->json;

    for (int c = list->n_cells; c < list->n_cells + list->n_more; c++) {
        const struct column_view *column = &list->columns[c];
        if (!column->key) {
            continue;
        }
        const char *value = said_of(writing, from, to, c);
        if (column->mark) {
            form_member_list(json, writing->op->arena, column->key, value, column->mark);
        } else if (c == CHARGE_WINDOW) {
            form_member_number(json, column->key, value);
        } else {
            form_member(json, column->key, value);
        }
    }
    const char *percent = said_of(writing, from, to, CHARGE_RATCHET);
    write_ratchet(writing, percent, said_of(writing, from, to, CHARGE_CYCLES));
}

/* The charge of the rows [from, to): all that is filled in, for the document's reader to refuse
 * what this type of charge does not have. */
static void write_charge(struct writing *writing, int from, int to)
{
    struct row_view *row = &writing->charges->rows[from];
    struct json_writer *json = &writing->json;

    rate_row_open(json, writing->op->arena, writing->charges, row, writing->n_charges++);
    form_member(json, "type", row->values[CHARGE_TYPE]);
    form_member(json, "name", row->values[CHARGE_NAME]);
    if (is_percent(row) || is_amount(row)) {
        write_amount(writing, row);
    } else {
        write_prices(writing, row->pointer, from, to);
    }
    form_member(json, "per", said_of(writing, from, to, CHARGE_PER));
    form_member_list(json, writing->op->arena, "on", said_of(writing, from, to, CHARGE_OF), ", ");
    write_more(writing, from, to);
    json_close_object(json);
}

static void write_charges(struct writing *writing)
{
    struct rows_view *list = writing->charges;

    for (int from = 0, to; from < list->n; from = to) {
        to = from + 1;
        if (rate_row_is_blank(list, &list->rows[from])) {
            continue;
        }
        while (to < list->n && is_same_charge(&list->rows[from], &list->rows[to])) {
            to++;
        }
        write_charge(writing, from, to);
    }
    if (writing->n_charges > 0) {
        json_close_array(&writing->json);
    }
}

/* ---- all of it ---- */

enum err rate_form_write(struct op *op, struct rate_form *form, struct problems *problems,
                         struct str *out)
{
    struct writing writing = {
        .op = op, .charges = &form->lists[EDITOR_CHARGES], .problems = problems,
    };
    struct buf text;

    buf_init(&text, op->arena, MAX_DOCUMENT_BYTES);
    json_writer_init(&writing.json, &text);
    json_open_object(&writing.json);
    for (int i = 0; i < EDITOR_HEAD; i++) {
        form_member(&writing.json, form->head[i].name, form->head[i].value);
    }
    rate_rows_write(&writing.json, op->arena, form);
    write_charges(&writing);
    rate_form_terms_write(&writing.json, op->arena, form, problems);
    json_close_object(&writing.json);
    *out = buf_str(&text);
    return text.is_broken ? fail_memory(op) : OK;
}
