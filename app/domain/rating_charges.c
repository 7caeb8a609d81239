/* Charges that are not by energy: fixed ones, shared out to the days, and percentages and minimums
 * of the lines that are there. */
#include "domain/rating_parts.h"

#include "domain/span.h"

struct money rating_part_of_cycle(const struct rating_cycle *cycle, int64_t day,
                                  struct money amount)
{
    return money_part(amount, (int)(day - cycle->from_day), (int)(cycle->to_day - cycle->from_day));
}

/* ---- fixed charges ---- */

/* The first day of its year, and of the next. */
static struct rating_cycle year_of(int64_t day)
{
    int year = clock_split(day * US_PER_DAY).year;
    struct clock_fields fields = { .year = year, .month = 1, .day = 1 };
    int64_t from_day = clock_join(&fields) / US_PER_DAY;

    fields.year++;
    return (struct rating_cycle){ from_day, clock_join(&fields) / US_PER_DAY };
}

static bool is_dated(const struct tariff_charge *charge, int64_t day)
{
    int date = tariff_date_of(day);

    for (int i = 0; i < charge->n_dates; i++) {
        if (charge->dates[i] == date) {
            return true;
        }
    }
    return false;
}

/* How much of the charge falls on the day, as an amount: of 1, and of what it costs. */
static struct money part_on(const struct tariff_charge *charge, const struct rating_cycle *cycle,
                            int64_t day, struct money amount)
{
    struct rating_cycle year;

    switch (charge->per) {
    case PER_DAY: return amount;
    case PER_MONTH: return rating_part_of_cycle(cycle, day, amount);
    case PER_YEAR: year = year_of(day); return rating_part_of_cycle(&year, day, amount);
    case PER_DATE: return is_dated(charge, day) ? amount : (struct money){ 0 };
    }
    return amount;
}

/* Billionths of one, cut as the amount is, so that they add up to one. */
static int64_t quantity_on(const struct tariff_charge *charge, const struct rating_cycle *cycle,
                           int64_t day)
{
    return (int64_t)part_on(charge, cycle, day, (struct money){ NANO }).atto;
}

void rating_add_fixed(struct rating_work *work, const struct rating_today *today, int cycle)
{
    const struct tariff *tariff = today->bench->tariff;

    for (int i = 0; i < tariff->n_charges; i++) {
        const struct tariff_charge *charge = &tariff->charges[i];
        if (charge->kind != CHARGE_FIXED ||
            (charge->per == PER_DATE && !is_dated(charge, today->day))) {
            continue;
        }
        rating_add_line(work, (struct rating_line){
            .day = today->day,
            .version = (int)(today->bench - work->benches),
            .charge = i,
            .season = TARIFF_ANY,
            .period = TARIFF_ANY,
            .tier = TARIFF_ANY,
            .quantity = quantity_on(charge, &work->cycles[cycle], today->day),
            .rate = charge->amount,
            .has_one_rate = true,
            .amount = part_on(charge, &work->cycles[cycle], today->day,
                              money_of_nano(charge->amount)),
        });
    }
}

/* ---- percentages and minimums ---- */

static struct money *sum_of(struct rating_work *work, const struct rating_cycle *cycle, int64_t day,
                            int charge)
{
    return &work->sums[(day - cycle->from_day) * work->sums_charges + charge];
}

/* What the charges that it is of come to on a day. */
static struct money base_on(struct rating_work *work, const struct rating_cycle *cycle, int64_t day,
                            const struct tariff_charge *charge)
{
    struct money base = { 0 };

    for (int i = 0; charge->on >> i != 0; i++) {
        if (charge->on >> i & 1) {
            base = money_add(base, *sum_of(work, cycle, day, i));
        }
    }
    return base;
}

/* The rated days of a cycle. */
struct turn {
    struct rating_work *work;
    const struct rating_cycle *cycle;
    int64_t from_day, to_day;
};

/* The version in force; -1: none. */
static int version_on(const struct turn *turn, int64_t day)
{
    return turn->work->days[day - turn->work->input->from_day].version;
}

static void add_line(const struct turn *turn, int64_t day, int charge, int64_t rate,
                     struct money base, struct money amount)
{
    struct money *sum = sum_of(turn->work, turn->cycle, day, charge);

    *sum = money_add(*sum, amount);
    rating_add_line(turn->work, (struct rating_line){
        .day = day,
        .version = version_on(turn, day),
        .charge = charge,
        .season = TARIFF_ANY,
        .period = TARIFF_ANY,
        .tier = TARIFF_ANY,
        .rate = rate,
        .has_one_rate = true,
        .base = base,
        .amount = amount,
    });
}

static void add_percent(const struct turn *turn, const struct rating_derived *of,
                        const struct tariff_charge *charge)
{
    for (int64_t day = turn->from_day; day < turn->to_day; day++) {
        struct money base = { 0 };
        if (version_on(turn, day) == of->version) {
            base = base_on(turn->work, turn->cycle, day, charge);
        }
        if (money_sign(base) != 0) {
            add_line(turn, day, of->charge, charge->percent, base,
                     money_percent(base, charge->percent));
        }
    }
}

/* All versions of the schedule together. The top-up stands on the last day. */
static void add_minimum(const struct turn *turn, const struct rating_derived *of)
{
    const struct rating_input *input = turn->work->input;
    const struct tariff_charge *charge = NULL;
    struct money least = { 0 }, reached = { 0 };
    int64_t last = -1;
    int found = -1;

    for (int64_t day = turn->from_day; day < turn->to_day; day++) {
        int version = version_on(turn, day);
        int index = rating_same_charge(input, of, version);
        if (index >= 0) {
            last = day;
            found = index;
            charge = &tariff_of(input->versions[version].plan)->charges[index];
            least = money_add(least, part_on(charge, turn->cycle, day,
                                             money_of_nano(charge->amount)));
            reached = money_add(reached, base_on(turn->work, turn->cycle, day, charge));
        }
    }
    if (charge && money_compare(reached, least) < 0) {
        add_line(turn, last, found, charge->amount, reached, money_subtract(least, reached));
    }
}

static void add_sums(struct rating_work *work, const struct rating_cycle *cycle, size_t first)
{
    size_t n_days = (size_t)(cycle->to_day - cycle->from_day);

    memset(work->sums, 0, n_days * (size_t)work->sums_charges * sizeof *work->sums);
    for (size_t i = first; i < work->n_lines; i++) {
        const struct rating_line *line = &work->lines[i];
        struct money *sum = sum_of(work, cycle, line->day, line->charge);
        *sum = money_add(*sum, line->amount);
    }
}

void rating_end_cycle(struct rating_work *work, int cycle_index, size_t first)
{
    const struct rating_input *input = work->input;
    const struct rating_cycle *cycle = &work->cycles[cycle_index];
    struct turn turn = {
        .work = work,
        .cycle = cycle,
        .from_day = cycle->from_day > input->from_day ? cycle->from_day : input->from_day,
        .to_day = cycle->to_day < input->to_day ? cycle->to_day : input->to_day,
    };

    if (!work->sums || work->err != OK) {
        return;
    }
    add_sums(work, cycle, first);
    for (int i = 0; i < work->n_derived; i++) {
        const struct rating_derived *of = &work->derived[i];
        const struct tariff_charge *charge =
            &work->benches[of->version].tariff->charges[of->charge];
        if (charge->is_percent) {
            add_percent(&turn, of, charge);
        } else {
            add_minimum(&turn, of);
        }
    }
}
