/* The calendar of a rate schedule's document: seasons, holidays, windows, baselines and billing
 * cycles. Called by tariff_read.c. */
#include "domain/span.h"
#include "domain/tariff_parts.h"

#define ALL_YEAR "year"
#define MAX_BASELINE_NKWH (1000000 * NANO) /* so that sums of years can be held */
#define MAX_CYCLE_DAYS 400

static const char *const WEEKDAYS[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

static const struct { const char *name; uint32_t days; } DAY_WORDS[] = {
    { "mon", 0x01 }, { "tue", 0x02 }, { "wed", 0x04 }, { "thu", 0x08 }, { "fri", 0x10 },
    { "sat", 0x20 }, { "sun", 0x40 }, { "weekdays", TARIFF_WEEKDAYS },
    { "weekends", TARIFF_WEEKENDS }, { "holidays", TARIFF_HOLIDAYS }, { "all", TARIFF_ALL_DAYS },
};

/* Two digits at text[at]; -1 for anything else. */
static int two_digits(struct str text, size_t at)
{
    int tens = text.ptr[at] - '0', ones = text.ptr[at + 1] - '0';
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

bool tariff_read_date(struct tariff_reading *reading, const struct doc_node *node, int *out)
{
    static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool has_shape = node->type == JSON_STRING && node->text.len == 5 && node->text.ptr[2] == '-';
    int month = has_shape ? two_digits(node->text, 0) : 0;
    int mday = has_shape ? two_digits(node->text, 3) : 0;

    if (month < 1 || month > 12 || mday < 1 || mday > lengths[month - 1]) {
        return doc_wrong(&reading->doc, node, "must be a day of the year such as 06-01");
    }
    *out = month * 100 + mday;
    return true;
}

/* ---- seasons ---- */

static bool read_span(struct tariff_reading *reading, struct doc_node *node,
                      struct tariff_season_span *span)
{
    struct doc_node *from, *to;

    if (!doc_require(&reading->doc, node, "from") || !doc_require(&reading->doc, node, "to")) {
        return false;
    }
    from = doc_member(node, "from");
    to = doc_member(node, "to");
    return tariff_read_date(reading, from, &span->from_date) &&
           tariff_read_date(reading, to, &span->to_date);
}

/* The season of that name, which may have had a span before. */
static int season_named(struct tariff_reading *reading, struct str name, struct str title)
{
    struct tariff *out = reading->out;
    int season = tariff_find(out->seasons, out->n_seasons, name);

    if (season < 0) {
        season = out->n_seasons++;
        out->seasons[season] =
            (struct tariff_name){ tariff_keep(reading, name), tariff_keep(reading, title) };
    }
    return season;
}

void tariff_read_seasons(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *list =
        doc_array(&reading->doc, reading->doc.root, "seasons", TARIFF_MAX_SEASONS);
    struct tariff_season_span *spans = tariff_array(reading, list ? list->n : 0, sizeof *spans);

    for (struct doc_node *node = list && spans ? list->first : NULL; node; node = node->next) {
        struct tariff_season_span *span = &spans[out->n_season_spans];
        struct str name, title;
        bool is_read = read_span(reading, node, span);
        if (!is_read || !doc_require(&reading->doc, node, "name") ||
            !doc_text(&reading->doc, node, "name", TARIFF_MAX_NAME_BYTES, &name)) {
            continue;
        }
        if (!doc_text(&reading->doc, node, "title", TARIFF_MAX_NAME_BYTES, &title)) {
            title = name;
        }
        span->season = season_named(reading, name, title);
        out->n_season_spans++;
    }
    out->season_spans = spans;
    if (out->n_seasons == 0) {
        out->seasons[out->n_seasons++] = (struct tariff_name){ ALL_YEAR, "All year" };
    }
}

/* ---- holidays ---- */

static void read_nth(struct tariff_reading *reading, struct doc_node *node,
                     struct tariff_holiday *holiday)
{
    struct doc *doc = &reading->doc;

    holiday->kind = HOLIDAY_NTH_WEEKDAY;
    if (doc_require(doc, node, "month") && doc_require(doc, node, "weekday") &&
        doc_require(doc, node, "nth")) {
        doc_int(doc, node, "month", 1, 12, &holiday->month);
        doc_word(doc, node, "weekday", WEEKDAYS, &holiday->weekday);
        doc_int(doc, node, "nth", -1, 5, &holiday->nth);
        if (holiday->nth == 0) {
            doc_member_wrong(doc, node, "nth", "must be 1 to 5, or -1 for the last");
        }
    }
}

static void read_holiday(struct tariff_reading *reading, struct doc_node *node,
                         struct tariff_holiday *holiday)
{
    static const char *const observed[] = { "as_it_is", "nearest_weekday", "sunday_to_monday",
                                            "next_weekday", NULL };
    struct doc *doc = &reading->doc;
    struct doc_node *on = doc_member(node, "on");
    struct str name = STR("");
    int rule = OBSERVED_AS_IT_IS, date = 0;
    int n_kinds = (doc_member(node, "date") != NULL) + (on != NULL) +
                  (doc_member(node, "weekday") != NULL) + (doc_member(node, "easter") != NULL);

    if (n_kinds != 1) {
        doc_wrong(doc, node, "must have exactly one of date, on, weekday (with month and nth) and "
                             "easter");
        return;
    }
    doc_text(doc, node, "name", TARIFF_MAX_NAME_BYTES, &name);
    doc_word(doc, node, "observed", observed, &rule);
    doc_int(doc, node, "offset", -7, 7, &holiday->offset);
    holiday->name = tariff_keep(reading, name);
    holiday->observed = (enum tariff_observed)rule;
    if (on) {
        holiday->kind = HOLIDAY_YEARLY;
        tariff_read_date(reading, on, &date);
        holiday->month = date / 100;
        holiday->mday = date % 100;
    } else if (doc_member(node, "weekday")) {
        read_nth(reading, node, holiday);
    } else if (doc_member(node, "easter")) {
        holiday->kind = HOLIDAY_EASTER;
        if (doc_member(node, "offset")) {
            doc_member_wrong(doc, node, "offset", "must be part of easter, which is in days");
        }
        doc_int(doc, node, "easter", -60, 70, &holiday->offset);
    } else {
        holiday->kind = HOLIDAY_DATE;
        doc_day(doc, node, "date", &holiday->day);
    }
}

void tariff_read_holidays(struct tariff_reading *reading)
{
    struct doc_node *list =
        doc_array(&reading->doc, reading->doc.root, "holidays", TARIFF_MAX_ROWS);
    struct tariff_holiday *holidays = tariff_array(reading, list ? list->n : 0, sizeof *holidays);
    int n = 0;

    for (struct doc_node *node = list && holidays ? list->first : NULL; node; node = node->next) {
        read_holiday(reading, node, &holidays[n++]);
    }
    reading->out->holidays = holidays;
    reading->out->n_holidays = n;
}

/* ---- windows ---- */

static bool read_minute(struct tariff_reading *reading, struct doc_node *node, const char *name,
                        int *out)
{
    struct doc_node *member = doc_member(node, name);

    if (!member) {
        return true;
    }
    bool has_shape =
        member->type == JSON_STRING && member->text.len == 5 && member->text.ptr[2] == ':';
    int hour = has_shape ? two_digits(member->text, 0) : -1;
    int minute = has_shape ? two_digits(member->text, 3) : -1;
    if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > MINUTES_PER_DAY) {
        return doc_wrong(&reading->doc, member, "must be a time of the day from 00:00 to 24:00");
    }
    *out = hour * 60 + minute;
    return true;
}

static uint32_t days_named(struct str word)
{
    for (size_t i = 0; i < sizeof DAY_WORDS / sizeof DAY_WORDS[0]; i++) {
        if (str_equal(word, str_of(DAY_WORDS[i].name))) {
            return DAY_WORDS[i].days;
        }
    }
    return 0;
}

static void read_days(struct tariff_reading *reading, struct doc_node *node, uint32_t *out)
{
    struct doc_node *list = doc_array(&reading->doc, node, "days", TARIFF_MAX_ROWS);
    uint32_t all = 0;

    for (struct doc_node *item = list ? list->first : NULL; item; item = item->next) {
        uint32_t days = item->type == JSON_STRING ? days_named(item->text) : 0;
        if (days == 0) {
            doc_wrong(&reading->doc, item, "must be mon to sun, weekdays, weekends, holidays or "
                                           "all");
        }
        all |= days;
    }
    if (list && list->n == 0) {
        doc_wrong(&reading->doc, list, "must name some day; without it all days are meant");
    }
    *out = list ? all : TARIFF_ALL_DAYS;
}

static void read_window_seasons(struct tariff_reading *reading, struct doc_node *node,
                                uint32_t *out)
{
    const struct tariff *tariff = reading->out;
    struct doc_node *list = doc_array(&reading->doc, node, "seasons", TARIFF_MAX_SEASONS);
    uint32_t all = 0;

    for (struct doc_node *item = list ? list->first : NULL; item; item = item->next) {
        int season = item->type == JSON_STRING
                         ? tariff_find(tariff->seasons, tariff->n_seasons, item->text)
                         : -1;
        if (season < 0) {
            doc_wrong(&reading->doc, item, "is no season of it");
        } else {
            all |= 1u << season;
        }
    }
    if (list && list->n == 0) {
        doc_wrong(&reading->doc, list, "must name some season; without it all are meant");
    }
    *out = list ? all : (1u << tariff->n_seasons) - 1;
}

static void read_window(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_window *window)
{
    *window = (struct tariff_window){ .to = MINUTES_PER_DAY };
    if (!doc_require(&reading->doc, node, "period")) {
        return;
    }
    tariff_read_period(reading, node, &window->period);
    read_days(reading, node, &window->days);
    read_window_seasons(reading, node, &window->seasons);
    if (read_minute(reading, node, "from", &window->from) &&
        read_minute(reading, node, "to", &window->to) &&
        (window->from == window->to || window->from == MINUTES_PER_DAY)) {
        doc_member_wrong(&reading->doc, node, "to", "leaves no time behind from");
    }
}

static void read_windows_of(struct tariff_reading *reading, const char *name,
                            struct tariff_windows *out)
{
    struct doc_node *list = doc_array(&reading->doc, reading->doc.root, name, TARIFF_MAX_ROWS);
    struct tariff_window *windows = tariff_array(reading, list ? list->n : 0, sizeof *windows);

    for (struct doc_node *node = list && windows ? list->first : NULL; node; node = node->next) {
        read_window(reading, node, &windows[out->n++]);
    }
    out->items = windows;
}

void tariff_read_windows(struct tariff_reading *reading)
{
    read_windows_of(reading, "windows", &reading->out->windows[TARIFF_IMPORT]);
    read_windows_of(reading, "demand_windows", &reading->out->windows[TARIFF_DEMAND]);
    read_windows_of(reading, "export_windows", &reading->out->windows[TARIFF_EXPORT]);
}

/* ---- baselines ---- */

void tariff_read_baseline(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *list =
        doc_array(&reading->doc, reading->doc.root, "baseline", TARIFF_MAX_SEASONS);

    for (struct doc_node *node = list ? list->first : NULL; node; node = node->next) {
        int64_t nkwh = 0;
        int season;
        bool has_kwh = doc_require(&reading->doc, node, "kwh_per_day") &&
                       doc_decimal(&reading->doc, node, "kwh_per_day", &nkwh);
        if (!tariff_read_season(reading, node, &season) || !has_kwh) {
            continue;
        }
        if (nkwh <= 0 || nkwh > MAX_BASELINE_NKWH) {
            doc_member_wrong(&reading->doc, node, "kwh_per_day",
                             "must be more than nothing and at most a million");
        }
        for (int s = 0; s < out->n_seasons; s++) {
            if (season == TARIFF_ANY || season == s) {
                out->baseline[s] = nkwh;
            }
        }
    }
}

/* ---- billing cycles ---- */

void tariff_read_billing(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc_node *billing = doc_object(&reading->doc, reading->doc.root, "billing");

    out->billing_day = 1;
    if (!billing) {
        return;
    }
    doc_int(&reading->doc, billing, "day", 1, 31, &out->billing_day);
    struct doc_node *list = doc_array(&reading->doc, billing, "starts", TARIFF_MAX_ROWS);
    int64_t *days = tariff_array(reading, list ? list->n : 0, sizeof *days);
    int n = 0;
    for (struct doc_node *node = list && days ? list->first : NULL; node; node = node->next) {
        if (doc_day_of(&reading->doc, node, &days[n]) && n > 0 &&
            (days[n] <= days[n - 1] || days[n] > days[n - 1] + MAX_CYCLE_DAYS)) {
            doc_wrong(&reading->doc, node, "must be after the one before it, by at most %d days",
                      MAX_CYCLE_DAYS);
        }
        n++;
    }
    out->billing_days = days;
    out->n_billing_days = n;
}
