/* URDB's rates as rate schedules: its calendar of months and hours becomes seasons, periods and
 * windows. What comes out is a document, which tariff_read checks as any other. */
#include "domain/urdb.h"

#include "base/clock.h"
#include "domain/tariff_read.h"
#include "domain/urdb_parts.h"

#define MAX_DOCUMENT_BYTES (1u << 20)
#define MAX_STRUCTURE_PERIODS 30
#define MAX_TEXT_BYTES 2000
#define MAX_LABEL_BYTES 64
#define S_PER_DAY (US_PER_DAY / US_PER_SECOND)
#define MAX_EPOCH_S INT64_C(32503680000) /* the year 3000 */

/* ---- values ---- */

const char *urdb_period_name(struct urdb_reading *reading, char kind, int index)
{
    const char *name = arena_printf(reading->doc.arena, "%c%d", kind, index + 1);
    return name ? name : "";
}

const char *urdb_season_name(struct urdb_reading *reading, int season)
{
    return urdb_period_name(reading, 's', season);
}

int64_t urdb_number(struct urdb_reading *reading, struct doc_node *object, const char *name)
{
    struct doc_node *node = doc_member(object, name);
    int64_t value = 0;

    if (node && ((node->type != JSON_NUMBER && node->type != JSON_STRING) ||
                 !decimal_parse_near(node->text, MONEY_MAX_DECIMALS, &value) ||
                 value <= -NANO * NANO / 4 || value >= NANO * NANO / 4)) {
        doc_wrong(&reading->doc, node, "must be a number below a quarter of a billion");
        return 0;
    }
    return value;
}

void urdb_write_decimal(struct json_writer *json, const char *key, int64_t nano)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, key);
    json_text(json, decimal_format(nano, MONEY_MAX_DECIMALS, 0, text));
}

static void write_text(struct urdb_reading *reading, const char *key, const char *member,
                       size_t max_bytes)
{
    struct doc_node *node = doc_member(reading->rate, member);

    if (node && node->type == JSON_STRING && node->text.len > 0) {
        size_t len = node->text.len < max_bytes ? node->text.len : max_bytes;
        while (len > 0 && len < node->text.len && (node->text.ptr[len] & 0xc0) == 0x80) {
            len--; /* not within a character */
        }
        json_key(reading->json, key);
        json_string(reading->json, (struct str){ node->text.ptr, len });
    }
}

/* "https://… (supercedes 539f6a1aec4f024411ec8bf5)" */
static void write_source(struct urdb_reading *reading)
{
    struct doc_node *former = doc_member(reading->rate, "supercedes");
    struct doc_node *uri = doc_member(reading->rate, "uri");

    if (!former || former->type != JSON_STRING || former->text.len == 0 ||
        former->text.len > MAX_LABEL_BYTES) {
        write_text(reading, "source", "uri", MAX_TEXT_BYTES);
        return;
    }
    bool has_uri = uri && uri->type == JSON_STRING && uri->text.len > 0 &&
                   uri->text.len < MAX_TEXT_BYTES - 2 * MAX_LABEL_BYTES;
    json_key(reading->json, "source");
    json_text(reading->json,
              arena_printf(reading->doc.arena, "%.*s%s" URDB_FORMER "%.*s)",
                           has_uri ? (int)uri->text.len : 0, has_uri ? uri->text.ptr : "",
                           has_uri ? " " : "", (int)former->text.len, former->text.ptr));
}

/* A time in seconds, which is a midnight somewhere, as the date there. */
static void write_date(struct urdb_reading *reading, const char *key, const char *member,
                       int64_t plus_days)
{
    struct doc_node *node = doc_member(reading->rate, member);
    char text[CLOCK_TEXT_SIZE];
    long long time_s;

    if (!node) {
        return;
    }
    if (node->type != JSON_NUMBER || !str_to_int64(node->text, &time_s) || time_s < 0 ||
        time_s > MAX_EPOCH_S) {
        doc_wrong(&reading->doc, node, "must be a time in seconds since 1970");
        return;
    }
    int64_t day = (time_s + S_PER_DAY / 2) / S_PER_DAY + plus_days;
    clock_format(day * US_PER_DAY, text);
    json_key(reading->json, key);
    json_string(reading->json, (struct str){ text, sizeof "2026-11-20" - 1 });
}

/* ---- schedules ---- */

static bool read_period(struct urdb_reading *reading, struct doc_node *node, int n_periods,
                        uint8_t *out)
{
    long long value;

    if (node->type != JSON_NUMBER || !str_to_int64(node->text, &value) || value < 0 ||
        value >= n_periods) {
        return doc_wrong(&reading->doc, node, "must be a period of the structure, 0 to %d",
                         n_periods - 1);
    }
    *out = (uint8_t)value;
    return true;
}

/* A list of exactly n. */
static struct doc_node *list_of(struct urdb_reading *reading, struct doc_node *node, int n)
{
    if (!node || node->type != JSON_ARRAY || node->n != n) {
        doc_wrong(&reading->doc, node ? node : reading->rate, "must be a list of %d", n);
        return NULL;
    }
    return node->first;
}

static void read_table(struct urdb_reading *reading, const char *name, int n_periods,
                       uint8_t out[URDB_MONTHS][URDB_HOURS])
{
    if (!doc_require(&reading->doc, reading->rate, name)) {
        return;
    }
    struct doc_node *month = list_of(reading, doc_member(reading->rate, name), URDB_MONTHS);
    for (int m = 0; month; month = month->next, m++) {
        struct doc_node *hour = list_of(reading, month, URDB_HOURS);
        for (int h = 0; hour; hour = hour->next, h++) {
            read_period(reading, hour, n_periods, &out[m][h]);
        }
    }
}

static int structure_periods(struct urdb_reading *reading, const char *name)
{
    struct doc_node *list =
        doc_array(&reading->doc, reading->rate, name, MAX_STRUCTURE_PERIODS);

    return list ? list->n : 0;
}

static void read_schedule(struct urdb_reading *reading, const char *structure, const char *weekday,
                          const char *weekend, struct urdb_schedule *out)
{
    out->n_periods = structure_periods(reading, structure);
    if (out->n_periods > 0) {
        read_table(reading, weekday, out->n_periods, out->weekday);
        read_table(reading, weekend, out->n_periods, out->weekend);
    }
}

static void read_flat(struct urdb_reading *reading)
{
    reading->n_flat = structure_periods(reading, "flatdemandstructure");
    if (reading->n_flat == 0 || !doc_require(&reading->doc, reading->rate, "flatdemandmonths")) {
        return;
    }
    struct doc_node *month =
        list_of(reading, doc_member(reading->rate, "flatdemandmonths"), URDB_MONTHS);
    for (int m = 0; month; month = month->next, m++) {
        read_period(reading, month, reading->n_flat, &reading->flat[m]);
    }
}

/* ---- seasons ---- */

static bool is_alike(const struct urdb_schedule *schedule, int a, int b)
{
    return memcmp(schedule->weekday[a], schedule->weekday[b], URDB_HOURS) == 0 &&
           memcmp(schedule->weekend[a], schedule->weekend[b], URDB_HOURS) == 0;
}

/* Months that are alike are of one season, next to each other or not. */
static void find_seasons(struct urdb_reading *reading)
{
    for (int m = 0; m < URDB_MONTHS; m++) {
        int other = 0;
        while (other < m && !(is_alike(&reading->energy, m, other) &&
                              is_alike(&reading->demand, m, other) &&
                              reading->flat[m] == reading->flat[other])) {
            other++;
        }
        reading->season[m] = other < m ? reading->season[other] : reading->n_seasons++;
    }
}

static void write_month(struct json_writer *json, const char *key, int month)
{
    const char text[] = { (char)('0' + (month + 1) / 10), (char)('0' + (month + 1) % 10),
                          '-', '0', '1', 0 };
    json_key(json, key);
    json_text(json, text);
}

static void write_seasons(struct urdb_reading *reading)
{
    if (reading->n_seasons == 1) {
        return;
    }
    json_key(reading->json, "seasons");
    json_open_array(reading->json);
    for (int from = 0, to; from < URDB_MONTHS; from = to) {
        for (to = from + 1; to < URDB_MONTHS && reading->season[to] == reading->season[from];) {
            to++;
        }
        json_open_object(reading->json);
        json_key(reading->json, "name");
        json_text(reading->json, urdb_season_name(reading, reading->season[from]));
        write_month(reading->json, "from", from);
        write_month(reading->json, "to", to % URDB_MONTHS);
        json_close_object(reading->json);
    }
    json_close_array(reading->json);
}

/* ---- periods and windows ---- */

static void write_periods_of(struct urdb_reading *reading, const struct urdb_schedule *schedule,
                             char kind, const char *title)
{
    for (int i = 0; i < schedule->n_periods; i++) {
        json_open_object(reading->json);
        json_key(reading->json, "name");
        json_text(reading->json, urdb_period_name(reading, kind, i));
        json_key(reading->json, "title");
        json_text(reading->json, arena_printf(reading->doc.arena, "%s %d", title, i + 1));
        json_close_object(reading->json);
    }
}

static void write_hour(struct json_writer *json, const char *key, int hour)
{
    const char text[] = { (char)('0' + hour / 10), (char)('0' + hour % 10), ':', '0', '0', 0 };

    json_key(json, key);
    json_text(json, text);
}

/* The stretches of one kind of day; `days` NULL: of all. */
static void write_day(struct urdb_reading *reading, const uint8_t hours[URDB_HOURS], char kind,
                      int season, const char *days)
{
    struct json_writer *json = reading->json;

    for (int from = 0, to; from < URDB_HOURS; from = to) {
        for (to = from + 1; to < URDB_HOURS && hours[to] == hours[from];) {
            to++;
        }
        json_open_object(json);
        json_key(json, "period");
        json_text(json, urdb_period_name(reading, kind, hours[from]));
        if (reading->n_seasons > 1) {
            json_key(json, "seasons");
            json_open_array(json);
            json_text(json, urdb_season_name(reading, season));
            json_close_array(json);
        }
        if (days) {
            json_key(json, "days");
            json_open_array(json);
            json_text(json, days);
            json_close_array(json);
        }
        write_hour(json, "from", from);
        write_hour(json, "to", to);
        json_close_object(json);
    }
}

static void write_windows(struct urdb_reading *reading, const struct urdb_schedule *schedule,
                          const char *key, char kind)
{
    if (schedule->n_periods == 0) {
        return;
    }
    json_key(reading->json, key);
    json_open_array(reading->json);
    for (int season = 0; season < reading->n_seasons; season++) {
        int month = 0;
        while (reading->season[month] != season) {
            month++;
        }
        if (memcmp(schedule->weekday[month], schedule->weekend[month], URDB_HOURS) == 0) {
            write_day(reading, schedule->weekday[month], kind, season, NULL);
        } else {
            write_day(reading, schedule->weekday[month], kind, season, "weekdays");
            write_day(reading, schedule->weekend[month], kind, season, "weekends");
        }
    }
    json_close_array(reading->json);
}

static void write_calendar(struct urdb_reading *reading)
{
    write_seasons(reading);
    if (reading->energy.n_periods + reading->demand.n_periods > 0) {
        json_key(reading->json, "periods");
        json_open_array(reading->json);
        write_periods_of(reading, &reading->energy, 'p', "Period");
        write_periods_of(reading, &reading->demand, 'd', "Demand period");
        json_close_array(reading->json);
    }
    if (reading->energy.n_periods > 0) {
        write_windows(reading, &reading->energy, "windows", 'p');
    } else {
        write_windows(reading, &reading->demand, "windows", 'd');
    }
    write_windows(reading, &reading->demand, "demand_windows", 'd');
}

/* ---- all of it ---- */

/* The object of the rate: the root, or the only item. */
static bool find_rate(struct urdb_reading *reading)
{
    struct doc_node *items = doc_member(reading->doc.root, "items");

    reading->rate = reading->doc.root;
    if (!items) {
        return true;
    }
    if (items->type != JSON_ARRAY || items->n != 1 || items->first->type != JSON_OBJECT) {
        return doc_wrong(&reading->doc, items, "must be a list of exactly one rate");
    }
    reading->rate = items->first;
    return true;
}

static void convert(struct urdb_reading *reading, struct str zone, struct str currency)
{
    struct json_writer *json = reading->json;

    json_open_object(json);
    write_text(reading, "name", "name", TARIFF_MAX_NAME_BYTES);
    write_text(reading, "description", "description", MAX_TEXT_BYTES);
    write_source(reading);
    json_key(json, "timezone");
    json_string(json, zone);
    json_key(json, "currency");
    json_string(json, currency);
    write_date(reading, "valid_from", "startdate", 0);
    write_date(reading, "valid_to", "enddate", 1); /* URDB's is the last day */
    read_schedule(reading, "energyratestructure", "energyweekdayschedule", "energyweekendschedule",
                  &reading->energy);
    read_schedule(reading, "demandratestructure", "demandweekdayschedule", "demandweekendschedule",
                  &reading->demand);
    read_flat(reading);
    find_seasons(reading);
    write_calendar(reading);
    urdb_convert_charges(reading);
    json_close_object(json);
}

/* ---- what was left out ---- */

static bool is_empty(const struct doc_node *node)
{
    bool is_list = node->type == JSON_ARRAY || node->type == JSON_OBJECT;

    return node->type == JSON_NULL || (is_list ? node->n == 0 : node->text.len == 0) ||
           str_equal(node->text, STR("0"));
}

static bool is_any(struct str name, const char *const *names)
{
    while (*names && !str_equal(name, str_of(*names))) {
        names++;
    }
    return *names != NULL;
}

/* Members that nothing above asked for, but for those that name the rate. */
static void tell_left(struct urdb_reading *reading, struct problems *left)
{
    static const char *const about[] = {
        "label", "utility", "eiaid", "sector", "servicetype", "country", "approved", "is_default",
        "version", "revisions", "source", "sourceparent", NULL,
    };
    struct doc doc = reading->doc;

    doc.problems = left;
    for (struct doc_node *node = reading->rate->first; node; node = node->next) {
        if (node->is_asked_for || is_empty(node) || is_any(node->key, about)) {
            continue;
        }
        if (!str_equal(node->key, STR("dgrules"))) {
            doc_wrong(&doc, node, "is not taken over");
        } else if (!reading->has_sell) {
            doc_wrong(&doc, node, "is not taken over: there is no price for what is fed in (sell), "
                                  "which is paid nothing");
        }
    }
}

const struct tariff *urdb_read(struct arena *arena, struct str text, struct str zone,
                               struct str currency, struct problems *problems,
                               struct problems *left)
{
    struct urdb_reading *reading = arena_alloc(arena, sizeof *reading);
    struct json_writer json;
    struct buf document;

    if (!reading) {
        problems_add(problems, "", "is too large");
        return NULL;
    }
    buf_init(&document, arena, MAX_DOCUMENT_BYTES);
    json_writer_init(&json, &document);
    reading->json = &json;
    if (!doc_parse(&reading->doc, text, arena, problems) || !find_rate(reading)) {
        return NULL;
    }
    convert(reading, zone, currency);
    if (document.is_broken) {
        problems_add(problems, "", "is too large");
    }
    if (left) {
        tell_left(reading, left);
    }
    return problems->n_total == 0 ? tariff_read(arena, buf_str(&document), problems) : NULL;
}
