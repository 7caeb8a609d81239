/* What quarter hours cost: charges per kWh, with their periods, tiers and prices by time. The hot
 * part of rating: per interval it adds integers; amounts are made once a day. */
#include "domain/rating_parts.h"

#define INTERVAL_MINUTES 15

/* ---- benches ---- */

static int most_tiers(const struct tariff_charge *charge)
{
    int most = 1;

    for (int i = 0; i < charge->n_prices; i++) {
        most = charge->prices[i].n_tiers > most ? charge->prices[i].n_tiers : most;
    }
    return most;
}

/* What a charge counts for: TARIFF_USES where it is not by energy or demand. */
static int use_of(const struct tariff_charge *charge)
{
    if (charge->n_prices == 0) {
        return TARIFF_USES;
    }
    return charge->kind == CHARGE_DEMAND   ? TARIFF_DEMAND
           : charge->kind == CHARGE_EXPORT ? TARIFF_EXPORT
                                           : TARIFF_IMPORT;
}

static size_t sort_charges(struct rating_bench *bench)
{
    const struct tariff *tariff = bench->tariff;
    size_t n_tallies = 0;

    for (int i = 0; i < tariff->n_charges; i++) {
        int use = use_of(&tariff->charges[i]);
        if (use == TARIFF_USES) {
            continue;
        }
        bench->charges[use][bench->n_charges[use]++] = (uint8_t)i;
        if (use != TARIFF_DEMAND) {
            n_tallies += (size_t)(most_tiers(&tariff->charges[i]) * tariff->n_periods);
        }
    }
    return n_tallies;
}

/* Gives each cell its tallies and what counts its tiers. */
static void lay_out(struct rating_bench *bench)
{
    const struct tariff *tariff = bench->tariff;
    struct rating_tally *next = bench->tallies;

    for (int i = 0; i < tariff->n_charges; i++) {
        const struct tariff_charge *charge = &tariff->charges[i];
        int64_t *counted = bench->counted + i * (tariff->n_periods + 1);
        int use = use_of(charge);
        for (int period = 0; use != TARIFF_USES && use != TARIFF_DEMAND &&
                             period < tariff->n_periods; period++) {
            struct rating_cell *cell = &bench->cells[i * tariff->n_periods + period];
            cell->tallies = next;
            cell->counted = charge->is_tiered_alone ? counted + 1 + period : counted;
            next += most_tiers(charge);
        }
    }
}

static bool take_prices(struct rating_bench *bench)
{
    const struct tariff *tariff = bench->tariff;

    for (int i = 0; i < tariff->n_series; i++) {
        bench->prices[i] = bench->version->prices[i];
        if (bench->prices[i].n == 0) {
            bench->prices[i] = (struct price_series){ tariff->series[i].points,
                                                      (size_t)tariff->series[i].n_points };
        }
    }
    return true;
}

bool rating_bench_make(struct rating_work *work, const struct rating_version *version,
                       struct rating_bench *bench)
{
    struct arena *arena = work->op->arena;
    const struct tariff *tariff = tariff_of(version->plan);
    size_t n_charges = (size_t)tariff->n_charges, n_periods = (size_t)tariff->n_periods;

    *bench = (struct rating_bench){ .version = version, .tariff = tariff, .cycle = -1 };
    size_t n_tallies = sort_charges(bench);
    bench->cells = arena_array(arena, n_charges * n_periods, sizeof *bench->cells);
    bench->tallies = arena_array(arena, n_tallies + 1, sizeof *bench->tallies);
    bench->counted = arena_array(arena, n_charges * (n_periods + 1), sizeof *bench->counted);
    bench->windows = arena_array(arena, n_charges, sizeof *bench->windows);
    bench->first_row = arena_array(arena, n_charges, sizeof *bench->first_row);
    for (int i = 0; bench->first_row && i < tariff->n_charges; i++) {
        bench->first_row[i] = bench->n_rows;
        bench->n_rows += tariff->charges[i].kind == CHARGE_DEMAND ? tariff->charges[i].n_prices : 0;
    }
    bench->highest = arena_array(arena, (size_t)bench->n_rows + 1, sizeof *bench->highest);
    bench->today = arena_array(arena, (size_t)bench->n_rows + 1, sizeof *bench->today);
    if (!bench->cells || !bench->tallies || !bench->counted || !bench->windows ||
        !bench->first_row || !bench->highest || !bench->today) {
        return false;
    }
    lay_out(bench);
    return take_prices(bench);
}

int rating_charge_coded(const struct tariff *tariff, const char *code)
{
    for (int i = 0; i < tariff->n_charges; i++) {
        if (strcmp(tariff->charges[i].code, code) == 0) {
            return i;
        }
    }
    return -1;
}

void rating_bench_begin(struct rating_bench *bench, const struct rating_bench *before)
{
    const struct tariff *tariff = bench->tariff;

    for (int i = 0; i < tariff->n_charges; i++) {
        int64_t *counted = bench->counted + i * (tariff->n_periods + 1);
        int other = before ? rating_charge_coded(before->tariff, tariff->charges[i].code) : -1;
        memset(counted, 0, ((size_t)tariff->n_periods + 1) * sizeof *counted);
        if (other < 0) {
            continue;
        }
        const int64_t *theirs = before->counted + other * (before->tariff->n_periods + 1);
        counted[0] = theirs[0];
        for (int period = 0; period < tariff->n_periods; period++) {
            for (int j = 0; j < before->tariff->n_periods; j++) {
                if (!strcmp(tariff->periods[period].name, before->tariff->periods[j].name)) {
                    counted[1 + period] = theirs[1 + j];
                }
            }
        }
    }
}

/* ---- days ---- */

static void set_limits(struct rating_cell *cell, const struct tariff_charge *charge,
                       int64_t allowance_nkwh)
{
    for (int tier = 0; tier < cell->price->n_tiers; tier++) {
        int64_t up_to = cell->price->tiers[tier].up_to;
        bool is_share = charge->is_of_baseline && up_to != TARIFF_NO_LIMIT;
        cell->limits[tier] = is_share ? nano_scale(allowance_nkwh, up_to, 100 * NANO) : up_to;
    }
}

void rating_begin_day(struct rating_today *today, int64_t allowance_nkwh, int64_t daily_nkwh)
{
    struct rating_bench *bench = today->bench;
    const struct tariff *tariff = bench->tariff;

    for (int use = 0; use < TARIFF_USES; use++) {
        for (int i = 0; use != TARIFF_DEMAND && i < bench->n_charges[use]; i++) {
            int c = bench->charges[use][i];
            const struct tariff_charge *charge = &tariff->charges[c];
            for (int period = 0; period < tariff->n_periods; period++) {
                struct rating_cell *cell = &bench->cells[c * tariff->n_periods + period];
                cell->price = tariff_price_in(today->plan, c, today->season, period);
                if (charge->is_tiered_by_day) {
                    *cell->counted = 0;
                }
                if (cell->price && cell->price->n_tiers > 1) {
                    set_limits(cell, charge,
                               charge->is_tiered_by_day ? daily_nkwh : allowance_nkwh);
                }
            }
        }
    }
}

/* ---- intervals ---- */

/* Tier by tier; what is taken back (a correction below nothing) is taken from where it stands. */
static struct money add_tiers(struct rating_cell *cell, int64_t nkwh)
{
    struct money cost = { 0 };

    while (nkwh != 0) {
        int tier = 0;
        while (tier + 1 < cell->price->n_tiers && *cell->counted >= cell->limits[tier]) {
            tier++;
        }
        bool is_last = tier + 1 == cell->price->n_tiers;
        int64_t room = is_last ? nkwh : cell->limits[tier] - *cell->counted;
        int64_t part = nkwh > room ? room : nkwh;
        cell->tallies[tier].quantity += part;
        *cell->counted += part;
        nkwh -= part;
        cost = money_add(cost, money_of(part, cell->price->tiers[tier].rate));
    }
    return cost;
}

/* At its price by time. Tiers that other periods have of all energy fill all the same. */
static struct money add_at_price(struct rating_bench *bench, struct rating_cell *cell,
                                 int64_t nkwh, int64_t time_us)
{
    const struct tariff_price *price = cell->price;
    struct rating_tally *tally = cell->tallies;
    int64_t rate;

    *cell->counted += nkwh;
    if (!price_series_at(&bench->prices[price->series], time_us, &bench->hints[price->series],
                         &rate) ||
        !nano_price(rate, price->factor, price->add, &rate)) {
        tally->unpriced_nkwh += nkwh;
        tally->n_unpriced += nkwh != 0;
        return (struct money){ 0 };
    }
    tally->quantity += nkwh;
    struct money cost = money_of(nkwh, rate);
    tally->amount = money_add(tally->amount, cost);
    return cost;
}

/* A piece of an interval that lies in one period. What it costs, where `has_cost`. */
static struct money add_piece(struct rating_bench *bench, enum tariff_use use, int period,
                              int64_t nkwh, int64_t time_us, bool has_cost)
{
    struct money cost = { 0 };

    for (int i = 0; i < bench->n_charges[use]; i++) {
        int c = bench->charges[use][i];
        struct rating_cell *cell = &bench->cells[c * bench->tariff->n_periods + period];
        if (cell->price->series >= 0) {
            cost = money_add(cost, add_at_price(bench, cell, nkwh, time_us));
        } else if (cell->price->n_tiers > 1) {
            cost = money_add(cost, add_tiers(cell, nkwh));
        } else {
            cell->tallies->quantity += nkwh;
            *cell->counted += nkwh;
            if (has_cost) {
                cost = money_add(cost, money_of(nkwh, cell->price->tiers->rate));
            }
        }
    }
    return cost;
}

/* One direction of an interval, cut where periods change within it: in proportion to the minutes,
 * so that the pieces add up. */
static struct money add_use(struct rating_today *today, enum tariff_use use, int minute,
                            int64_t nkwh, int64_t time_us, bool has_cost)
{
    const struct tariff_day_plan *plan = today->uses[use];
    int at = tariff_segment_at(plan, minute), end = minute + INTERVAL_MINUTES;
    const struct tariff_segment *segment = &plan->segments[at];
    struct money cost = { 0 };
    int64_t done = 0;

    if (segment->to >= end) {
        return add_piece(today->bench, use, segment->period, nkwh, time_us, has_cost);
    }
    for (; at < plan->n_segments && plan->segments[at].from < end; at++) {
        segment = &plan->segments[at];
        bool is_last = segment->to >= end || at + 1 == plan->n_segments;
        int64_t until = is_last ? nkwh : nkwh * (segment->to - minute) / INTERVAL_MINUTES;
        cost = money_add(cost, add_piece(today->bench, use, segment->period, until - done, time_us,
                                         has_cost));
        done = until;
    }
    return cost;
}

void rating_add_energy(struct rating_today *today, const struct rating_interval *interval,
                       int minute, struct rating_slot *slot)
{
    struct rating_bench *bench = today->bench;
    struct money import = { 0 }, export = { 0 };

    if (bench->n_charges[TARIFF_IMPORT] > 0 && interval->import_nkwh != 0) {
        import = add_use(today, TARIFF_IMPORT, minute, interval->import_nkwh, interval->start_us,
                         slot != NULL);
    }
    if (bench->n_charges[TARIFF_EXPORT] > 0 && interval->export_nkwh != 0) {
        export = add_use(today, TARIFF_EXPORT, minute, interval->export_nkwh, interval->start_us,
                         slot != NULL);
    }
    if (slot) {
        const struct tariff_day_plan *plan = today->uses[TARIFF_IMPORT];
        slot->period = plan->segments[tariff_segment_at(plan, minute)].period;
        slot->import = import;
        slot->export = money_subtract((struct money){ 0 }, export);
    }
}

/* ---- lines ---- */

/* What has no price is a line of its own. */
static void add_lines(struct rating_work *work, const struct rating_today *today, int charge,
                      int period, int tier)
{
    struct rating_bench *bench = today->bench;
    struct rating_cell *cell = &bench->cells[charge * bench->tariff->n_periods + period];
    const struct rating_tally *tally = &cell->tallies[tier];
    bool has_one_rate = cell->price->series < 0;
    int64_t rate = has_one_rate ? cell->price->tiers[tier].rate : 0;
    struct money amount = has_one_rate ? money_of(tally->quantity, rate) : tally->amount;

    if (bench->tariff->charges[charge].kind == CHARGE_EXPORT) {
        amount = money_subtract((struct money){ 0 }, amount);
    }
    struct rating_line line = {
        .day = today->day,
        .version = (int)(bench - work->benches),
        .charge = charge,
        .season = today->season,
        .period = period,
        .tier = cell->price->n_tiers > 1 ? tier : TARIFF_ANY,
        .quantity = tally->quantity,
        .rate = rate,
        .has_one_rate = has_one_rate,
        .amount = amount,
    };
    if (tally->quantity != 0) {
        rating_add_line(work, line);
    }
    if (tally->n_unpriced != 0) {
        line.quantity = tally->unpriced_nkwh;
        line.amount = (struct money){ 0 };
        line.n_unpriced = tally->n_unpriced;
        rating_add_line(work, line);
    }
}

void rating_end_day(struct rating_work *work, struct rating_today *today)
{
    struct rating_bench *bench = today->bench;
    int n_periods = bench->tariff->n_periods;

    for (int i = 0; i < bench->tariff->n_charges; i++) {
        for (int period = 0; period < n_periods; period++) {
            struct rating_cell *cell = &bench->cells[i * n_periods + period];
            if (!cell->price) {
                continue; /* it is not by energy */
            }
            int n_tiers = cell->price->n_tiers > 1 ? cell->price->n_tiers : 1;
            for (int tier = 0; tier < n_tiers; tier++) {
                struct rating_tally *tally = &cell->tallies[tier];
                add_lines(work, today, i, period, tier);
                *tally = (struct rating_tally){ .quantity = 0 };
            }
        }
    }
}
