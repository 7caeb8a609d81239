/* Writes rate schedules as documents. Called by the API, the editor and imports. */
#include "domain/tariff_write.h"

#include "base/clock.h"

static const char *const DAYS[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays" };

/* ---- values ---- */

static void write_decimal(struct json_writer *json, const char *key, int64_t nano)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, key);
    json_text(json, decimal_format(nano, MONEY_MAX_DECIMALS, 0, text));
}

static void write_text(struct json_writer *json, const char *key, const char *text)
{
    if (text[0]) {
        json_key(json, key);
        json_text(json, text);
    }
}

static void write_int(struct json_writer *json, const char *key, int value)
{
    json_key(json, key);
    json_int(json, value);
}

static void day_text(int64_t day, char out[CLOCK_TEXT_SIZE])
{
    clock_format(day * US_PER_DAY, out);
    out[sizeof "2026-11-20" - 1] = 0;
}

static void write_day(struct json_writer *json, const char *key, int64_t day)
{
    char text[CLOCK_TEXT_SIZE];

    day_text(day, text);
    json_key(json, key);
    json_text(json, text);
}

/* Two numbers of two digits, as dates and times of the day have them. */
static void write_pair(struct json_writer *json, int high, char mark, int low)
{
    const char text[] = { (char)('0' + high / 10), (char)('0' + high % 10), mark,
                          (char)('0' + low / 10),  (char)('0' + low % 10),  0 };
    json_text(json, text);
}

static void write_date(struct json_writer *json, const char *key, int date)
{
    json_key(json, key);
    write_pair(json, date / 100, '-', date % 100);
}

static void write_minute(struct json_writer *json, const char *key, int minute)
{
    json_key(json, key);
    write_pair(json, minute / 60, ':', minute % 60);
}

/* ---- the calendar ---- */

static void write_name(struct json_writer *json, const struct tariff_name *name)
{
    write_text(json, "name", name->name);
    if (strcmp(name->name, name->title) != 0) {
        write_text(json, "title", name->title);
    }
}

static void write_seasons(struct json_writer *json, const struct tariff *tariff)
{
    if (tariff->n_season_spans == 0) {
        return;
    }
    json_key(json, "seasons");
    json_open_array(json);
    for (int i = 0; i < tariff->n_season_spans; i++) {
        const struct tariff_season_span *span = &tariff->season_spans[i];
        json_open_object(json);
        write_name(json, &tariff->seasons[span->season]);
        write_date(json, "from", span->from_date);
        write_date(json, "to", span->to_date);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_holiday(struct json_writer *json, const struct tariff_holiday *holiday)
{
    static const char *const observed[] = { NULL, "nearest_weekday", "sunday_to_monday",
                                            "next_weekday" };
    json_open_object(json);
    write_text(json, "name", holiday->name);
    switch (holiday->kind) {
    case HOLIDAY_DATE: write_day(json, "date", holiday->day); break;
    case HOLIDAY_YEARLY: write_date(json, "on", holiday->month * 100 + holiday->mday); break;
    case HOLIDAY_NTH_WEEKDAY:
        write_int(json, "month", holiday->month);
        write_text(json, "weekday", DAYS[holiday->weekday]);
        write_int(json, "nth", holiday->nth);
        break;
    case HOLIDAY_EASTER: write_int(json, "easter", holiday->offset); break;
    }
    if (holiday->kind != HOLIDAY_EASTER && holiday->offset != 0) {
        write_int(json, "offset", holiday->offset);
    }
    if (observed[holiday->observed]) {
        write_text(json, "observed", observed[holiday->observed]);
    }
    json_close_object(json);
}

static void write_holidays(struct json_writer *json, const struct tariff *tariff)
{
    if (tariff->n_holidays == 0) {
        return;
    }
    json_key(json, "holidays");
    json_open_array(json);
    for (int i = 0; i < tariff->n_holidays; i++) {
        write_holiday(json, &tariff->holidays[i]);
    }
    json_close_array(json);
}

static void write_periods(struct json_writer *json, const struct tariff *tariff)
{
    json_key(json, "periods");
    json_open_array(json);
    for (int i = 0; i < tariff->n_periods; i++) {
        json_open_object(json);
        write_name(json, &tariff->periods[i]);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_days(struct json_writer *json, uint32_t days)
{
    if (days == TARIFF_ALL_DAYS) {
        return;
    }
    json_key(json, "days");
    json_open_array(json);
    if ((days & TARIFF_WEEKDAYS) == TARIFF_WEEKDAYS) {
        json_text(json, "weekdays");
        days &= ~TARIFF_WEEKDAYS;
    }
    if ((days & TARIFF_WEEKENDS) == TARIFF_WEEKENDS) {
        json_text(json, "weekends");
        days &= ~TARIFF_WEEKENDS;
    }
    for (int day = 0; day < TARIFF_DAY_CLASSES; day++) {
        if (days & 1u << day) {
            json_text(json, DAYS[day]);
        }
    }
    json_close_array(json);
}

static void write_window(struct json_writer *json, const struct tariff *tariff,
                         const struct tariff_window *window)
{
    json_open_object(json);
    write_text(json, "period", tariff->periods[window->period].name);
    if (window->seasons != (1u << tariff->n_seasons) - 1) {
        json_key(json, "seasons");
        json_open_array(json);
        for (int season = 0; season < tariff->n_seasons; season++) {
            if (window->seasons & 1u << season) {
                json_text(json, tariff->seasons[season].name);
            }
        }
        json_close_array(json);
    }
    write_days(json, window->days);
    if (window->from != 0 || window->to != MINUTES_PER_DAY) {
        write_minute(json, "from", window->from);
        write_minute(json, "to", window->to);
    }
    json_close_object(json);
}

static void write_windows(struct json_writer *json, const struct tariff *tariff)
{
    static const char *const fields[] = { "windows", "demand_windows", "export_windows" };

    for (int use = 0; use < TARIFF_USES; use++) {
        if (tariff->windows[use].n == 0) {
            continue;
        }
        json_key(json, fields[use]);
        json_open_array(json);
        for (int i = 0; i < tariff->windows[use].n; i++) {
            write_window(json, tariff, &tariff->windows[use].items[i]);
        }
        json_close_array(json);
    }
}

static void write_baseline(struct json_writer *json, const struct tariff *tariff)
{
    bool is_open = false;

    for (int season = 0; season < tariff->n_seasons; season++) {
        if (tariff->baseline[season] == 0) {
            continue;
        }
        if (!is_open) {
            json_key(json, "baseline");
            json_open_array(json);
            is_open = true;
        }
        json_open_object(json);
        write_text(json, "season", tariff->seasons[season].name);
        write_decimal(json, "kwh_per_day", tariff->baseline[season]);
        json_close_object(json);
    }
    if (is_open) {
        json_close_array(json);
    }
}

/* ---- prices ---- */

static void write_series(struct json_writer *json, const struct tariff_series *series)
{
    char time[CLOCK_TEXT_SIZE];

    json_open_object(json);
    write_text(json, "name", series->name);
    write_int(json, "minutes", series->minutes);
    if (series->n_points > 0) {
        json_key(json, "prices");
        json_open_array(json);
    }
    for (int i = 0; i < series->n_points; i++) {
        json_open_object(json);
        write_text(json, "from", clock_format(series->points[i].from_us, time));
        write_decimal(json, "rate", series->points[i].rate);
        json_close_object(json);
    }
    if (series->n_points > 0) {
        json_close_array(json);
    }
    json_close_object(json);
}

static void write_all_series(struct json_writer *json, const struct tariff *tariff)
{
    if (tariff->n_series == 0) {
        return;
    }
    json_key(json, "price_series");
    json_open_array(json);
    for (int i = 0; i < tariff->n_series; i++) {
        write_series(json, &tariff->series[i]);
    }
    json_close_array(json);
}

static void write_tiers(struct json_writer *json, const struct tariff_price *price)
{
    json_key(json, "tiers");
    json_open_array(json);
    for (int i = 0; i < price->n_tiers; i++) {
        json_open_object(json);
        if (price->tiers[i].up_to != TARIFF_NO_LIMIT) {
            write_decimal(json, "up_to", price->tiers[i].up_to);
        }
        write_decimal(json, "rate", price->tiers[i].rate);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_price(struct json_writer *json, const struct tariff *tariff,
                        const struct tariff_price *price)
{
    if (price->series < 0) {
        if (price->n_tiers == 1) {
            write_decimal(json, "rate", price->tiers[0].rate);
        } else {
            write_tiers(json, price);
        }
        return;
    }
    write_text(json, "series", tariff->series[price->series].name);
    if (price->factor != NANO) {
        write_decimal(json, "factor", price->factor);
    }
    if (price->add != 0) {
        write_decimal(json, "add", price->add);
    }
}

static void write_prices(struct json_writer *json, const struct tariff *tariff,
                         const struct tariff_charge *charge)
{
    const struct tariff_price *only = &charge->prices[0];

    if (charge->n_prices == 1 && only->season == TARIFF_ANY && only->period == TARIFF_ANY) {
        write_price(json, tariff, only);
        return;
    }
    json_key(json, "prices");
    json_open_array(json);
    for (int i = 0; i < charge->n_prices; i++) {
        const struct tariff_price *price = &charge->prices[i];
        json_open_object(json);
        write_text(json, "season",
                   price->season == TARIFF_ANY ? "" : tariff->seasons[price->season].name);
        write_text(json, "period",
                   price->period == TARIFF_ANY ? "" : tariff->periods[price->period].name);
        write_price(json, tariff, price);
        json_close_object(json);
    }
    json_close_array(json);
}

/* ---- charges ---- */

static void write_demand(struct json_writer *json, const struct tariff_charge *charge)
{
    write_int(json, "window_minutes", charge->demand_minutes);
    if (charge->ratchet_percent != 0) {
        json_key(json, "ratchet");
        json_open_object(json);
        write_decimal(json, "percent", charge->ratchet_percent);
        write_int(json, "cycles", charge->ratchet_cycles);
        json_close_object(json);
    }
}

static void write_amount(struct json_writer *json, const struct tariff_charge *charge)
{
    static const char *const per[] = { "day", "month", "year", "date" };

    write_decimal(json, "amount", charge->amount);
    write_text(json, "per", per[charge->per]);
    if (charge->n_dates == 0) {
        return;
    }
    json_key(json, "dates");
    json_open_array(json);
    for (int i = 0; i < charge->n_dates; i++) {
        write_pair(json, charge->dates[i] / 100, '-', charge->dates[i] % 100);
    }
    json_close_array(json);
}

static void write_on(struct json_writer *json, const struct tariff *tariff,
                     const struct tariff_charge *charge)
{
    json_key(json, "on");
    json_open_array(json);
    for (int i = 0; i < tariff->n_charges; i++) {
        if (charge->on >> i & 1) {
            json_text(json, tariff->charges[i].code);
        }
    }
    json_close_array(json);
}

static void write_charge(struct json_writer *json, const struct tariff *tariff,
                         const struct tariff_charge *charge)
{
    json_open_object(json);
    write_text(json, "type", TARIFF_CHARGE_NAMES[charge->kind]);
    write_text(json, "name", charge->name);
    if (charge->n_prices > 0) {
        write_prices(json, tariff, charge);
    }
    if (charge->is_of_baseline) {
        write_text(json, "tier_unit", "baseline_percent");
    }
    if (charge->is_tiered_by_day) {
        write_text(json, "tiers_begin", "day");
    }
    if (charge->is_tiered_alone) {
        write_text(json, "tiers_count", "period");
    }
    if (charge->kind == CHARGE_DEMAND) {
        write_demand(json, charge);
    }
    if (charge->kind == CHARGE_FIXED || charge->kind == CHARGE_MINIMUM) {
        write_amount(json, charge);
    }
    if (charge->is_percent) {
        write_decimal(json, "percent", charge->percent);
    }
    if (charge->is_percent || charge->kind == CHARGE_MINIMUM) {
        write_on(json, tariff, charge);
    }
    json_close_object(json);
}

/* ---- all of it ---- */

static void write_billing(struct json_writer *json, const struct tariff *tariff)
{
    char text[CLOCK_TEXT_SIZE];

    json_key(json, "billing");
    json_open_object(json);
    write_int(json, "day", tariff->billing_day);
    if (tariff->n_billing_days > 0) {
        json_key(json, "starts");
        json_open_array(json);
        for (int i = 0; i < tariff->n_billing_days; i++) {
            day_text(tariff->billing_days[i], text);
            json_text(json, text);
        }
        json_close_array(json);
    }
    json_close_object(json);
}

static void write_rounding(struct json_writer *json, const struct tariff *tariff)
{
    json_key(json, "rounding");
    json_open_object(json);
    write_text(json, "mode",
               tariff->rounding == ROUND_HALF_EVEN ? "half_even" : "half_away_from_zero");
    write_int(json, "decimals", tariff->rounding_decimals);
    json_close_object(json);
}

void tariff_write(struct json_writer *json, const struct tariff *tariff)
{
    json_open_object(json);
    write_text(json, "name", tariff->name);
    write_text(json, "description", tariff->description);
    write_text(json, "source", tariff->source);
    write_text(json, "timezone", tariff->timezone);
    write_text(json, "currency", tariff->currency);
    write_day(json, "valid_from", tariff->from_day);
    if (tariff->to_day != TARIFF_NEVER) {
        write_day(json, "valid_to", tariff->to_day);
    }
    write_seasons(json, tariff);
    write_holidays(json, tariff);
    write_periods(json, tariff);
    write_windows(json, tariff);
    write_baseline(json, tariff);
    write_all_series(json, tariff);
    json_key(json, "charges");
    json_open_array(json);
    for (int i = 0; i < tariff->n_charges; i++) {
        write_charge(json, tariff, &tariff->charges[i]);
    }
    json_close_array(json);
    write_billing(json, tariff);
    write_rounding(json, tariff);
    json_close_object(json);
}
