/* URDB's structures of rates as charges: energy, demand, flat demand, fixed and minimum ones, and
 * what is paid for what is sold. Called by urdb_read.c. */
#include "domain/urdb_parts.h"

#define DEMAND_MINUTES 15

/* ---- what we have no words for ---- */

static void refuse_unspoken(struct urdb_reading *reading)
{
    static const struct { const char *member, *what; } unspoken[] = {
        { "coincidentratestructure", "coincident demand" },
        { "demandreactivepowercharge", "reactive power" },
        { "lookbackpercent", "demand of other months but by a ratchet" },
        { "annualmincharge", "a minimum of a year" },
        { "fixedchargeeaaddl", "charges of further meters" },
    };
    for (size_t i = 0; i < sizeof unspoken / sizeof unspoken[0]; i++) {
        struct doc_node *node = doc_member(reading->rate, unspoken[i].member);
        int64_t value = 0;
        bool is_nothing = !node || (node->type == JSON_ARRAY && node->n == 0) ||
                          (decimal_parse_near(node->text, MONEY_MAX_DECIMALS, &value) &&
                           value == 0);
        if (!is_nothing) {
            doc_wrong(&reading->doc, node, "cannot be taken over: there is no charge for %s",
                      unspoken[i].what);
        }
    }
}

/* Demand that is not of kW and a billing cycle. */
static void refuse_units(struct urdb_reading *reading)
{
    static const char *const units[] = { "demandunits", "demandrateunit", "flatdemandunit" };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct doc_node *node = doc_member(reading->rate, units[i]);
        bool is_of = i == 1   ? reading->demand.n_periods > 0
                     : i == 2 ? reading->n_flat > 0
                              : reading->demand.n_periods > 0 || reading->n_flat > 0;
        if (is_of && node &&
            (node->type != JSON_STRING || !str_equal_nocase(node->text, STR("kW")))) {
            doc_wrong(&reading->doc, node, "cannot be taken over: demand is of kW");
        }
    }
}

/* ---- tiers ---- */

static bool is_daily(struct doc_node *tier)
{
    struct doc_node *unit = doc_member(tier, "unit");

    return unit && unit->type == JSON_STRING && str_equal_nocase(unit->text, STR("kWh daily"));
}

static void check_tier(struct urdb_reading *reading, struct doc_node *tier, const char *unit)
{
    if (tier->type != JSON_OBJECT) {
        doc_wrong(&reading->doc, tier, "must be an object");
        return;
    }
    struct doc_node *node = doc_member(tier, "unit");
    bool is_known = !node || (node->type == JSON_STRING &&
                              (str_equal_nocase(node->text, str_of(unit)) ||
                               (unit[2] == 'h' && is_daily(tier))));
    if (!is_known) {
        doc_wrong(&reading->doc, node, "cannot be taken over: tiers are of %s", unit);
    }
}

static int64_t rate_of(struct urdb_reading *reading, struct doc_node *tier)
{
    return urdb_number(reading, tier, "rate") + urdb_number(reading, tier, "adj");
}

/* A period of a structure as a rate or tiers. */
static void write_tiers(struct urdb_reading *reading, struct doc_node *period, const char *unit)
{
    struct json_writer *json = reading->json;

    if (period->type != JSON_ARRAY || period->n == 0) {
        doc_wrong(&reading->doc, period, "must be a list of tiers");
        return;
    }
    for (struct doc_node *tier = period->first; tier; tier = tier->next) {
        check_tier(reading, tier, unit);
    }
    if (period->n == 1) {
        urdb_write_decimal(json, "rate", rate_of(reading, period->first));
        return;
    }
    json_key(json, "tiers");
    json_open_array(json);
    for (struct doc_node *tier = period->first; tier; tier = tier->next) {
        json_open_object(json);
        if (tier->next && doc_require(&reading->doc, tier, "max")) {
            urdb_write_decimal(json, "up_to", urdb_number(reading, tier, "max"));
        }
        urdb_write_decimal(json, "rate", rate_of(reading, tier));
        json_close_object(json);
    }
    json_close_array(json);
}

/* One row for each period: of energy "p1", of demand "d1"; of flat demand each season has one. */
static void write_rows(struct urdb_reading *reading, struct doc_node *structure, char kind,
                       const char *unit)
{
    int i = 0;

    json_key(reading->json, "prices");
    json_open_array(reading->json);
    for (struct doc_node *period = structure->first; period; period = period->next, i++) {
        json_open_object(reading->json);
        json_key(reading->json, "period");
        json_text(reading->json, urdb_period_name(reading, kind, i));
        write_tiers(reading, period, unit);
        json_close_object(reading->json);
    }
    json_close_array(reading->json);
}

static void open_charge(struct urdb_reading *reading, const char *type, const char *name)
{
    json_open_object(reading->json);
    json_key(reading->json, "type");
    json_text(reading->json, type);
    if (name) {
        json_key(reading->json, "name");
        json_text(reading->json, name);
    }
}

/* ---- energy and what is sold ---- */

/* Whether tiers are of a day; a problem where some are and some not. */
static bool are_daily(struct urdb_reading *reading, struct doc_node *structure)
{
    int n_daily = 0, n = 0;

    for (struct doc_node *period = structure->first; period; period = period->next) {
        for (struct doc_node *tier = period->first; tier && period->n > 1; tier = tier->next) {
            n++;
            n_daily += is_daily(tier);
        }
    }
    if (n_daily > 0 && n_daily < n) {
        doc_wrong(&reading->doc, structure, "cannot be taken over: some tiers are of a day and "
                                            "others of a month");
    }
    return n_daily > 0;
}

static void write_energy(struct urdb_reading *reading, struct doc_node *structure)
{
    open_charge(reading, "energy", NULL);
    write_rows(reading, structure, 'p', "kWh");
    if (are_daily(reading, structure)) {
        json_key(reading->json, "tiers_begin");
        json_text(reading->json, "day");
    }
    json_key(reading->json, "tiers_count");
    json_text(reading->json, "period");
    json_close_object(reading->json);
}

/* What a period pays for what is sold: the same in all its tiers. */
static int64_t sell_of(struct urdb_reading *reading, struct doc_node *period)
{
    int64_t sell = period->first ? urdb_number(reading, period->first, "sell") : 0;

    for (struct doc_node *tier = period->first; tier; tier = tier->next) {
        if (urdb_number(reading, tier, "sell") != sell) {
            doc_member_wrong(&reading->doc, tier, "sell", "cannot be taken over: it differs from "
                             "the first tier's");
        }
    }
    return sell;
}

static void write_sell(struct urdb_reading *reading, struct doc_node *structure)
{
    bool is_there = false;
    int i = 0;

    for (struct doc_node *period = structure->first; period; period = period->next) {
        is_there = sell_of(reading, period) != 0 || is_there;
    }
    reading->has_sell = is_there;
    if (!is_there) {
        return;
    }
    open_charge(reading, "export", NULL);
    json_key(reading->json, "prices");
    json_open_array(reading->json);
    for (struct doc_node *period = structure->first; period; period = period->next) {
        json_open_object(reading->json);
        json_key(reading->json, "period");
        json_text(reading->json, urdb_period_name(reading, 'p', i++));
        urdb_write_decimal(reading->json, "rate", sell_of(reading, period));
        json_close_object(reading->json);
    }
    json_close_array(reading->json);
    json_close_object(reading->json);
}

/* ---- demand ---- */

/* The ratchet of all months, in nano-percent. */
static int64_t ratchet_of(struct urdb_reading *reading)
{
    struct doc_node *list = doc_member(reading->rate, "demandratchetpercentage");
    int64_t first = 0, value = 0;

    if (list && list->type != JSON_ARRAY) {
        doc_wrong(&reading->doc, list, "must be a list");
        return 0;
    }
    for (struct doc_node *node = list ? list->first : NULL; node; node = node->next) {
        if (!decimal_parse_near(node->text, MONEY_MAX_DECIMALS, &value) ||
            (node->index > 0 && value != first)) {
            doc_wrong(&reading->doc, node, "cannot be taken over: it differs from the first one");
            return 0;
        }
        first = value;
    }
    /* A fraction of one, or percent. */
    return first <= NANO && first >= 0 ? first * 100 : first;
}

static void write_measuring(struct urdb_reading *reading)
{
    int minutes = DEMAND_MINUTES;
    int64_t ratchet = ratchet_of(reading);

    doc_int(&reading->doc, reading->rate, "demandwindow", 1, 60, &minutes);
    json_key(reading->json, "window_minutes");
    json_int(reading->json, minutes);
    if (ratchet != 0) {
        json_key(reading->json, "ratchet");
        json_open_object(reading->json);
        urdb_write_decimal(reading->json, "percent", ratchet);
        json_close_object(reading->json);
    }
}

static void write_demand(struct urdb_reading *reading, struct doc_node *structure)
{
    open_charge(reading, "demand", NULL);
    write_rows(reading, structure, 'd', "kW");
    write_measuring(reading);
    json_close_object(reading->json);
}

static struct doc_node *element(struct doc_node *list, int index)
{
    struct doc_node *node = list->first;

    while (index-- > 0) {
        node = node->next;
    }
    return node;
}

static void write_flat(struct urdb_reading *reading, struct doc_node *structure)
{
    open_charge(reading, "demand", "Flat");
    json_key(reading->json, "prices");
    json_open_array(reading->json);
    for (int season = 0; season < reading->n_seasons; season++) {
        int month = 0;
        while (reading->season[month] != season) {
            month++;
        }
        json_open_object(reading->json);
        if (reading->n_seasons > 1) {
            json_key(reading->json, "season");
            json_text(reading->json, urdb_season_name(reading, season));
        }
        write_tiers(reading, element(structure, reading->flat[month]), "kW");
        json_close_object(reading->json);
    }
    json_close_array(reading->json);
    write_measuring(reading);
    json_close_object(reading->json);
}

/* ---- fixed and minimum ---- */

/* "$/month": what it is per. A problem for others than these. */
static const char *per_of(struct urdb_reading *reading, const char *member)
{
    static const char *const units[] = { "$/day", "$/month", "$/year", NULL };
    static const char *const per[] = { "day", "month", "year" };
    int unit = 1;

    doc_word(&reading->doc, reading->rate, member, units, &unit);
    return per[unit];
}

static void write_amount(struct urdb_reading *reading, const char *type, const char *member,
                         const char *per)
{
    int64_t amount = urdb_number(reading, reading->rate, member);

    if (amount != 0) {
        open_charge(reading, type, NULL);
        urdb_write_decimal(reading->json, "amount", amount);
        json_key(reading->json, "per");
        json_text(reading->json, per);
        json_close_object(reading->json);
    }
}

static void write_amounts(struct urdb_reading *reading)
{
    bool has_fixed = doc_member(reading->rate, "fixedchargefirstmeter") != NULL;
    bool has_minimum = doc_member(reading->rate, "mincharge") != NULL;

    /* The members of before 2019 are of a month. */
    write_amount(reading, "fixed", has_fixed ? "fixedchargefirstmeter" : "fixedmonthlycharge",
                 has_fixed ? per_of(reading, "fixedchargeunits") : "month");
    write_amount(reading, "minimum", has_minimum ? "mincharge" : "minmonthlycharge",
                 has_minimum ? per_of(reading, "minchargeunits") : "month");
}

void urdb_convert_charges(struct urdb_reading *reading)
{
    struct doc_node *energy = doc_member(reading->rate, "energyratestructure");
    struct doc_node *demand = doc_member(reading->rate, "demandratestructure");
    struct doc_node *flat = doc_member(reading->rate, "flatdemandstructure");

    refuse_unspoken(reading);
    refuse_units(reading);
    json_key(reading->json, "charges");
    json_open_array(reading->json);
    if (reading->energy.n_periods > 0) {
        write_energy(reading, energy);
        write_sell(reading, energy);
    }
    if (reading->demand.n_periods > 0) {
        write_demand(reading, demand);
    }
    if (reading->n_flat > 0) {
        write_flat(reading, flat);
    }
    write_amounts(reading);
    json_close_array(reading->json);
}
