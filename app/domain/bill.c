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
    int cycle;              /* demand and minimums: their own; else -1 */
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
        const struct tariff *tariff = tariff_in(rating, line->version);
        enum tariff_charge_kind kind = tariff->charges[line->charge].kind;
        bool is_of_cycle = kind == CHARGE_DEMAND || kind == CHARGE_MINIMUM;
        struct gathered *item =
            find(all, line, is_of_cycle ? day_in(rating, line->day)->cycle : -1);
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

/* The version in force on a day, of a cycle's that are not in the rating, too; -1: none. */
static int version_on(const struct rating *rating, int64_t day)
{
    const struct rating_input *input = rating->input;
    bool is_in = day >= input->from_day && day < input->to_day;

    return is_in ? day_in(rating, day)->version
                 : rating_version_on(input->versions, input->n_versions, day, input->as_of_us);
}

/* What a minimum asks for in a cycle, by all versions of the schedule; *last is the one in force on
 * the last of its days, -1: none. */
static struct money least_of(const struct rating *rating, const struct rating_derived *of,
                             const struct rating_cycle *cycle, int *last)
{
    struct money least = { 0 };

    *last = -1;
    for (int64_t day = cycle->from_day; day < cycle->to_day; day++) {
        int version = version_on(rating, day);
        int index = rating_same_charge(rating->input, of, version);
        if (index >= 0) {
            const struct tariff_charge *charge = &tariff_in(rating, version)->charges[index];
            struct money amount = money_of_nano(charge->amount);
            least = money_add(least, charge->per == PER_DAY
                                         ? amount
                                         : rating_part_of_cycle(cycle, day, amount));
            *last = version;
        }
    }
    return least;
}

static const struct rating_cycle *first_cycle(const struct gathering *all)
{
    return &all->rating->cycles[day_in(all->rating, all->from_day)->cycle];
}

/* Whether the bill is of one cycle, all of it. */
static bool is_whole_cycle(const struct gathering *all)
{
    const struct rating_cycle *cycle = first_cycle(all);

    return all->from_day == cycle->from_day && all->to_day == cycle->to_day;
}

/* The line of a percentage or minimum, but for what it comes to. */
static struct bill_line derived_line(const struct gathering *all, int version, int charge)
{
    const struct tariff_charge *of = &tariff_in(all->rating, version)->charges[charge];

    return (struct bill_line){
        .charge = of,
        .version = version,
        .season = TARIFF_ANY,
        .unit = unit_of(of),
        .rate = of->is_percent ? of->percent : of->amount,
        .has_one_rate = true,
        .quantity = { of->is_percent ? 0 : NANO },
        .from_day = all->from_day,
        .to_day = all->to_day,
    };
}

/* Adds a line that comes to something. */
static void add_derived(struct gathering *all, struct bill_line line, struct money exact)
{
    line.amount = rounded(tariff_in(all->rating, line.version), exact);
    if (money_sign(line.amount) != 0) {
        all->lines[all->n_lines++] = line;
    }
}

/* A percentage of what is printed. */
static void add_percent(struct gathering *all, const struct rating_derived *of)
{
    struct bill_line line = derived_line(all, of->version, of->charge);

    line.base = base_of(all, of->version, line.charge);
    add_derived(all, line, money_percent(line.base, line.charge->percent));
}

/* A minimum of a whole cycle: the top-up to what is printed. */
static void add_top_up(struct gathering *all, const struct rating_derived *of)
{
    const struct rating_input *input = all->rating->input;
    struct money base = { 0 };
    int last;
    struct money least = least_of(all->rating, of, first_cycle(all), &last);

    for (int version = 0; version < input->n_versions; version++) {
        int index = rating_same_charge(input, of, version);
        if (index >= 0) {
            base = money_add(
                base, base_of(all, version, &tariff_in(all->rating, version)->charges[index]));
        }
    }
    if (last >= 0 && money_compare(base, least) < 0) {
        struct bill_line line =
            derived_line(all, last, rating_same_charge(input, of, last));
        line.base = base;
        add_derived(all, line, money_subtract(least, base));
    }
}

/* A minimum of parts of cycles or of several: as the ledger has it on the last day of each, of the
 * whole cycle. */
static void add_minimums(struct gathering *all, const struct rating_derived *of)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct gathered *item = &all->items[i];
        int version = item->key.version;
        if (item->key.charge == rating_same_charge(all->rating->input, of, version)) {
            struct bill_line line = derived_line(all, version, item->key.charge);
            const struct rating_cycle *cycle = &all->rating->cycles[item->cycle];
            int last;
            struct money least = least_of(all->rating, of, cycle, &last);
            line.base = rounded(tariff_in(all->rating, version),
                                money_subtract(least, item->amount));
            line.from_day = cycle->from_day;
            line.to_day = cycle->to_day;
            add_derived(all, line, item->amount);
        }
    }
}

static bool is_derived(const struct tariff_charge *charge)
{
    return charge->is_percent || charge->kind == CHARGE_MINIMUM;
}

/* Adds all lines, those of percentages and minimums behind those that they are of. */
static void add_in_turn(struct gathering *all, const struct rating_derived *derived, int n_derived)
{
    const struct rating *rating = all->rating;

    for (size_t i = 0; i < all->n; i++) {
        const struct rating_line *key = &all->items[i].key;
        if (!is_derived(&tariff_in(rating, key->version)->charges[key->charge])) {
            all->lines[all->n_lines++] = line_of(rating, &all->items[i]);
        }
    }
    for (int i = 0; i < n_derived; i++) {
        const struct rating_derived *of = &derived[i];
        if (tariff_in(rating, of->version)->charges[of->charge].is_percent) {
            add_percent(all, of);
        } else if (is_whole_cycle(all)) {
            add_top_up(all, of);
        } else {
            add_minimums(all, of);
        }
    }
}

/* Puts the lines in the order of versions and of their charges; those of one charge stay as they
 * are. ERR_MEMORY where there is none. */
static enum err put_in_order(struct gathering *all)
{
    struct bill_line *lines = arena_array(all->op->arena, all->n_lines + 1, sizeof *lines);
    size_t n = 0;

    if (!lines) {
        return fail_memory(all->op);
    }
    for (int version = 0; version < all->rating->input->n_versions; version++) {
        const struct tariff *tariff = tariff_in(all->rating, version);
        for (int charge = 0; charge < tariff->n_charges; charge++) {
            for (size_t i = 0; i < all->n_lines; i++) {
                const struct bill_line *line = &all->lines[i];
                if (line->version == version && line->charge == &tariff->charges[charge]) {
                    lines[n++] = *line;
                }
            }
        }
    }
    all->lines = lines;
    return OK;
}

static enum err add_lines(struct gathering *all)
{
    const struct rating_input *input = all->rating->input;
    int n_derived;
    struct rating_derived *derived = rating_derive(all->op->arena, input, &n_derived);

    if (derived) {
        all->lines = arena_array(all->op->arena, all->n + (size_t)n_derived + 1,
                                 sizeof *all->lines);
    }
    if (!all->lines) {
        return fail_memory(all->op);
    }
    if (all->n > 0) {
        qsort(all->items, all->n, sizeof *all->items, compare);
    }
    add_in_turn(all, derived, n_derived);
    return put_in_order(all);
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
