/* GET /v1/costs/explain: all that a local day's cost comes from: series, quarter hours, and the
 * lines of each charge with version, period, tier and rate, exactly. */
#include "web/api_costs.h"

#include "domain/cost_explain.h"
#include "domain/span.h"
#include "web/cost_input.h"
#include "web/list.h"

/* ---- values ---- */

static void member_text(struct json_writer *json, const char *name, const char *value)
{
    json_key(json, name);
    json_text(json, value);
}

static void member_int(struct json_writer *json, const char *name, int64_t value)
{
    json_key(json, name);
    json_int(json, value);
}

static void member_time(struct json_writer *json, const char *name, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    member_text(json, name, clock_format(time_us, text));
}

/* A number of kWh, exactly. */
static void member_kwh(struct json_writer *json, const char *name, struct quantity quantity)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, name);
    json_raw(json, str_of(quantity_format(quantity, 0, text)));
}

static void member_money(struct json_writer *json, const char *name, struct money amount,
                         int decimals)
{
    char text[MONEY_TEXT_SIZE];

    member_text(json, name, money_format(amount, decimals, text));
}

static void member_decimal(struct json_writer *json, const char *name, int64_t nano)
{
    char text[MONEY_TEXT_SIZE];

    member_text(json, name, decimal_format(nano, MONEY_MAX_DECIMALS, 0, text));
}

/* ---- parts ---- */

/* Demand: the window in which it was highest; percentages and minimums: what they are of. */
static void write_origin(struct json_writer *json, const struct cost_account *account,
                         const struct tariff_charge *charge, const struct rating_line *line)
{
    bool is_demand = charge->kind == CHARGE_DEMAND;
    bool is_derived = charge->is_percent || charge->kind == CHARGE_MINIMUM;
    char text[CLOCK_TEXT_SIZE];

    member_text(json, "at",
                is_demand && line->at_us != 0 ? clock_format(line->at_us, text) : NULL);
    json_key(json, "window_minutes");
    if (is_demand) {
        json_int(json, charge->demand_minutes);
    } else {
        json_null(json);
    }
    json_key(json, "base");
    if (is_derived) {
        char base[MONEY_TEXT_SIZE];
        json_text(json, money_format(line->base, account->decimals, base));
    } else {
        json_null(json);
    }
}

static void write_line(struct json_writer *json, const struct cost_account *account,
                       const struct rating_line *line)
{
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
    const struct tariff_charge *charge = &tariff->charges[line->charge];
    const struct cost_cite *cite = &account->rates.cites[line->version];

    json_open_object(json);
    member_text(json, "charge", charge->code);
    member_text(json, "season",
                line->season == TARIFF_ANY ? NULL : tariff->seasons[line->season].name);
    member_text(json, "period",
                line->period == TARIFF_ANY ? NULL : tariff->periods[line->period].name);
    json_key(json, "tier");
    if (line->tier == TARIFF_ANY) {
        json_null(json);
    } else {
        json_int(json, line->tier + 1);
    }
    member_decimal(json, "quantity", line->quantity);
    json_key(json, "rate");
    if (line->has_one_rate) {
        char text[MONEY_TEXT_SIZE];
        json_text(json, decimal_format(line->rate, MONEY_MAX_DECIMALS, 0, text));
    } else {
        json_null(json);
    }
    member_money(json, "amount", line->amount, account->decimals);
    write_origin(json, account, charge, line);
    member_int(json, "schedule", cite->schedule_id);
    member_int(json, "version", cite->number);
    json_close_object(json);
}

static void write_lines(struct json_writer *json, const struct cost_account *account)
{
    const struct rating *rating = &account->rating;

    json_key(json, "lines");
    json_open_array(json);
    for (size_t i = 0; i < rating->n_lines; i++) {
        bool is_asked = rating->lines[i].day == account->from_day;
        if (is_asked && !account->is_valued) {
            write_line(json, account, &rating->lines[i]);
        }
    }
    json_close_array(json);
}

static void write_quarter(struct json_writer *json, const struct cost_account *account, size_t i)
{
    static const char *const known[] = { "missing", "partly", "whole" };
    const struct rating_interval *interval = &account->input.intervals[i];
    const struct rating_slot *slot = &account->rating.slots[i];
    int version = account->rating.days[account->from_day - account->input.from_day].version;
    const struct tariff *tariff =
        version < 0 ? NULL : tariff_of(account->rates.versions[version].plan);

    json_open_object(json);
    member_time(json, "time", interval->start_us);
    member_kwh(json, "energy_kwh", (struct quantity){ interval->import_nkwh });
    member_kwh(json, "export_kwh", (struct quantity){ interval->export_nkwh });
    member_text(json, "known", known[cost_known_at(account, interval->start_us)]);
    member_text(json, "period",
                tariff && slot->period != TARIFF_ANY ? tariff->periods[slot->period].name : NULL);
    member_money(json, "cost", money_add(slot->import, slot->export), account->decimals);
    json_close_object(json);
}

static void write_quarters(struct json_writer *json, const struct cost_account *account,
                           int64_t from_us, int64_t to_us)
{
    json_key(json, "quarters");
    json_open_array(json);
    for (size_t i = 0; i < account->input.n_intervals; i++) {
        int64_t start_us = account->input.intervals[i].start_us;
        if (start_us >= from_us && start_us < to_us) {
            write_quarter(json, account, i);
        }
    }
    json_close_array(json);
}

static void write_sources(struct json_writer *json, const struct cost_sources *sources)
{
    json_key(json, "sources");
    json_open_array(json);
    for (int i = 0; i < sources->n; i++) {
        const struct cost_source *source = &sources->items[i];
        json_open_object(json);
        member_text(json, "device", source->meter->device);
        member_int(json, "series", source->meter->series_id);
        member_text(json, "metric", source->meter->metric);
        member_text(json, "kind", source->meter->kind);
        member_text(json, "role", source->meter->role);
        member_kwh(json, "energy_kwh", source->energy);
        member_int(json, "quarters", source->n_quarters);
        json_key(json, "counted");
        json_bool(json, source->is_counted);
        json_close_object(json);
    }
    json_close_array(json);
}

static enum err write_account(struct web *web, struct json_writer *json,
                              struct cost_account *account)
{
    int64_t from_us = span_day_start(&account->zone, account->from_day);
    int64_t to_us = span_day_start(&account->zone, account->from_day + 1);
    struct cost_sources sources;
    enum err err = cost_explain(web->tx, account, from_us, to_us, &sources);

    if (err != OK) {
        return err;
    }
    json_open_object(json);
    member_text(json, "site", account->site);
    member_text(json, "device", account->device);
    member_time(json, "from", from_us);
    member_time(json, "to", to_us);
    member_text(json, "timezone", account->zone.name);
    member_text(json, "currency", account->currency);
    write_lines(json, account);
    write_quarters(json, account, from_us, to_us);
    write_sources(json, &sources);
    json_close_object(json);
    return OK;
}

/* ---- the answer ---- */

/* `day`, else today. */
static enum err read_day(struct web *web, struct cost_query *query)
{
    struct str text = web_query_text(web, "day");

    query->from = (struct cost_bound){ .kind = BOUND_TIME, .time_us = query->now_us };
    if (text.ptr && !cost_input_bound(text, &query->from)) {
        return fail(web->op, ERR_MALFORMED, "day: must be a date such as 2026-11-20");
    }
    query->to = query->from;
    query->to.day++;
    query->to.time_us++;
    return OK;
}

enum err api_costs_explain(struct web *web)
{
    struct cost_query query;
    struct cost_accounts accounts;
    struct json_writer json;
    enum err err = cost_input(web, &query);

    if (err == OK) {
        err = read_day(web, &query);
    }
    if (err == OK) {
        query.needs_slots = true;
        query.needs_meters = true;
        err = cost_load(web->tx, &query, &accounts);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "items");
    json_open_array(&json);
    for (int i = 0; err == OK && i < accounts.n; i++) {
        err = write_account(web, &json, &accounts.items[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
    return err;
}
