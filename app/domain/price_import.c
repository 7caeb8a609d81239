/* Reads lists of prices. Called by the API and the page of rate schedules. The lists are long, so
 * JSON is pulled and not made a tree of. */
#include "domain/price_import.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/limits.h"
#include "domain/money.h"

#define QUARTER_US (15 * US_PER_MINUTE)
#define MAX_COLUMNS 32

/* A time as it is written: where the zone's clocks pass it twice, both instants. */
struct moment {
    int64_t us, again_us;
};

struct item {
    struct moment from, to;
    bool has_to;
    int64_t rate;
    int place; /* in the list: element, or line */
};

struct import {
    struct arena *arena;
    const struct price_import *how;
    struct problems *problems;
    const char *places; /* printf's, of an item's place: "/results/%d" */
    struct item *items;
    size_t n, size;
    bool has_others; /* prices for other payment methods were passed over */
};

__attribute__((format(printf, 3, 4))) static bool wrong(struct import *import, int place,
                                                        const char *format, ...)
{
    char detail[200], field[32];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    snprintf(field, sizeof field, "%s%d", import->places, place);
    return problems_add(import->problems, field, "%s", detail);
}

/* ---- values ---- */

static struct moment local_moment(const struct zone *zone, int64_t local_us)
{
    int64_t before_us = zone_offset_at(zone, local_us - US_PER_DAY) * US_PER_SECOND;
    int64_t after_us = zone_offset_at(zone, local_us + US_PER_DAY) * US_PER_SECOND;
    int64_t first_us = local_us - before_us, second_us = local_us - after_us;
    bool has_first = zone_offset_at(zone, first_us) * US_PER_SECOND == before_us;
    bool has_second = zone_offset_at(zone, second_us) * US_PER_SECOND == after_us;

    if (has_first && has_second) {
        return first_us < second_us ? (struct moment){ first_us, second_us }
                                    : (struct moment){ first_us, first_us };
    }
    /* One that the clocks skip is as much later. */
    int64_t us = has_second ? second_us : first_us;
    return (struct moment){ us, us };
}

/* RFC 3339, or the same without an offset, with or without seconds: local. */
static bool read_moment(const struct import *import, struct str text, struct moment *out)
{
    char whole[CLOCK_TEXT_SIZE];
    bool has_minutes_only = text.len == sizeof "2026-11-20T12:00" - 1;
    int length = snprintf(whole, sizeof whole, "%.*s%sZ", (int)(text.len < 30 ? text.len : 30),
                          text.ptr ? text.ptr : "", has_minutes_only ? ":00" : "");
    int64_t local_us;

    if (clock_parse_rfc3339(text, &out->us)) {
        out->again_us = out->us;
        return out->us % QUARTER_US == 0;
    }
    if (!clock_parse_rfc3339((struct str){ whole, (size_t)length }, &local_us)) {
        return false;
    }
    *out = local_moment(import->how->zone, local_us);
    return out->us % QUARTER_US == 0;
}

static bool read_rate(const struct import *import, struct str text, int64_t *out)
{
    if (!decimal_parse_near(text, MONEY_MAX_DECIMALS, out)) {
        return false;
    }
    *out = nano_scale(*out, import->how->unit_nano, NANO);
    return *out > -NANO * NANO && *out < NANO * NANO;
}

static bool read_item(struct import *import, struct str from, struct str to, struct str rate,
                      int place)
{
    struct item item = { .place = place, .has_to = to.len > 0 };

    if (!read_moment(import, from, &item.from)) {
        return wrong(import, place, "must begin at a time on a quarter hour");
    }
    if (item.has_to && !read_moment(import, to, &item.to)) {
        return wrong(import, place, "must end at a time on a quarter hour");
    }
    if (!read_rate(import, rate, &item.rate)) {
        return wrong(import, place, "must have a price, a decimal below a billion");
    }
    if (import->n == import->size) {
        size_t size = import->size * 2 + 256;
        struct item *items = arena_resize(import->arena, import->items,
                                          import->size * sizeof *items, size * sizeof *items);
        if (!items || import->n >= PRICE_IMPORT_MAX) {
            return wrong(import, place, "is one too many: at most %d may be", PRICE_IMPORT_MAX);
        }
        import->items = items;
        import->size = size;
    }
    import->items[import->n++] = item;
    return true;
}

/* ---- from items to points ---- */

static int compare(const void *left, const void *right)
{
    const struct item *a = left, *b = right;

    if (a->from.us != b->from.us) {
        return a->from.us < b->from.us ? -1 : 1;
    }
    return (a->place > b->place) - (a->place < b->place);
}

/* Of two items of one ambiguous time the later one is in the second pass of the clock. */
static void tell_apart(struct import *import, bool is_newest_first)
{
    for (size_t i = 0; i + 1 < import->n; i++) {
        struct item *here = &import->items[i], *next = here + 1;
        if (here->from.us == next->from.us && next->from.again_us > next->from.us) {
            struct item *second = is_newest_first ? here : next;
            second->from.us = second->from.again_us;
        }
    }
}

/* The end of an item: as it says, or where the next begins, or after so many minutes. */
static int64_t end_of(const struct import *import, size_t i)
{
    const struct item *item = &import->items[i];
    int64_t next_us = i + 1 < import->n ? import->items[i + 1].from.us : CLOCK_MAX_US;

    if (item->has_to) {
        return item->to.us > item->from.us ? item->to.us : item->to.again_us;
    }
    return import->how->minutes > 0 ? item->from.us + import->how->minutes * US_PER_MINUTE
                                    : next_us;
}

static bool finish(struct import *import, struct price_series *out)
{
    struct price_point *points = arena_array(import->arena, import->n + 1, sizeof *points);

    if (!points) {
        return problems_add(import->problems, "", "is too large");
    }
    if (import->n == 0) {
        return import->has_others
                   ? problems_add(import->problems, "", "has no prices for payment_method %.*s",
                                  (int)import->how->payment_method.len,
                                  import->how->payment_method.ptr)
                   : problems_add(import->problems, "", "has no prices");
    }
    bool is_newest_first = import->items[0].from.us > import->items[import->n - 1].from.us;
    qsort(import->items, import->n, sizeof *import->items, compare);
    tell_apart(import, is_newest_first);
    qsort(import->items, import->n, sizeof *import->items, compare);
    for (size_t i = 0; i < import->n; i++) {
        const struct item *item = &import->items[i];
        points[i] = (struct price_point){ item->from.us, end_of(import, i), item->rate };
        if (points[i].to_us <= points[i].from_us) {
            wrong(import, item->place, "must end after it begins");
        } else if (i > 0 && points[i].from_us < points[i - 1].to_us) {
            wrong(import, item->place, "overlaps another price");
        }
    }
    *out = (struct price_series){ points, import->n };
    return import->problems->n_total == 0;
}

/* ---- JSON ---- */

static bool read_text(struct json_reader *reader, struct str *out)
{
    switch (json_peek(reader)) {
    case JSON_STRING: return json_read_string(reader, out);
    case JSON_NULL: return json_read_null(reader);
    default: return json_skip(reader, out); /* a number, as it is written */
    }
}

static void read_result(struct import *import, struct json_reader *reader, int place)
{
    struct str key, from = { 0 }, to = { 0 }, rate = { 0 }, method = { 0 }, ignored = { 0 };
    const char *value = import->how->is_without_tax ? "value_exc_vat" : "value_inc_vat";

    if (!json_enter_object(reader)) {
        return;
    }
    while (json_next_member(reader, &key)) {
        struct str *member = str_equal(key, STR("valid_from"))       ? &from
                             : str_equal(key, STR("valid_to"))       ? &to
                             : str_equal(key, STR("payment_method")) ? &method
                             : str_equal(key, str_of(value))         ? &rate
                                                                     : &ignored;
        read_text(reader, member);
    }
    if (method.len > 0 && !str_equal_nocase(method, import->how->payment_method)) {
        import->has_others = true;
    } else if (!reader->error) {
        read_item(import, from, to, rate, place);
    }
}

static void read_results(struct import *import, struct json_reader *reader)
{
    struct str key;
    int place = 0;

    json_enter_object(reader);
    while (json_next_member(reader, &key)) {
        if (!str_equal(key, STR("results"))) {
            json_skip(reader, NULL);
            continue;
        }
        json_enter_array(reader);
        while (json_next_element(reader)) {
            read_result(import, reader, place++);
        }
    }
}

bool price_import_json(struct arena *arena, struct str text, const struct price_import *how,
                       struct price_series *out, struct problems *problems)
{
    const struct price_import ends = {
        .zone = how->zone,
        .unit_nano = how->unit_nano,
        .is_without_tax = how->is_without_tax,
        .payment_method =
            how->payment_method.ptr ? how->payment_method : STR(PRICE_IMPORT_METHOD),
    };
    struct import import = {
        .arena = arena, .how = &ends, .problems = problems, .places = "/results/",
    };
    struct json_reader reader;

    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    read_results(&import, &reader);
    if (!json_at_end(&reader)) {
        return problems_add(problems, "", "is no list of unit rates: %s, at byte %zu",
                            reader.error ? reader.error : "there is more behind it",
                            json_offset(&reader));
    }
    return finish(&import, out);
}

/* ---- CSV ---- */

struct columns {
    int from, to, rate; /* -1: there is none */
    int n;
};

/* The first column of one of these names, which NULL ends. */
static int column_named(const struct str *names, int n, const char *const *wanted)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; wanted[j]; j++) {
            if (str_equal_nocase(str_trim(names[i]), str_of(wanted[j]))) {
                return i;
            }
        }
    }
    return -1;
}

static bool read_header(struct import *import, char *record, size_t len, struct columns *out)
{
    static const char *const times[] = { "time", "from", "valid_from", "start", NULL };
    static const char *const ends[] = { "to", "valid_to", "end", NULL };
    static const char *const rates[] = { "price", "rate", "value", "value_inc_vat", NULL };
    struct str names[MAX_COLUMNS];
    int n = csv_split(record, len, names, MAX_COLUMNS);

    *out = (struct columns){ column_named(names, n, times), column_named(names, n, ends),
                             column_named(names, n, rates), n };
    if (out->from < 0 || out->rate < 0) {
        return wrong(import, 1, "must name a column time and a column price");
    }
    return true;
}

static void read_row(struct import *import, char *record, size_t len, const struct columns *columns,
                     int line)
{
    struct str fields[MAX_COLUMNS];
    int n = csv_split(record, len, fields, MAX_COLUMNS);

    if (n == 0) {
        return;
    }
    if (n < columns->n) {
        wrong(import, line, "must have %d columns", columns->n);
        return;
    }
    read_item(import, str_trim(fields[columns->from]),
              columns->to < 0 ? STR("") : str_trim(fields[columns->to]),
              str_trim(fields[columns->rate]), line);
}

bool price_import_csv(struct arena *arena, struct str text, const struct price_import *how,
                      struct price_series *out, struct problems *problems)
{
    struct import import = {
        .arena = arena, .how = how, .problems = problems, .places = "line ",
    };
    struct columns columns = { .n = 0 };
    char *at = arena_copy(arena, text);
    unsigned lines, line = 1;

    if (!at) {
        return problems_add(problems, "", "is too large");
    }
    for (char *end = at + text.len; at < end; line += lines) {
        size_t len = csv_record((struct str){ at, (size_t)(end - at) }, true, &lines);
        if (len == 0) {
            return wrong(&import, (int)line, "has a quote that is not closed");
        }
        if (columns.n > 0) {
            read_row(&import, at, len, &columns, (int)line);
        } else if (!read_header(&import, at, len, &columns)) {
            return false;
        }
        at += len;
    }
    return problems->n_total == 0 && finish(&import, out);
}
