/* Writes the form of a rate schedule as its document. Called by page_rate_edit.c. */
#include "web/rate_form.h"

#include "base/json.h"
#include "web/rate_form_day.h"
#include "web/rate_form_terms.h"

#include <string.h>

#define MAX_DOCUMENT_BYTES (2u << 20)

struct writing {
    struct op *op;
    const struct rate_form *form;
    struct problems *problems;
    struct rate_form_places *places;
    struct json_writer json;
    int n_charges;
};

static void member(struct writing *writing, const char *key, const char *value)
{
    if (value && value[0]) {
        json_key(&writing->json, key);
        json_text(&writing->json, value);
    }
}

/* A list of words between commas (and blanks, where names have none) as an array of texts. */
static void member_list(struct writing *writing, const char *key, const char *text,
                        bool is_by_blanks)
{
    struct str rest = str_of(text);

    if (!text || !text[0]) {
        return;
    }
    json_key(&writing->json, key);
    json_open_array(&writing->json);
    while (rest.ptr) {
        struct str word = str_trim(str_cut(&rest, ','));
        while (word.ptr && word.len > 0) {
            struct str part = is_by_blanks ? str_trim(str_cut(&word, ' ')) : word;
            word = is_by_blanks ? word : (struct str){ NULL, 0 };
            if (part.len > 0) {
                json_string(&writing->json, part);
            }
        }
    }
    json_close_array(&writing->json);
}

static const char *pointer_of(struct writing *writing, const char *list, int index)
{
    return arena_printf(writing->op->arena, "/%s/%d", list, index);
}

/* ---- members that stand as JSON ---- */

static bool is_one_of(struct str word, const char *const *words)
{
    for (; *words; words++) {
        if (str_equal(word, str_of(*words))) {
            return true;
        }
    }
    return false;
}

/* Writes those of the object's members that are (or are not) of the list; with a problem where it
 * is no object. */
static void members_of(struct writing *writing, const char *text, const char *pointer,
                       const char *const *words, bool is_wanted)
{
    struct json_reader reader;
    struct str key, value;

    if (!text || !text[0]) {
        return;
    }
    json_reader_init(&reader, str_of(text), writing->op->arena, 16);
    bool is_object = json_enter_object(&reader);
    while (is_object && json_next_member(&reader, &key)) {
        if (!json_skip(&reader, &value)) {
            break;
        }
        if (is_one_of(key, words) == is_wanted) {
            json_key_str(&writing->json, key);
            json_raw(&writing->json, value);
        }
    }
    if (!is_object || !json_at_end(&reader)) {
        problems_add(writing->problems, pointer, "must be a JSON object such as {\"day\": 15}: %s",
                     reader.error ? reader.error : "there is more behind it");
    }
}

/* ---- prices ---- */

static const char *const OF_PRICES[] = { "series", "factor", "add", NULL };

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
    struct series_price price;

    if (!series_price_read(str_of(text), &price)) {
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
        json_text(&writing->json,
                  arena_printf(writing->op->arena, "%s%.*s", price.is_less ? "-" : "",
                               (int)price.add.len, price.add.ptr));
    }
    return true;
}

/* "0.30", or tiers: "0.20 to 100, 0.30", or "spot * 1.1 + 0.02". */
static void write_price(struct writing *writing, const struct charge_row *row, const char *pointer)
{
    struct str rest = str_of(row->price);
    bool has_tiers = strchr(row->price, ',') || strstr(row->price, " to ");

    if (has_tiers) {
        json_key(&writing->json, "tiers");
        json_open_array(&writing->json);
        while (rest.ptr) {
            write_tier(writing, str_trim(str_cut(&rest, ',')));
        }
        json_close_array(&writing->json);
    } else if (!write_by_time(writing, row->price)) {
        member(writing, "rate", row->price);
    }
    members_of(writing, row->more, pointer, OF_PRICES, true);
}

/* ---- charges ---- */

static bool is_percent(const struct charge_row *row)
{
    return strcmp(row->type, "tax") == 0 || strchr(row->price, '%');
}

static bool is_amount(const struct charge_row *row)
{
    return strcmp(row->type, "fixed") == 0 || strcmp(row->type, "minimum") == 0;
}

/* Whether the rows are prices of one charge. */
static bool is_same_charge(const struct charge_row *a, const struct charge_row *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->name, b->name) == 0 && !is_percent(a) &&
           !is_percent(b) && !is_amount(a);
}

static void write_amount(struct writing *writing, const struct charge_row *row)
{
    if (is_percent(row)) {
        struct str text = str_of(row->price);
        char *number = arena_copy(writing->op->arena, str_trim(str_cut(&text, '%')));
        member(writing, "percent", number);
    } else {
        member(writing, "amount", row->price);
        member(writing, "per", row->per);
    }
}

static void write_prices(struct writing *writing, int from, int to)
{
    const struct charge_row *rows = writing->form->charges;
    const char *charge = pointer_of(writing, "charges", writing->n_charges);

    if (to == from + 1 && !rows[from].season[0] && !rows[from].period[0]) {
        writing->places->charges[from].pointer = charge;
        write_price(writing, &rows[from], charge);
        return;
    }
    json_key(&writing->json, "prices");
    json_open_array(&writing->json);
    for (int i = from; i < to; i++) {
        const char *pointer =
            arena_printf(writing->op->arena, "%s/prices/%d", charge, i - from);
        writing->places->charges[i].pointer = pointer;
        json_open_object(&writing->json);
        member(writing, "season", rows[i].season);
        member(writing, "period", rows[i].period);
        write_price(writing, &rows[i], pointer);
        json_close_object(&writing->json);
    }
    json_close_array(&writing->json);
    writing->places->charges[from].also = charge;
}

/* The charge of the rows [from, to). */
static void write_charge(struct writing *writing, int from, int to)
{
    const struct charge_row *row = &writing->form->charges[from];
    const char *pointer = pointer_of(writing, "charges", writing->n_charges);

    json_open_object(&writing->json);
    member(writing, "type", row->type);
    member(writing, "name", row->name);
    if (is_percent(row) || is_amount(row)) {
        writing->places->charges[from].pointer = pointer;
        write_amount(writing, row);
    } else {
        write_prices(writing, from, to);
    }
    member_list(writing, "on", row->of, false);
    for (int i = from; i < to; i++) {
        members_of(writing, writing->form->charges[i].more, pointer, OF_PRICES, false);
    }
    json_close_object(&writing->json);
    writing->n_charges++;
}

static bool is_blank(const struct charge_row *row)
{
    return !row->type[0] && !row->name[0] && !row->price[0];
}

static void write_charges(struct writing *writing)
{
    const struct charge_row *rows = writing->form->charges;
    int n = writing->form->n_charges;

    json_key(&writing->json, "charges");
    json_open_array(&writing->json);
    for (int from = 0, to; from < n; from = to) {
        to = from + 1;
        if (is_blank(&rows[from])) {
            continue;
        }
        while (to < n && is_same_charge(&rows[from], &rows[to])) {
            to++;
        }
        write_charge(writing, from, to);
    }
    json_close_array(&writing->json);
}

/* ---- the calendar ---- */

static void write_seasons(struct writing *writing)
{
    const struct rate_form *form = writing->form;
    int n = 0;

    for (int i = 0; i < form->n_seasons; i++) {
        const struct season_row *row = &form->seasons[i];
        if (!row->name[0] && !row->from[0] && !row->to[0]) {
            continue;
        }
        if (n == 0) {
            json_key(&writing->json, "seasons");
            json_open_array(&writing->json);
        }
        writing->places->seasons[i].pointer = pointer_of(writing, "seasons", n++);
        json_open_object(&writing->json);
        member(writing, "name", row->name);
        member(writing, "title", row->title);
        member(writing, "from", row->from);
        member(writing, "to", row->to);
        json_close_object(&writing->json);
    }
    if (n > 0) {
        json_close_array(&writing->json);
    }
}

static void write_periods(struct writing *writing)
{
    const struct rate_form *form = writing->form;
    int n = 0;

    for (int i = 0; i < form->n_periods; i++) {
        const struct period_row *row = &form->periods[i];
        if (!row->name[0] && !row->title[0]) {
            continue;
        }
        if (n == 0) {
            json_key(&writing->json, "periods");
            json_open_array(&writing->json);
        }
        writing->places->periods[i].pointer = pointer_of(writing, "periods", n++);
        json_open_object(&writing->json);
        member(writing, "name", row->name);
        member(writing, "title", row->title);
        json_close_object(&writing->json);
    }
    if (n > 0) {
        json_close_array(&writing->json);
    }
}

static void write_rules(struct writing *writing)
{
    const struct rate_form *form = writing->form;
    int n = 0;

    for (int i = 0; i < form->n_rules; i++) {
        const struct rule_row *row = &form->rules[i];
        if (!row->period[0] && !row->seasons[0] && !row->days[0] && !row->from[0] && !row->to[0]) {
            continue;
        }
        if (n == 0) {
            json_key(&writing->json, "windows");
            json_open_array(&writing->json);
        }
        writing->places->rules[i].pointer = pointer_of(writing, "windows", n++);
        json_open_object(&writing->json);
        member(writing, "period", row->period);
        member_list(writing, "seasons", row->seasons, false);
        member_list(writing, "days", row->days, true);
        member(writing, "from", row->from);
        member(writing, "to", row->to);
        json_close_object(&writing->json);
    }
    if (n > 0) {
        json_close_array(&writing->json);
    }
}

/* ---- all of it ---- */

enum err rate_form_write(struct op *op, const struct rate_form *form, struct problems *problems,
                         struct rate_form_places *places, struct str *out)
{
    static const char *const none[] = { NULL };
    struct writing writing = {
        .op = op, .form = form, .problems = problems, .places = places,
    };
    struct buf text;

    *places = (struct rate_form_places){ .seasons = { { NULL, NULL } } };
    buf_init(&text, op->arena, MAX_DOCUMENT_BYTES);
    json_writer_init(&writing.json, &text);
    json_open_object(&writing.json);
    for (int i = 0; i < EDITOR_HEAD; i++) {
        member(&writing, form->head[i].name, form->head[i].value);
    }
    write_seasons(&writing);
    write_periods(&writing);
    write_rules(&writing);
    write_charges(&writing);
    rate_form_terms_write(op->arena, form, problems, places, &writing.json);
    members_of(&writing, form->other.value, "/other", none, false);
    json_close_object(&writing.json);
    *out = buf_str(&text);
    return text.is_broken ? fail_memory(op) : OK;
}
