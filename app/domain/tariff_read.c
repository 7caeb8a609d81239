/* A rate schedule's document as a whole: what it is called, where and when it holds, its periods
 * and price series, and in which order the rest is read. Called by whoever stores or tries one. */
#include "domain/tariff_read.h"

#include "domain/currency.h"
#include "domain/span.h"
#include "domain/tariff_check.h"
#include "domain/tariff_parts.h"
#include "domain/zone.h"

#define MAX_DESCRIPTION_BYTES 2000
#define MAX_ZONE_BYTES 64
#define MAX_PRICE_POINTS 20000
#define ALL_HOURS "all"

/* ---- for all parts ---- */

const char *tariff_keep(struct tariff_reading *reading, struct str text)
{
    const char *copy = arena_copy(reading->doc.arena, text);

    if (!copy) {
        problems_add(reading->doc.problems, "", "is too large");
    }
    return copy ? copy : "";
}

void *tariff_array(struct tariff_reading *reading, int n, size_t size)
{
    void *array = n > 0 ? arena_array(reading->doc.arena, (size_t)n, size) : NULL;

    if (n > 0 && !array) {
        problems_add(reading->doc.problems, "", "is too large");
    }
    return array;
}

int tariff_find(const struct tariff_name *names, int n, struct str name)
{
    for (int i = 0; i < n; i++) {
        if (str_equal(str_of(names[i].name), name)) {
            return i;
        }
    }
    return -1;
}

static bool read_name_of(struct tariff_reading *reading, struct doc_node *object, const char *what,
                         const struct tariff_name *names, int *index)
{
    int n = names == reading->out->seasons ? reading->out->n_seasons : reading->out->n_periods;
    struct str name;

    *index = TARIFF_ANY;
    if (!doc_member(object, what)) {
        return true;
    }
    if (!doc_text(&reading->doc, object, what, TARIFF_MAX_NAME_BYTES, &name)) {
        return false;
    }
    *index = tariff_find(names, n, name);
    return *index >= 0 || doc_member_wrong(&reading->doc, object, what, "\"%.*s\" is no %s of it",
                                           (int)name.len, name.ptr, what);
}

bool tariff_read_season(struct tariff_reading *reading, struct doc_node *object, int *out)
{
    return read_name_of(reading, object, "season", reading->out->seasons, out);
}

bool tariff_read_period(struct tariff_reading *reading, struct doc_node *object, int *out)
{
    return read_name_of(reading, object, "period", reading->out->periods, out);
}

/* ---- the head ---- */

static const char *read_text(struct tariff_reading *reading, const char *name, size_t max_bytes)
{
    struct str text;
    bool is_there = doc_text(&reading->doc, reading->doc.root, name, max_bytes, &text);

    return is_there ? tariff_keep(reading, text) : "";
}

static void read_currency(struct tariff_reading *reading)
{
    struct str code;

    if (!doc_require(&reading->doc, reading->doc.root, "currency") ||
        !doc_text(&reading->doc, reading->doc.root, "currency", 3, &code)) {
        return;
    }
    reading->out->currency_decimals = currency_decimals(code);
    if (reading->out->currency_decimals < 0) {
        doc_member_wrong(&reading->doc, reading->doc.root, "currency",
                         "must be a currency's code (ISO 4217) such as EUR");
        return;
    }
    memcpy(reading->out->currency, code.ptr, code.len);
}

static void read_zone(struct tariff_reading *reading)
{
    if (doc_require(&reading->doc, reading->doc.root, "timezone")) {
        reading->out->timezone = read_text(reading, "timezone", MAX_ZONE_BYTES);
        if (reading->out->timezone[0] && !zone_is_name(str_of(reading->out->timezone))) {
            doc_member_wrong(&reading->doc, reading->doc.root, "timezone",
                             "must be a zone of the IANA database such as Europe/Berlin");
        }
    }
}

static void read_validity(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *root = reading->doc.root;

    out->from_day = 0;
    out->to_day = TARIFF_NEVER;
    doc_day(&reading->doc, root, "valid_from", &out->from_day);
    doc_day(&reading->doc, root, "valid_to", &out->to_day);
    if (out->to_day <= out->from_day) {
        doc_member_wrong(&reading->doc, root, "valid_to", "must be after valid_from: it is the "
                         "first day on which the schedule does not hold any more");
    }
}

static void read_rounding(struct tariff_reading *reading)
{
    static const char *const modes[] = { "half_away_from_zero", "half_even", NULL };
    struct tariff *out = reading->out;
    int mode = ROUND_HALF_AWAY;

    out->rounding_decimals = out->currency_decimals < 0 ? 0 : out->currency_decimals;
    struct doc_node *rounding = doc_object(&reading->doc, reading->doc.root, "rounding");
    if (rounding) {
        doc_word(&reading->doc, rounding, "mode", modes, &mode);
        doc_int(&reading->doc, rounding, "decimals", 0, MONEY_MAX_DECIMALS,
                &out->rounding_decimals);
    }
    out->rounding = (enum money_rounding)mode;
}

/* ---- periods ---- */

/* A name alone, or an object with a title too. */
static void read_period(struct tariff_reading *reading, struct doc_node *node)
{
    struct tariff *out = reading->out;
    struct str name, title;

    if (node->type == JSON_OBJECT) {
        if (!doc_require(&reading->doc, node, "name") ||
            !doc_text(&reading->doc, node, "name", TARIFF_MAX_NAME_BYTES, &name)) {
            return;
        }
        if (!doc_text(&reading->doc, node, "title", TARIFF_MAX_NAME_BYTES, &title)) {
            title = name;
        }
    } else {
        name = title = node->text;
    }
    if (node->type != JSON_OBJECT && (node->type != JSON_STRING || name.len == 0 ||
                                      name.len > TARIFF_MAX_NAME_BYTES)) {
        doc_wrong(&reading->doc, node, "must be a name of 1 to %d bytes", TARIFF_MAX_NAME_BYTES);
    } else if (tariff_find(out->periods, out->n_periods, name) >= 0) {
        doc_wrong(&reading->doc, node, "has a name that another period has");
    } else {
        out->periods[out->n_periods++] = (struct tariff_name){ tariff_keep(reading, name),
                                                               tariff_keep(reading, title) };
    }
}

static void read_periods(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *list =
        doc_array(&reading->doc, reading->doc.root, "periods", TARIFF_MAX_PERIODS);

    for (struct doc_node *node = list ? list->first : NULL; node; node = node->next) {
        read_period(reading, node);
    }
    if (out->n_periods == 0) {
        out->periods[out->n_periods++] = (struct tariff_name){ ALL_HOURS, "All hours" };
    }
}

/* ---- prices by time ---- */

static bool read_point(struct tariff_reading *reading, struct doc_node *node, int minutes,
                       struct price_point *point)
{
    struct str time;
    bool has_rate = doc_require(&reading->doc, node, "rate") &&
                    doc_decimal(&reading->doc, node, "rate", &point->rate);

    if (!doc_require(&reading->doc, node, "from") ||
        !doc_text(&reading->doc, node, "from", CLOCK_TEXT_SIZE, &time)) {
        return false;
    }
    if (!clock_parse_rfc3339(time, &point->from_us)) {
        return doc_member_wrong(&reading->doc, node, "from", "must be a time with its offset such "
                                "as 2026-11-20T12:00:00Z");
    }
    point->to_us = point->from_us + minutes * US_PER_MINUTE;
    if (point->from_us % (15 * US_PER_MINUTE) != 0) {
        return doc_member_wrong(&reading->doc, node, "from", "must be on a quarter hour");
    }
    return has_rate;
}

static void read_points(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_series *series)
{
    struct doc_node *list = doc_array(&reading->doc, node, "prices", MAX_PRICE_POINTS);
    struct price_point *points = tariff_array(reading, list ? list->n : 0, sizeof *points);
    int n = 0;

    for (struct doc_node *item = points ? list->first : NULL; item; item = item->next) {
        if (!read_point(reading, item, series->minutes, &points[n])) {
            continue;
        }
        if (n > 0 && points[n].from_us < points[n - 1].to_us) {
            doc_member_wrong(&reading->doc, item, "from", "overlaps the price before it, or is "
                             "earlier");
            continue;
        }
        n++;
    }
    series->points = points;
    series->n_points = n;
}

static bool is_there(const struct tariff *tariff, struct str name)
{
    for (int i = 0; i < tariff->n_series; i++) {
        if (str_equal(str_of(tariff->series[i].name), name)) {
            return true;
        }
    }
    return false;
}

static void read_series(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *list =
        doc_array(&reading->doc, reading->doc.root, "price_series", TARIFF_MAX_SERIES);

    for (struct doc_node *node = list ? list->first : NULL; node; node = node->next) {
        struct tariff_series series = { .minutes = 60 };
        struct str name;
        if (!doc_require(&reading->doc, node, "name") ||
            !doc_text(&reading->doc, node, "name", TARIFF_MAX_NAME_BYTES, &name)) {
            continue;
        }
        if (is_there(out, name)) {
            doc_member_wrong(&reading->doc, node, "name", "is that of another price series");
        }
        series.name = tariff_keep(reading, name);
        doc_int(&reading->doc, node, "minutes", 15, 60, &series.minutes);
        if (series.minutes % 15 != 0 || series.minutes == 45) {
            doc_member_wrong(&reading->doc, node, "minutes", "must be 15, 30 or 60");
        }
        read_points(reading, node, &series);
        out->series[out->n_series++] = series;
    }
}

/* ---- all of it ---- */

const struct tariff *tariff_read(struct arena *arena, struct str text, struct problems *problems)
{
    struct tariff *out = arena_alloc(arena, sizeof *out);
    struct tariff_reading reading = { .out = out };

    if (!out) {
        problems_add(problems, "", "is too large");
        return NULL;
    }
    if (!doc_parse(&reading.doc, text, arena, problems)) {
        return NULL;
    }
    doc_require(&reading.doc, reading.doc.root, "name");
    *out = (struct tariff){ .name = read_text(&reading, "name", TARIFF_MAX_NAME_BYTES),
                            .timezone = "", .currency_decimals = -1 };
    out->description = read_text(&reading, "description", MAX_DESCRIPTION_BYTES);
    out->source = read_text(&reading, "source", MAX_DESCRIPTION_BYTES);
    read_zone(&reading);
    read_currency(&reading);
    read_validity(&reading);
    read_rounding(&reading);
    tariff_read_seasons(&reading);
    tariff_read_holidays(&reading);
    read_periods(&reading);
    tariff_read_windows(&reading);
    tariff_read_baseline(&reading);
    read_series(&reading);
    tariff_read_charges(&reading);
    tariff_read_billing(&reading);
    doc_refuse_unknown(&reading.doc);
    if (problems->n_total == 0) {
        tariff_check(out, problems);
    }
    return problems->n_total == 0 ? out : NULL;
}
