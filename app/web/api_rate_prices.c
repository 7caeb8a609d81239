/* /v1/rate-schedules/{id}/prices: prices by time of a schedule whose document has a price series.
 * Admins bring them as suppliers publish them, everybody of the tenant reads them. */
#include "web/api_rates.h"

#include "base/clock.h"
#include "domain/price_import.h"
#include "domain/rate_price.h"
#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "domain/tariff_read.h"
#include "domain/zone.h"
#include "web/rate_input.h"

#include <string.h>

#define ZONE_DAYS_AHEAD 400 /* prices are known a day or a year before */

/* The schedule of the address with its newest document. */
struct priced {
    int32_t id;
    const struct tariff *tariff;
    const struct tariff_series *series;
};

/* `series` of the query, which may be left out where there is one. */
static enum err find_series(struct web *web, struct priced *out)
{
    struct str name = web_query_text(web, "series");
    const struct tariff *tariff = out->tariff;

    if (tariff->n_series == 0) {
        return fail(web->op, ERR_INVALID, "The rate schedule has no price series.");
    }
    if (!name.ptr && tariff->n_series > 1) {
        return fail(web->op, ERR_INVALID, "series: must be given, for there are several");
    }
    for (int i = 0; i < tariff->n_series; i++) {
        if (!name.ptr || str_equal(name, str_of(tariff->series[i].name))) {
            out->series = &tariff->series[i];
            return OK;
        }
    }
    return fail(web->op, ERR_INVALID, "series: is none of the rate schedule");
}

static enum err find(struct web *web, struct priced *out)
{
    struct rate_schedule schedule;
    struct problems problems;
    const char *document;
    enum err err = api_rates_capture(web, &out->id);

    if (err == OK) {
        err = rate_schedule_find(web->tx, out->id, &schedule);
    }
    if (err == OK) {
        err = rate_version_document(web->tx, out->id, schedule.newest.number, &document);
    }
    if (err != OK) {
        return err;
    }
    problems_init(&problems, web->op->arena);
    out->tariff = tariff_read(web->op->arena, str_of(document), &problems);
    if (!out->tariff) {
        return fail(web->op, ERR_INTERNAL, "the document of rate schedule %d does not read",
                    (int)out->id);
    }
    return find_series(web, out);
}

/* ---- bringing ---- */

/* A word of the query that is `first` or `second`: whether it is the second; `fallback`. */
static enum err query_second(struct web *web, const char *name, const char *first,
                             const char *second, bool *out)
{
    struct str text = web_query_text(web, name);

    if (!text.ptr) {
        return OK;
    }
    *out = str_equal(text, str_of(second));
    if (!*out && !str_equal(text, str_of(first))) {
        return fail(web->op, ERR_INVALID, "%s: must be %s or %s", name, first, second);
    }
    return OK;
}

/* How the list is read: as the supplier of its form publishes it, but for what is asked. */
static enum err read_how(struct web *web, const struct priced *priced, bool is_csv,
                         struct zone *zone, struct price_import *how)
{
    struct str zone_name = web_query_text(web, "timezone");
    bool is_minor = !is_csv, is_zone = true;
    const int64_t now = clock_now_us();
    enum err err = query_second(web, "unit", "major", "minor", &is_minor);

    *how = (struct price_import){ .zone = zone,
                                  .payment_method = web_query_text(web, "payment_method"),
                                  .minutes = priced->series->minutes };
    if (err == OK) {
        err = query_second(web, "tax", "included", "excluded", &how->is_without_tax);
    }
    how->unit_nano = is_minor ? NANO / 100 : NANO;
    if (!zone_name.ptr) {
        zone_name = is_csv ? str_of(priced->tariff->timezone) : STR("Europe/London");
    } else if (err == OK) {
        err = zone_exists(web->tx, zone_name, &is_zone);
    }
    if (err == OK && !is_zone) {
        err = fail(web->op, ERR_INVALID, "timezone: is no time zone of the tz database");
    }
    const char *name = arena_copy(web->op->arena, zone_name);
    if (err == OK && !name) {
        err = fail_memory(web->op);
    }
    return err == OK ? zone_load(web->tx, name, now - SPAN_MAX_DAYS * US_PER_DAY,
                                 now + ZONE_DAYS_AHEAD * US_PER_DAY, zone) : err;
}

static enum err read_prices(struct web *web, const struct priced *priced, struct price_series *out)
{
    struct str text, type = web->request->content_type;
    struct price_import how;
    struct problems problems;
    struct zone zone;
    const bool is_csv = str_equal(type, STR("text/csv"));

    if (!is_csv && !str_equal(type, STR("application/json"))) {
        return fail(web->op, ERR_MEDIA_TYPE, "The body must be application/json or text/csv.");
    }
    enum err err = http_read_decoded_body(web->request, web->max_body, &text);
    if (err == OK) {
        err = read_how(web, priced, is_csv, &zone, &how);
    }
    if (err != OK) {
        return err;
    }
    problems_init(&problems, web->op->arena);
    bool is_read = is_csv ? price_import_csv(web->op->arena, text, &how, out, &problems)
                          : price_import_json(web->op->arena, text, &how, out, &problems);
    return is_read ? OK : rate_input_refuse(web, "list of prices", &problems);
}

enum err api_rates_prices_add(struct web *web)
{
    struct priced priced;
    struct price_series prices = { .n = 0 };
    struct json_writer json;
    int32_t added = 0;
    enum err err = find(web, &priced);

    if (err == OK) {
        err = read_prices(web, &priced, &prices);
    }
    if (err == OK) {
        err = rate_price_add(web->tx, priced.id, priced.series->name, &prices, &added);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "series");
    json_text(&json, priced.series->name);
    json_key(&json, "added");
    json_int(&json, added);
    json_key(&json, "unchanged");
    json_int(&json, (int64_t)prices.n - added);
    json_close_object(&json);
    return OK;
}

/* ---- reading ---- */

static const char *const COLUMNS[] = { "from", "to", "rate", "known_since" };
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static void write_price(struct list_writer *list, const struct rate_price *price)
{
    char text[MONEY_TEXT_SIZE];

    list_item(list);
    list_time(list, price->point.from_us);
    if (price->point.to_us == INT64_MAX) {
        list_null(list);
    } else {
        list_time(list, price->point.to_us);
    }
    list_text(list, decimal_format(price->point.rate, MONEY_MAX_DECIMALS, 0, text));
    list_time(list, price->known_us);
    list_end_item(list);
}

static enum err read_filter(struct web *web, struct rate_price_filter *filter)
{
    struct str as_of = web_query_text(web, "as_of");
    bool has_cursor = false;
    struct cursor cursor = { .time_us = 0 };
    enum err err = web_query_span(web, &filter->from_us, &filter->to_us);

    filter->known_us = INT64_MAX;
    if (err == OK && as_of.ptr && !clock_parse(as_of, &filter->known_us)) {
        err = fail(web->op, ERR_MALFORMED, "as_of: must be an RFC 3339 time or an integer epoch");
    }
    if (err == OK) {
        err = web_query_limit(web, &filter->limit);
    }
    if (err == OK) {
        err = web_query_cursor(web, CURSOR_PRICES, &has_cursor, &cursor);
    }
    if (err == OK && has_cursor) {
        filter->from_us = cursor.time_us + 1;
    }
    return err;
}

enum err api_rates_prices_list(struct web *web)
{
    struct priced priced;
    struct rate_price_filter filter = { 0 };
    struct rate_price_list prices;
    struct list_writer list;
    enum err err = read_filter(web, &filter);

    if (err == OK) {
        err = find(web, &priced);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    const int limit = filter.limit++;
    filter.schedule_id = priced.id;
    filter.series = priced.series->name;
    err = rate_price_list(web->tx, &filter, &prices);
    if (err != OK) {
        return err;
    }
    int n = prices.n > limit ? limit : prices.n;
    for (int i = 0; i < n; i++) {
        write_price(&list, &prices.items[i]);
    }
    struct cursor last = { .time_us = n > 0 ? prices.items[n - 1].point.from_us : 0,
                           .key = STR("") };
    return list_end(&list, CURSOR_PRICES, prices.n > limit ? &last : NULL);
}
