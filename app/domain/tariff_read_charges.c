/* The charges of a rate schedule's document. Called by tariff_read.c. */
#include "domain/tariff_parts.h"

#define MAX_CYCLES 36 /* three years of months, which TARIFF_RATCHET_DAYS has room for */

const char *const TARIFF_CHARGE_NAMES[] = {
    [CHARGE_ENERGY] = "energy",   [CHARGE_DEMAND] = "demand",   [CHARGE_FIXED] = "fixed",
    [CHARGE_EXPORT] = "export",   [CHARGE_MINIMUM] = "minimum", [CHARGE_TAX] = "tax",
    [CHARGE_RIDER] = "rider",     [CHARGE_RIDER + 1] = NULL,
};

/* ---- prices ---- */

static void read_tier(struct tariff_reading *reading, struct doc_node *node, bool is_last,
                      struct tariff_tier *tier)
{
    struct doc *doc = &reading->doc;

    tier->up_to = TARIFF_NO_LIMIT;
    if (doc_require(doc, node, "rate")) {
        doc_decimal(doc, node, "rate", &tier->rate);
    }
    if (is_last && doc_member(node, "up_to")) {
        doc_member_wrong(doc, node, "up_to", "must not be in the last tier, which has no end");
    }
    if (!is_last && doc_require(doc, node, "up_to") &&
        doc_decimal(doc, node, "up_to", &tier->up_to) && tier->up_to <= 0) {
        doc_member_wrong(doc, node, "up_to", "must be more than nothing");
    }
}

static void read_tiers(struct tariff_reading *reading, struct doc_node *list,
                       struct tariff_price *price)
{
    struct tariff_tier *tiers = tariff_array(reading, list->n, sizeof *tiers);

    for (struct doc_node *node = tiers ? list->first : NULL; node; node = node->next) {
        int i = price->n_tiers++;
        read_tier(reading, node, node->next == NULL, &tiers[i]);
        if (i > 0 && node->next && tiers[i].up_to <= tiers[i - 1].up_to) {
            doc_member_wrong(&reading->doc, node, "up_to", "must be more than that of the tier "
                             "before it");
        }
    }
    if (list->n == 0) {
        doc_wrong(&reading->doc, list, "must have some tier");
    }
    price->tiers = tiers;
}

static void read_series_of(struct tariff_reading *reading, struct doc_node *node,
                           struct tariff_price *price)
{
    struct doc *doc = &reading->doc;
    struct str name;

    price->factor = NANO;
    doc_decimal(doc, node, "factor", &price->factor);
    doc_decimal(doc, node, "add", &price->add);
    if (!doc_text(doc, node, "series", TARIFF_MAX_NAME_BYTES, &name)) {
        return;
    }
    for (int i = 0; i < reading->out->n_series; i++) {
        if (str_equal(str_of(reading->out->series[i].name), name)) {
            price->series = i;
            return;
        }
    }
    doc_member_wrong(doc, node, "series", "is no price series of it");
}

/* Of an object with a rate, tiers or a series: a row of prices or the charge itself. */
static void read_price(struct tariff_reading *reading, struct doc_node *node,
                       struct tariff_price *price)
{
    struct doc *doc = &reading->doc;
    struct doc_node *tiers = doc_array(doc, node, "tiers", TARIFF_MAX_TIERS);
    bool has_rate = doc_member(node, "rate"), has_series = doc_member(node, "series");

    price->series = -1;
    if ((tiers != NULL) + has_rate + has_series != 1) {
        doc_wrong(doc, node, "must have exactly one of rate, tiers and series");
    } else if (tiers) {
        read_tiers(reading, tiers, price);
    } else if (has_series) {
        read_series_of(reading, node, price);
    } else {
        struct tariff_tier *tier = tariff_array(reading, 1, sizeof *tier);
        if (tier) {
            tier->up_to = TARIFF_NO_LIMIT;
            doc_decimal(doc, node, "rate", &tier->rate);
            price->tiers = tier;
            price->n_tiers = 1;
        }
    }
}

static void read_row(struct tariff_reading *reading, struct doc_node *node,
                     struct tariff_price *price)
{
    if (node->type != JSON_OBJECT) {
        doc_wrong(&reading->doc, node, "must be an object");
        return;
    }
    tariff_read_season(reading, node, &price->season);
    tariff_read_period(reading, node, &price->period);
    read_price(reading, node, price);
}

static void read_prices(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_charge *charge)
{
    struct doc_node *list = doc_array(&reading->doc, node, "prices", TARIFF_MAX_ROWS);
    struct tariff_price *prices = tariff_array(reading, list ? list->n : 1, sizeof *prices);

    charge->prices = prices;
    if (!prices) {
        if (list) {
            doc_wrong(&reading->doc, list, "must have some price");
        }
        return;
    }
    if (list) {
        for (struct doc_node *row = list->first; row; row = row->next) {
            read_row(reading, row, &prices[charge->n_prices++]);
        }
    } else {
        prices[0] = (struct tariff_price){ .season = TARIFF_ANY, .period = TARIFF_ANY };
        read_price(reading, node, &prices[0]);
        charge->n_prices = 1;
    }
    for (int i = 0; i < charge->n_prices; i++) {
        charge->has_tiers = charge->has_tiers || prices[i].n_tiers > 1;
    }
}

/* How tiers count. */
static void read_counting(struct tariff_reading *reading, struct doc_node *node,
                          struct tariff_charge *charge)
{
    static const char *const units[] = { "kwh", "baseline_percent", NULL };
    static const char *const begins[] = { "cycle", "day", NULL };
    static const char *const counts[] = { "all", "period", NULL };
    int unit = 0, begin = 0, count = 0;

    doc_word(&reading->doc, node, "tier_unit", units, &unit);
    doc_word(&reading->doc, node, "tiers_begin", begins, &begin);
    doc_word(&reading->doc, node, "tiers_count", counts, &count);
    charge->is_of_baseline = unit == 1;
    charge->is_tiered_by_day = begin == 1;
    charge->is_tiered_alone = count == 1;
}

/* ---- kinds of charges ---- */

static void read_energy(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_charge *charge)
{
    read_prices(reading, node, charge);
    read_counting(reading, node, charge);
}

static void read_demand(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_charge *charge)
{
    struct doc *doc = &reading->doc;
    struct doc_node *ratchet = doc_object(doc, node, "ratchet");

    read_prices(reading, node, charge);
    for (int i = 0; i < charge->n_prices; i++) {
        if (charge->prices[i].series >= 0) {
            doc_wrong(doc, node, "has a price by time, which is per kWh");
        }
    }
    charge->demand_minutes = 15;
    doc_int(doc, node, "window_minutes", 15, 60, &charge->demand_minutes);
    if (charge->demand_minutes % 15 != 0 || charge->demand_minutes == 45) {
        doc_member_wrong(doc, node, "window_minutes", "must be 15, 30 or 60");
    }
    if (!ratchet || !doc_require(doc, ratchet, "percent")) {
        return;
    }
    charge->ratchet_cycles = 11;
    doc_int(doc, ratchet, "cycles", 1, MAX_CYCLES, &charge->ratchet_cycles);
    doc_decimal(doc, ratchet, "percent", &charge->ratchet_percent);
    if (charge->ratchet_percent <= 0 || charge->ratchet_percent > 100 * NANO) {
        doc_member_wrong(doc, ratchet, "percent", "must be above 0 and at most 100");
    }
}

/* The charges before this one that the item means: one by its code, or "energy:*" all of a kind. */
static uint64_t charges_named(const struct tariff *tariff, struct str name)
{
    struct str rest = name;
    struct str kind = str_cut(&rest, ':');
    bool is_kind = rest.ptr && str_equal(rest, STR("*"));
    uint64_t found = 0;

    for (int i = 0; i < tariff->n_charges; i++) {
        const struct tariff_charge *other = &tariff->charges[i];
        bool is_of_kind = is_kind && str_equal(kind, str_of(TARIFF_CHARGE_NAMES[other->kind]));
        if (is_of_kind || str_equal(name, str_of(other->code))) {
            found |= UINT64_C(1) << i;
        }
    }
    return found;
}

static void read_on(struct tariff_reading *reading, struct doc_node *node,
                    struct tariff_charge *charge)
{
    struct doc_node *list = doc_array(&reading->doc, node, "on", TARIFF_MAX_CHARGES);

    for (struct doc_node *item = list ? list->first : NULL; item; item = item->next) {
        uint64_t named =
            item->type == JSON_STRING ? charges_named(reading->out, item->text) : 0;
        if (named == 0) {
            doc_wrong(&reading->doc, item, "is no charge before this one");
        }
        charge->on |= named;
    }
    if (!list) {
        charge->on = (UINT64_C(1) << reading->out->n_charges) - 1;
    }
    if (charge->on == 0 && (!list || list->n == 0)) {
        doc_wrong(&reading->doc, node, "must come after the charges that it is of");
    }
}

static void read_percent(struct tariff_reading *reading, struct doc_node *node,
                         struct tariff_charge *charge)
{
    charge->is_percent = true;
    if (doc_require(&reading->doc, node, "percent")) {
        doc_decimal(&reading->doc, node, "percent", &charge->percent);
    }
    read_on(reading, node, charge);
}

static void read_rider(struct tariff_reading *reading, struct doc_node *node,
                       struct tariff_charge *charge)
{
    if (doc_member(node, "percent")) {
        read_percent(reading, node, charge);
    } else {
        read_energy(reading, node, charge);
    }
}

static void read_dates(struct tariff_reading *reading, struct doc_node *node,
                       struct tariff_charge *charge)
{
    struct doc_node *list = doc_array(&reading->doc, node, "dates", TARIFF_MAX_ROWS);
    int *dates = tariff_array(reading, list ? list->n : 0, sizeof *dates);

    if (charge->per != PER_DATE && list) {
        doc_wrong(&reading->doc, list, "is only for what is charged per date");
    } else if (charge->per == PER_DATE && !dates) {
        doc_member_wrong(&reading->doc, node, "dates", "must have some date such as 04-01");
    }
    for (struct doc_node *item = list && dates ? list->first : NULL; item; item = item->next) {
        int n = charge->n_dates++;
        if (tariff_read_date(reading, item, &dates[n]) && n > 0 && dates[n] <= dates[n - 1]) {
            doc_wrong(&reading->doc, item, "must be after the one before it");
        }
    }
    charge->dates = dates;
}

static void read_amount(struct tariff_reading *reading, struct doc_node *node,
                        struct tariff_charge *charge)
{
    static const char *const per[] = { "day", "month", "year", "date", NULL };
    struct doc *doc = &reading->doc;
    int which = PER_MONTH;

    if (doc_require(doc, node, "amount") && doc_require(doc, node, "per")) {
        doc_decimal(doc, node, "amount", &charge->amount);
        doc_word(doc, node, "per", per, &which);
    }
    charge->per = (enum tariff_per)which;
    read_dates(reading, node, charge);
}

static void read_minimum(struct tariff_reading *reading, struct doc_node *node,
                         struct tariff_charge *charge)
{
    read_amount(reading, node, charge);
    read_on(reading, node, charge);
    if (charge->amount < 0) {
        doc_member_wrong(&reading->doc, node, "amount", "must not be negative");
    }
    if (charge->per != PER_DAY && charge->per != PER_MONTH) {
        doc_member_wrong(&reading->doc, node, "per", "must be day or month");
    }
}

typedef void (*read_charge)(struct tariff_reading *reading, struct doc_node *node,
                            struct tariff_charge *charge);
static const read_charge READERS[] = {
    [CHARGE_ENERGY] = read_energy, [CHARGE_DEMAND] = read_demand,   [CHARGE_FIXED] = read_amount,
    [CHARGE_EXPORT] = read_energy, [CHARGE_MINIMUM] = read_minimum, [CHARGE_TAX] = read_percent,
    [CHARGE_RIDER] = read_rider,
};

/* ---- all charges ---- */

/* "energy", or "energy:Baseline credit". */
static void read_code(struct tariff_reading *reading, struct doc_node *node,
                      struct tariff_charge *charge)
{
    const char *kind = TARIFF_CHARGE_NAMES[charge->kind];
    struct str name = STR("");

    doc_text(&reading->doc, node, "name", TARIFF_MAX_NAME_BYTES, &name);
    charge->name = tariff_keep(reading, name);
    charge->code = name.len > 0 ? arena_printf(reading->doc.arena, "%s:%s", kind, charge->name)
                                : kind;
    if (!charge->code) {
        charge->code = tariff_keep(reading, name);
    }
    for (int i = 0; i < reading->out->n_charges; i++) {
        if (str_equal(str_of(charge->code), str_of(reading->out->charges[i].code))) {
            doc_wrong(&reading->doc, node, "must have a name of its own: \"%s\" is there already",
                      charge->code);
        }
    }
}

void tariff_read_charges(struct tariff_reading *reading)
{
    struct tariff *out = reading->out;
    struct doc *doc = &reading->doc;
    struct doc_node *list = doc_array(doc, doc->root, "charges", TARIFF_MAX_CHARGES - 1);

    if (!list || list->n == 0) {
        doc_member_wrong(doc, doc->root, "charges", "must have some charge");
        return;
    }
    for (struct doc_node *node = list->first; node; node = node->next) {
        struct tariff_charge *charge = &out->charges[out->n_charges];
        int kind;
        if (!doc_require(doc, node, "type") ||
            !doc_word(doc, node, "type", TARIFF_CHARGE_NAMES, &kind)) {
            continue;
        }
        charge->kind = (enum tariff_charge_kind)kind;
        read_code(reading, node, charge);
        READERS[kind](reading, node, charge);
        out->n_charges++;
    }
}
