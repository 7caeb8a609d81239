/* Bills: gathers a rating's lines, rounds each once, takes percentages of what is printed. Called
 * by the API and the page of bills, and by comparisons. */
#include "domain/bill.h"

#include "domain/rating_parts.h"

const char *const BILL_UNIT_NAMES[] = {
    [UNIT_KWH] = "kWh",   [UNIT_KW] = "kW",       [UNIT_DAY] = "day",   [UNIT_MONTH] = "month",
    [UNIT_YEAR] = "year", [UNIT_TIMES] = "times", [UNIT_PERCENT] = "%",
};

/* A line that is gathered: of which lines of the ledger. */
struct gathered {
    struct rating_line key; /* the first of them */
    int cycle;              /* demand: its own, so that kW are not added up; else -1 */
    struct quantity quantity;
    struct money amount;    /* exact */
    struct quantity unpriced; /* of the quantity: without a price by time */
    int n_unpriced;
    int64_t from_day, to_day;
};

struct gathering {
    struct op *op;
    const struct rating *rating;
    int64_t from_day, to_day;
    struct gathered *items;
    size_t n, size;
    struct bill_line *lines;
    size_t n_lines;
};

static const struct tariff *tariff_in(const struct rating *rating, int version)
{
    return tariff_of(rating->input->versions[version].plan);
}

static const struct rating_day *day_in(const struct rating *rating, int64_t day)
{
    return &rating->days[day - rating->input->from_day];
}

/* ---- gathering ---- */

static bool is_same(const struct gathered *item, const struct rating_line *line, int cycle)
{
    const struct rating_line *key = &item->key;

    return key->version == line->version && key->charge == line->charge &&
           key->season == line->season && key->period == line->period && key->tier == line->tier &&
           key->rate == line->rate && key->has_one_rate == line->has_one_rate &&
           item->cycle == cycle;
}

static struct gathered *find(struct gathering *all, const struct rating_line *line, int cycle)
{
    for (size_t i = all->n; i > 0; i--) {
        if (is_same(&all->items[i - 1], line, cycle)) {
            return &all->items[i - 1];
        }
    }
    if (all->n == all->size) {
        size_t size = all->size * 2 + 64;
        struct gathered *items = arena_resize(all->op->arena, all->items,
                                              all->size * sizeof *items, size * sizeof *items);
        if (!items) {
            return NULL;
        }
        all->items = items;
        all->size = size;
    }
    struct gathered *item = &all->items[all->n++];
    *item = (struct gathered){ .key = *line, .cycle = cycle, .from_day = line->day };
    return item;
}

static enum err gather(struct gathering *all)
{
    const struct rating *rating = all->rating;

    for (size_t i = 0; i < rating->n_lines; i++) {
        const struct rating_line *line = &rating->lines[i];
        if (line->day < all->from_day || line->day >= all->to_day) {
            continue;
        }
        bool is_demand =
            tariff_in(rating, line->version)->charges[line->charge].kind == CHARGE_DEMAND;
        struct gathered *item =
            find(all, line, is_demand ? day_in(rating, line->day)->cycle : -1);
        if (!item) {
            return fail_memory(all->op);
        }
        item->quantity = quantity_add(item->quantity, line->quantity);
        item->amount = money_add(item->amount, line->amount);
        item->n_unpriced += line->n_unpriced;
        if (line->n_unpriced > 0) {
            item->unpriced = quantity_add(item->unpriced, line->quantity);
        }
        item->to_day = line->day + 1;
    }
    return OK;
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By version as it comes into force, then as the document has it. */
static int compare(const void *left, const void *right)
{
    const struct gathered *a = left, *b = right;
    const int orders[] = {
        order(a->key.version, b->key.version), order(a->key.charge, b->key.charge),
        order(a->cycle, b->cycle),             order(a->key.season, b->key.season),
        order(a->key.period, b->key.period),   order(a->key.tier, b->key.tier),
        order(a->key.rate, b->key.rate),
    };

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (orders[i] != 0) {
            return orders[i];
        }
    }
    return 0;
}

/* ---- lines ---- */

static enum bill_unit unit_of(const struct tariff_charge *charge)
{
    static const enum bill_unit per[] = { UNIT_DAY, UNIT_MONTH, UNIT_YEAR, UNIT_TIMES };

    if (charge->is_percent) {
        return UNIT_PERCENT;
    }
    if (charge->n_prices == 0) {
        return per[charge->per];
    }
    return charge->kind == CHARGE_DEMAND ? UNIT_KW : UNIT_KWH;
}

static struct money rounded(const struct tariff *tariff, struct money amount)
{
    return money_round(amount, tariff->rounding_decimals, tariff->rounding);
}

/* What a unit of that which has a price comes to. */
static int64_t average_of(const struct gathered *item)
{
    struct quantity priced = { item->quantity.nano - item->unpriced.nano };

    return money_per(item->amount, priced);
}

static struct bill_line line_of(const struct rating *rating, const struct gathered *item)
{
    const struct rating_line *key = &item->key;
    const struct tariff *tariff = tariff_in(rating, key->version);

    return (struct bill_line){
        .charge = &tariff->charges[key->charge],
        .version = key->version,
        .season = key->season,
        .period = key->period == TARIFF_ANY ? NULL : tariff->periods[key->period].title,
        .tier = key->tier == TARIFF_ANY ? 0 : key->tier + 1,
        .quantity = item->quantity,
        .unit = unit_of(&tariff->charges[key->charge]),
        .rate = key->has_one_rate ? key->rate : average_of(item),
        .has_one_rate = key->has_one_rate,
        .n_days = key->n_days,
        .of_days = key->of_days,
        .amount = rounded(tariff, item->amount),
        .at_us = key->at_us,
        .n_unpriced = item->n_unpriced,
        .from_day = item->from_day,
        .to_day = item->to_day,
    };
}

/* What lines before it come to that a percentage or minimum is of. */
static struct money base_of(const struct gathering *all, int version,
                            const struct tariff_charge *charge)
{
    const struct tariff *tariff = tariff_in(all->rating, version);
    struct money base = { 0 };

    for (size_t i = 0; i < all->n_lines; i++) {
        const struct bill_line *line = &all->lines[i];
        bool is_of = line->version == version && charge->on >> (line->charge - tariff->charges) & 1;
        base = is_of ? money_add(base, line->amount) : base;
    }
    return base;
}

/* What a minimum asks for on the version's days of the bill. */
static struct money least_of(const struct gathering *all, int version,
                             const struct tariff_charge *charge)
{
    const struct rating *rating = all->rating;
    struct money amount = money_of_nano(charge->amount), least = { 0 };

    for (int64_t day = all->from_day; day < all->to_day; day++) {
        const struct rating_day *of = day_in(rating, day);
        if (of->version == version) {
            struct money part = charge->per == PER_DAY
                                    ? amount
                                    : rating_part_of_cycle(&rating->cycles[of->cycle], day, amount);
            least = money_add(least, part);
        }
    }
    return least;
}

static bool is_one_cycle(const struct gathering *all)
{
    return day_in(all->rating, all->from_day)->cycle == day_in(all->rating, all->to_day - 1)->cycle;
}

/* A percentage of what is printed; a minimum's top-up to it. Over several cycles minimums are those
 * of each, as the ledger has them: `exact`. */
static void finish_line(const struct gathering *all, struct money exact, struct bill_line *line)
{
    const struct tariff *tariff = tariff_in(all->rating, line->version);

    line->base = base_of(all, line->version, line->charge);
    line->from_day = all->from_day;
    line->to_day = all->to_day;
    if (line->charge->is_percent) {
        line->amount = rounded(tariff, money_percent(line->base, line->charge->percent));
        return;
    }
    if (is_one_cycle(all)) {
        struct money least = least_of(all, line->version, line->charge);
        exact = money_subtract(least, line->base);
    }
    line->quantity = (struct quantity){ NANO };
    line->amount = money_sign(exact) > 0 ? rounded(tariff, exact) : (struct money){ 0 };
}

/* The gathered line of a charge that has one at most; NULL: none. */
static const struct gathered *only_of(const struct gathering *all, int version, int charge)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->items[i].key.version == version && all->items[i].key.charge == charge) {
            return &all->items[i];
        }
    }
    return NULL;
}

static void add_derived(struct gathering *all, int version, int charge)
{
    const struct tariff_charge *of = &tariff_in(all->rating, version)->charges[charge];
    const struct gathered *item = only_of(all, version, charge);
    struct bill_line line = {
        .charge = of,
        .version = version,
        .season = TARIFF_ANY,
        .unit = unit_of(of),
        .rate = of->is_percent ? of->percent : of->amount,
        .has_one_rate = true,
    };

    finish_line(all, item ? item->amount : (struct money){ 0 }, &line);
    if (money_sign(line.amount) != 0) {
        all->lines[all->n_lines++] = line;
    }
}

/* The lines of a version, charge by charge, for later ones are of earlier ones. */
static void add_version(struct gathering *all, int version)
{
    const struct tariff *tariff = tariff_in(all->rating, version);

    for (int charge = 0; charge < tariff->n_charges; charge++) {
        if (tariff->charges[charge].is_percent || tariff->charges[charge].kind == CHARGE_MINIMUM) {
            add_derived(all, version, charge);
            continue;
        }
        for (size_t i = 0; i < all->n; i++) {
            if (all->items[i].key.version == version && all->items[i].key.charge == charge) {
                all->lines[all->n_lines++] = line_of(all->rating, &all->items[i]);
            }
        }
    }
}

static enum err add_lines(struct gathering *all)
{
    const struct rating_input *input = all->rating->input;
    size_t most = all->n;

    for (int version = 0; version < input->n_versions; version++) {
        most += (size_t)tariff_in(all->rating, version)->n_charges;
    }
    all->lines = arena_array(all->op->arena, most + 1, sizeof *all->lines);
    if (!all->lines) {
        return fail_memory(all->op);
    }
    if (all->n > 0) {
        qsort(all->items, all->n, sizeof *all->items, compare);
    }
    for (int version = 0; version < input->n_versions; version++) {
        bool is_in_force = false;
        for (int64_t day = all->from_day; day < all->to_day && !is_in_force; day++) {
            is_in_force = day_in(all->rating, day)->version == version;
        }
        if (is_in_force) {
            add_version(all, version);
        }
    }
    return OK;
}

/* ---- the bill ---- */

/* What the days say: whether they are over, what is missing, which currency and rounding. */
static void look_at_days(const struct gathering *all, struct bill *out,
                         enum money_rounding *rounding)
{
    bool is_over = true;

    for (int64_t day = all->from_day; day < all->to_day; day++) {
        const struct rating_day *of = day_in(all->rating, day);
        is_over = is_over && of->is_over;
        out->n_missing += of->n_missing;
        out->n_days_unpriced += of->version < 0;
        if (of->version >= 0) {
            out->currency = tariff_in(all->rating, of->version)->currency;
            out->decimals = tariff_in(all->rating, of->version)->currency_decimals;
            *rounding = tariff_in(all->rating, of->version)->rounding;
        }
    }
    bool is_whole = is_over && out->n_missing == 0 && out->n_days_unpriced == 0;
    out->status = is_whole ? BILL_FINAL : BILL_PROVISIONAL;
}

enum err bill_make(struct op *op, const struct rating *rating, int64_t from_day, int64_t to_day,
                   struct bill *out)
{
    struct gathering all = { .op = op, .rating = rating, .from_day = from_day, .to_day = to_day };

    if (from_day >= to_day || from_day < rating->input->from_day ||
        to_day > rating->input->to_day) {
        return fail(op, ERR_INVALID, "A bill is of days that were rated.");
    }
    enum err err = gather(&all);
    err = err == OK ? add_lines(&all) : err;
    if (err != OK) {
        return err;
    }
    *out = (struct bill){
        .lines = all.lines,
        .n_lines = all.n_lines,
        .currency = "",
        .from_day = from_day,
        .to_day = to_day,
    };
    enum money_rounding rounding = ROUND_HALF_AWAY;
    look_at_days(&all, out, &rounding);
    for (size_t i = 0; i < all.n_lines; i++) {
        out->total = money_add(out->total, all.lines[i].amount);
        out->status = all.lines[i].n_unpriced > 0 ? BILL_PROVISIONAL : out->status;
    }
    out->total = money_round(out->total, out->decimals, rounding);
    return OK;
}
