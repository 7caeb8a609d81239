/* Rate schedules as URDB's documents. What URDB cannot say is found first, charge by charge, and
 * told; only what is left is written. */
#include "domain/urdb.h"

#include "base/clock.h"
#include "domain/tariff_plan.h"
#include "domain/urdb_parts.h"

#include <string.h>

#define MONTHS 12
#define HOURS 24
#define MONDAY 0
#define FRIDAY 4
#define SATURDAY 5
#define SUNDAY 6
#define MAX_CELLS 128 /* of a structure: prices that differ */

/* The charges that URDB has members for; -1: there is none. */
struct chosen {
    int energy, export, demand, flat, fixed, minimum;
};

/* A period of URDB: rows of prices. */
struct cell {
    const struct tariff_price *energy, *export;
};

struct writing {
    struct json_writer *json;
    const struct tariff *tariff;
    const struct tariff_plan *plan;
    struct problems *problems;
    struct chosen chosen;
    struct cell cells[MAX_CELLS];
    int n_cells;
    bool is_full;
};

/* ---- what URDB cannot say ---- */

static void refuse(struct writing *writing, const char *field, const char *what)
{
    problems_add(writing->problems, field, "cannot be said in URDB: %s", what);
}

static void refuse_charge(struct writing *writing, int charge, const char *what)
{
    refuse(writing, pointer_element(writing->problems->arena, "/charges", charge), what);
}

static bool is_same_day(const struct tariff_day_plan *a, const struct tariff_day_plan *b)
{
    if (a->n_segments != b->n_segments) {
        return false;
    }
    for (int i = 0; i < a->n_segments; i++) {
        if (a->segments[i].to != b->segments[i].to ||
            a->segments[i].period != b->segments[i].period) {
            return false;
        }
    }
    return true;
}

static void check_days(struct writing *writing, enum tariff_use use, int season)
{
    static const char *const fields[] = { "/windows", "/demand_windows", "/export_windows" };
    const struct tariff_plan *plan = writing->plan;

    for (int class = MONDAY; class <= SUNDAY; class++) {
        const struct tariff_day_plan *day = tariff_class_plan(plan, use, season, class);
        int like = class <= FRIDAY ? MONDAY : SATURDAY;
        if (!is_same_day(day, tariff_class_plan(plan, use, season, like))) {
            refuse(writing, fields[use], "weekdays that differ, or Saturday from Sunday");
            return;
        }
        for (int i = 0; i < day->n_segments; i++) {
            if (day->segments[i].to % 60 != 0) {
                refuse(writing, fields[use], "times that are not on the hour");
                return;
            }
        }
    }
}

static void check_calendar(struct writing *writing)
{
    const struct tariff *tariff = writing->tariff;

    if (tariff->n_holidays > 0) {
        refuse(writing, "/holidays", "holidays");
    }
    for (int i = 0; i < tariff->n_season_spans; i++) {
        if (tariff->season_spans[i].from_date % 100 != 1) {
            refuse(writing, pointer_element(writing->problems->arena, "/seasons", i),
                   "a season that begins within a month");
        }
    }
    for (int season = 0; season < tariff->n_seasons; season++) {
        check_days(writing, TARIFF_IMPORT, season);
        check_days(writing, TARIFF_DEMAND, season);
    }
    if (tariff->windows[TARIFF_EXPORT].n > 0) {
        refuse(writing, "/export_windows", "export by other windows than import");
    }
}

static bool has_series(const struct tariff_charge *charge)
{
    for (int i = 0; i < charge->n_prices; i++) {
        if (charge->prices[i].series >= 0) {
            return true;
        }
    }
    return false;
}

/* Takes the charge's place, where it is free. */
static void choose(struct writing *writing, int *place, int charge, const char *what)
{
    if (*place >= 0) {
        refuse_charge(writing, charge, what);
    } else {
        *place = charge;
    }
}

static void choose_energy(struct writing *writing, int i)
{
    const struct tariff_charge *charge = &writing->tariff->charges[i];

    if (charge->is_of_baseline) {
        refuse_charge(writing, i, "tiers by baselines");
    } else if (charge->has_tiers && !charge->is_tiered_alone && writing->tariff->n_periods > 1) {
        refuse_charge(writing, i, "tiers that count all periods together");
    }
    choose(writing, &writing->chosen.energy, i, "a second charge for energy");
}

static void choose_export(struct writing *writing, int i)
{
    if (writing->tariff->charges[i].has_tiers) {
        refuse_charge(writing, i, "tiers of export");
    }
    choose(writing, &writing->chosen.export, i, "a second charge for export");
}

/* Rows by period go into one structure, rows of all periods into another. */
static void choose_demand(struct writing *writing, int i)
{
    const struct tariff_charge *charge = &writing->tariff->charges[i];
    int n_flat = 0, n_seasonal = 0;

    for (int row = 0; row < charge->n_prices; row++) {
        n_flat += charge->prices[row].period == TARIFF_ANY;
        n_seasonal += charge->prices[row].season != TARIFF_ANY;
    }
    if (n_flat == 0 && n_seasonal == 0) {
        choose(writing, &writing->chosen.demand, i, "a second charge for demand by period");
    } else if (n_flat == charge->n_prices) {
        choose(writing, &writing->chosen.flat, i, "a second charge for flat demand");
    } else {
        refuse_charge(writing, i, "demand by season and period");
    }
}

static void choose_amount(struct writing *writing, int i)
{
    const struct tariff_charge *charge = &writing->tariff->charges[i];
    bool is_minimum = charge->kind == CHARGE_MINIMUM;

    if (charge->per == PER_DATE) {
        refuse_charge(writing, i, "charges on dates");
    } else if (is_minimum && charge->on != (UINT64_C(1) << i) - 1) {
        refuse_charge(writing, i, "a minimum of some charges");
    }
    choose(writing, is_minimum ? &writing->chosen.minimum : &writing->chosen.fixed, i,
           "a second one of the kind");
}

static void choose_charges(struct writing *writing)
{
    for (int i = 0; i < writing->tariff->n_charges; i++) {
        if (has_series(&writing->tariff->charges[i])) {
            refuse_charge(writing, i, "prices by time");
            continue;
        }
        switch (writing->tariff->charges[i].kind) {
        case CHARGE_ENERGY: choose_energy(writing, i); break;
        case CHARGE_EXPORT: choose_export(writing, i); break;
        case CHARGE_DEMAND: choose_demand(writing, i); break;
        case CHARGE_FIXED:
        case CHARGE_MINIMUM: choose_amount(writing, i); break;
        case CHARGE_TAX:
        case CHARGE_RIDER: refuse_charge(writing, i, "taxes and riders"); break;
        }
    }
    if (writing->chosen.energy < 0 && writing->chosen.export >= 0) {
        refuse_charge(writing, writing->chosen.export, "export without a charge for energy");
    }
}

/* Two demand charges share URDB's one window and ratchet. */
static void check_measuring(struct writing *writing)
{
    const struct tariff *tariff = writing->tariff;
    const struct chosen *chosen = &writing->chosen;

    if (chosen->demand >= 0 && chosen->flat >= 0) {
        const struct tariff_charge *a = &tariff->charges[chosen->demand];
        const struct tariff_charge *b = &tariff->charges[chosen->flat];
        if (a->demand_minutes != b->demand_minutes || a->ratchet_percent != b->ratchet_percent) {
            refuse_charge(writing, chosen->flat, "another window or ratchet of flat demand");
        }
    }
}

/* ---- the calendar ---- */

static const struct tariff_price *price_in(const struct writing *writing, int charge, int season,
                                           int period)
{
    return charge < 0 ? NULL : tariff_price_in(writing->plan, charge, season, period);
}

/* URDB's period for a pair of prices. */
static int cell_of(struct writing *writing, struct cell cell)
{
    for (int i = 0; i < writing->n_cells; i++) {
        if (writing->cells[i].energy == cell.energy && writing->cells[i].export == cell.export) {
            return i;
        }
    }
    if (writing->n_cells == MAX_CELLS) {
        writing->is_full = true;
        return 0;
    }
    writing->cells[writing->n_cells] = cell;
    return writing->n_cells++;
}

static int cell_at(struct writing *writing, enum tariff_use use, int season, int class, int hour)
{
    const struct chosen *chosen = &writing->chosen;
    const struct tariff_day_plan *day = tariff_class_plan(writing->plan, use, season, class);
    int period = day->segments[tariff_segment_at(day, hour * 60)].period;
    int charge = use == TARIFF_DEMAND ? chosen->demand : chosen->energy;
    int export = use == TARIFF_DEMAND ? -1 : chosen->export;

    return cell_of(writing, (struct cell){ price_in(writing, charge, season, period),
                                           price_in(writing, export, season, period) });
}

static int season_of_month(const struct writing *writing, int month)
{
    /* Any year will do; the days of January 1970 are those from 0 on. */
    struct clock_fields fields = { .year = 1970, .month = month + 1, .day = 1 };

    return tariff_season_on(writing->plan, clock_join(&fields) / US_PER_DAY);
}

/* That a structure does not get more periods than there may be. */
static void check_cells(struct writing *writing, enum tariff_use use, const char *field)
{
    for (int season = 0; season < writing->tariff->n_seasons; season++) {
        for (int hour = 0; hour < HOURS; hour++) {
            cell_at(writing, use, season, MONDAY, hour);
            cell_at(writing, use, season, SATURDAY, hour);
        }
    }
    if (writing->is_full) {
        refuse(writing, field, "so many prices that differ");
    }
    writing->n_cells = 0;
}

static void write_table(struct writing *writing, const char *key, enum tariff_use use, int class)
{
    struct json_writer *json = writing->json;

    json_key(json, key);
    json_open_array(json);
    for (int month = 0; month < MONTHS; month++) {
        int season = season_of_month(writing, month);
        json_open_array(json);
        for (int hour = 0; hour < HOURS; hour++) {
            json_int(json, cell_at(writing, use, season, class, hour));
        }
        json_close_array(json);
    }
    json_close_array(json);
}

/* ---- values ---- */

/* A decimal as a JSON number, digit by digit. */
static void write_number(struct json_writer *json, const char *key, int64_t nano)
{
    char text[MONEY_TEXT_SIZE];

    json_key(json, key);
    json_raw(json, str_of(decimal_format(nano, MONEY_MAX_DECIMALS, 0, text)));
}

static void write_day(struct json_writer *json, const char *key, int64_t day)
{
    json_key(json, key);
    json_int(json, day * (US_PER_DAY / US_PER_SECOND));
}

static void write_tiers(struct json_writer *json, const struct cell *cell, const char *unit)
{
    static const struct tariff_tier nothing = { TARIFF_NO_LIMIT, 0 };
    const struct tariff_tier *tiers = cell->energy ? cell->energy->tiers : &nothing;
    int n_tiers = cell->energy ? cell->energy->n_tiers : 1;

    json_open_array(json);
    for (int tier = 0; tier < n_tiers; tier++) {
        json_open_object(json);
        if (tiers[tier].up_to != TARIFF_NO_LIMIT) {
            write_number(json, "max", tiers[tier].up_to);
        }
        write_number(json, "rate", tiers[tier].rate);
        json_key(json, "unit");
        json_text(json, unit);
        if (cell->export) {
            write_number(json, "sell", cell->export->tiers->rate);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

/* The structure of the cells that the tables refer to. */
static void write_structure(struct writing *writing, const char *key, const char *unit)
{
    json_key(writing->json, key);
    json_open_array(writing->json);
    for (int i = 0; i < writing->n_cells; i++) {
        write_tiers(writing->json, &writing->cells[i], unit);
    }
    json_close_array(writing->json);
    writing->n_cells = 0;
}

/* ---- charges ---- */

static void write_energy(struct writing *writing)
{
    bool is_daily = writing->tariff->charges[writing->chosen.energy].is_tiered_by_day;

    write_table(writing, "energyweekdayschedule", TARIFF_IMPORT, MONDAY);
    write_table(writing, "energyweekendschedule", TARIFF_IMPORT, SATURDAY);
    write_structure(writing, "energyratestructure", is_daily ? "kWh daily" : "kWh");
}

static void write_demand(struct writing *writing)
{
    write_table(writing, "demandweekdayschedule", TARIFF_DEMAND, MONDAY);
    write_table(writing, "demandweekendschedule", TARIFF_DEMAND, SATURDAY);
    write_structure(writing, "demandratestructure", "kW");
}

static void write_flat(struct writing *writing)
{
    json_key(writing->json, "flatdemandmonths");
    json_open_array(writing->json);
    for (int month = 0; month < MONTHS; month++) {
        const struct tariff_price *price =
            price_in(writing, writing->chosen.flat, season_of_month(writing, month), 0);
        json_int(writing->json, cell_of(writing, (struct cell){ price, NULL }));
    }
    json_close_array(writing->json);
    write_structure(writing, "flatdemandstructure", "kW");
}

static void write_measuring(struct writing *writing)
{
    const struct chosen *chosen = &writing->chosen;
    int charge = chosen->demand >= 0 ? chosen->demand : chosen->flat;

    if (charge < 0) {
        return;
    }
    json_key(writing->json, "demandwindow");
    json_int(writing->json, writing->tariff->charges[charge].demand_minutes);
    if (writing->tariff->charges[charge].ratchet_percent == 0) {
        return;
    }
    char text[MONEY_TEXT_SIZE];
    decimal_format(writing->tariff->charges[charge].ratchet_percent / 100, MONEY_MAX_DECIMALS, 0,
                   text);
    json_key(writing->json, "demandratchetpercentage");
    json_open_array(writing->json);
    for (int month = 0; month < MONTHS; month++) {
        json_raw(writing->json, str_of(text));
    }
    json_close_array(writing->json);
}

static void write_amount(struct writing *writing, int charge, const char *key, const char *unit_key)
{
    static const char *const units[] = { "$/day", "$/month", "$/year" };

    if (charge >= 0) {
        write_number(writing->json, key, writing->tariff->charges[charge].amount);
        json_key(writing->json, unit_key);
        json_text(writing->json, units[writing->tariff->charges[charge].per]);
    }
}

static void write_text(struct json_writer *json, const char *key, const char *text)
{
    if (text[0]) {
        json_key(json, key);
        json_text(json, text);
    }
}

/* A source with what it supercedes behind it, as urdb_read keeps it, is taken apart again. */
static void write_source(struct json_writer *json, const char *source)
{
    const char *former = strstr(source, URDB_FORMER);
    size_t len = strlen(source);

    if (!former || source[len - 1] != ')' ||
        (former != source && former[-1] != ' ')) {
        write_text(json, "uri", source);
        return;
    }
    const char *label = former + sizeof URDB_FORMER - 1;
    if (former > source + 1) {
        json_key(json, "uri");
        json_string(json, (struct str){ source, (size_t)(former - source) - 1 });
    }
    json_key(json, "supercedes");
    json_string(json, (struct str){ label, (size_t)(source + len - 1 - label) });
}

static void write_all(struct writing *writing)
{
    const struct tariff *tariff = writing->tariff;
    struct json_writer *json = writing->json;

    json_open_object(json);
    write_text(json, "name", tariff->name);
    write_text(json, "description", tariff->description);
    write_source(json, tariff->source);
    if (tariff->from_day > 0) {
        write_day(json, "startdate", tariff->from_day);
    }
    if (tariff->to_day != TARIFF_NEVER) {
        write_day(json, "enddate", tariff->to_day - 1);
    }
    if (writing->chosen.energy >= 0) {
        write_energy(writing);
    }
    if (writing->chosen.demand >= 0) {
        write_demand(writing);
    }
    if (writing->chosen.flat >= 0) {
        write_flat(writing);
    }
    write_measuring(writing);
    write_amount(writing, writing->chosen.fixed, "fixedchargefirstmeter", "fixedchargeunits");
    write_amount(writing, writing->chosen.minimum, "mincharge", "minchargeunits");
    json_close_object(json);
}

bool urdb_write(struct json_writer *json, const struct tariff *tariff, struct problems *problems)
{
    struct writing writing = {
        .json = json,
        .tariff = tariff,
        .plan = tariff_compile(problems->arena, tariff),
        .problems = problems,
        .chosen = { -1, -1, -1, -1, -1, -1 },
    };

    if (!writing.plan) {
        return problems_add(problems, "", "is too large");
    }
    check_calendar(&writing);
    choose_charges(&writing);
    check_measuring(&writing);
    check_cells(&writing, TARIFF_IMPORT, "/windows");
    check_cells(&writing, TARIFF_DEMAND, "/demand_windows");
    if (problems->n_total > 0) {
        return false;
    }
    write_all(&writing);
    return true;
}
