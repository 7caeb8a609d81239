/* Demand: the highest average power of a window in a billing cycle, and what it costs. */
#include "domain/rating_parts.h"

#define INTERVAL_MINUTES 15
#define MINUTES_PER_HOUR 60

/* ---- measuring ---- */

static bool is_of_row(const struct tariff_price *price, int season, int period)
{
    return (price->season == TARIFF_ANY || price->season == season) &&
           (price->period == TARIFF_ANY || price->period == period);
}

static void note_demand(struct rating_today *today, int charge, const struct rating_window *window,
                        int64_t nkw)
{
    struct rating_bench *bench = today->bench;
    const struct tariff_charge *of = &bench->tariff->charges[charge];

    for (int i = 0; i < of->n_prices; i++) {
        struct rating_highest *highest = &bench->today[bench->first_row[charge] + i];
        if (nkw > highest->nkw && is_of_row(&of->prices[i], window->season, window->period)) {
            *highest = (struct rating_highest){ nkw, window->start_us, today->day };
        }
    }
}

void rating_add_demand(struct rating_today *today, const struct rating_interval *interval,
                       int minute, bool is_known)
{
    struct rating_bench *bench = today->bench;
    const struct tariff_day_plan *plan = today->uses[TARIFF_DEMAND];

    for (int i = 0; i < bench->n_charges[TARIFF_DEMAND]; i++) {
        int charge = bench->charges[TARIFF_DEMAND][i];
        int length = bench->tariff->charges[charge].demand_minutes;
        struct rating_window *window = &bench->windows[charge];
        int64_t start_us = interval->start_us - minute % length * US_PER_MINUTE;
        if (window->n == 0 || window->start_us != start_us) {
            int first = minute - minute % length;
            *window = (struct rating_window){
                .start_us = start_us,
                .season = today->season,
                .period = plan->segments[tariff_segment_at(plan, first)].period,
            };
        }
        window->n += is_known;
        window->nkwh += interval->import_nkwh + interval->spread_nkwh;
        if (window->n * INTERVAL_MINUTES == length) {
            note_demand(today, charge, window, window->nkwh * (MINUTES_PER_HOUR / length));
        }
    }
}

static const char *period_name(const struct rating_bench *bench, const struct tariff_price *price)
{
    return price->period == TARIFF_ANY ? "" : bench->tariff->periods[price->period].name;
}

/* What the day's rows of a charge came to counts for another version's rows of the same period,
 * where that version's season is theirs. */
static void count_for(struct rating_bench *other, int to_charge, const struct rating_today *today,
                      int from_charge)
{
    const struct rating_bench *bench = today->bench;
    const struct tariff_charge *to = &other->tariff->charges[to_charge];
    const struct tariff_charge *from = &bench->tariff->charges[from_charge];
    int season = tariff_season_on(other->version->plan, today->day);

    for (int i = 0; i < to->n_prices; i++) {
        struct rating_highest *highest = &other->highest[other->first_row[to_charge] + i];
        bool is_in_season = to->prices[i].season == TARIFF_ANY || to->prices[i].season == season;
        for (int j = 0; is_in_season && j < from->n_prices; j++) {
            const struct rating_highest *found = &bench->today[bench->first_row[from_charge] + j];
            if (found->nkw > highest->nkw && strcmp(period_name(other, &to->prices[i]),
                                                    period_name(bench, &from->prices[j])) == 0) {
                *highest = *found;
            }
        }
    }
}

void rating_end_demand_day(struct rating_work *work, const struct rating_today *today)
{
    struct rating_bench *bench = today->bench;

    for (int version = 0; version < work->input->n_versions; version++) {
        struct rating_bench *other = &work->benches[version];
        if (other->cycle != bench->cycle ||
            other->version->schedule_id != bench->version->schedule_id) {
            continue;
        }
        for (int i = 0; i < bench->n_charges[TARIFF_DEMAND]; i++) {
            int from = bench->charges[TARIFF_DEMAND][i];
            int to = rating_charge_coded(other->tariff, bench->tariff->charges[from].code);
            if (to >= 0) {
                count_for(other, to, today, from);
            }
        }
    }
    memset(bench->today, 0, (size_t)bench->n_rows * sizeof *bench->today);
}

/* ---- billing ---- */

/* The highest of `peaks` that the ratchet remembers in the cycle. */
static int64_t highest_of(const struct rating_peak *peaks, size_t n, int64_t from_day,
                          int64_t to_day, const struct tariff_charge *charge, const char *period)
{
    int64_t highest = 0;

    for (size_t i = 0; i < n; i++) {
        if (peaks[i].cycle_day >= from_day && peaks[i].cycle_day < to_day &&
            peaks[i].nkw > highest && strcmp(peaks[i].code, charge->code) == 0 &&
            strcmp(peaks[i].period, period) == 0) {
            highest = peaks[i].nkw;
        }
    }
    return highest;
}

static int64_t ratchet(const struct rating_work *work, const struct tariff_charge *charge,
                       const char *period, int64_t cycle_day)
{
    const struct rating_input *input = work->input;

    if (charge->ratchet_percent == 0) {
        return 0;
    }
    int64_t from_day = rating_cycles_before(input->versions, input->n_versions, cycle_day,
                                            charge->ratchet_cycles, input->as_of_us);
    int64_t given =
        highest_of(input->peaks, input->n_peaks, from_day, cycle_day, charge, period);
    int64_t seen = highest_of(work->peaks, work->n_peaks, from_day, cycle_day, charge, period);

    return nano_scale(given > seen ? given : seen, charge->ratchet_percent, 100 * NANO);
}

static void add_lines(struct rating_work *work, struct rating_line line,
                      const struct tariff_price *price)
{
    int64_t left = line.quantity, from = 0;

    for (int tier = 0; left > 0 && tier < price->n_tiers; tier++) {
        int64_t room = price->tiers[tier].up_to - from;
        line.quantity = left < room ? left : room;
        line.tier = price->n_tiers > 1 ? tier : TARIFF_ANY;
        line.rate = price->tiers[tier].rate;
        line.amount = money_share(money_of(line.quantity, line.rate), line.n_days, line.of_days);
        rating_add_line(work, line);
        left -= line.quantity;
        from = price->tiers[tier].up_to;
    }
}

/* The days of a cycle on which a row's price holds. */
struct row_days {
    int n;
    int64_t day; /* that the line is of: of the highest, else the first that is rated; -1: none */
};

static struct row_days days_of_row(const struct rating_work *work, const struct rating_cycle *cycle,
                                   int version, const struct tariff_price *price,
                                   const struct rating_highest *highest)
{
    const struct tariff_plan *plan = work->input->versions[version].plan;
    struct row_days days = { .day = -1 };

    for (int64_t day = cycle->from_day; day < cycle->to_day; day++) {
        if (rating_version_of(work, day) != version ||
            (price->season != TARIFF_ANY && tariff_season_on(plan, day) != price->season)) {
            continue;
        }
        bool is_rated = day >= work->input->from_day && day < work->input->to_day;
        bool is_highest = highest->nkw > 0 && highest->day == day;
        days.n++;
        days.day = is_rated && (days.day < 0 || is_highest) ? day : days.day;
    }
    return days;
}

static void end_row(struct rating_work *work, int cycle_index, int version, int charge, int row)
{
    const struct rating_cycle *cycle = &work->cycles[cycle_index];
    struct rating_bench *bench = &work->benches[version];
    const struct tariff_charge *of = &bench->tariff->charges[charge];
    const struct tariff_price *price = &of->prices[row];
    const struct rating_highest *highest = &bench->highest[bench->first_row[charge] + row];
    struct row_days days = days_of_row(work, cycle, version, price, highest);

    if (days.day < 0) {
        return;
    }
    int64_t least = ratchet(work, of, period_name(bench, price), cycle->from_day);
    bool is_own = highest->nkw >= least;
    struct rating_line line = {
        .day = days.day,
        .version = version,
        .charge = charge,
        .season = price->season,
        .period = price->period,
        .quantity = is_own ? highest->nkw : least,
        .has_one_rate = true,
        .at_us = is_own ? highest->at_us : 0,
        .n_days = days.n,
        .of_days = (int)(cycle->to_day - cycle->from_day),
    };
    add_lines(work, line, price);
}

static void keep_peak(struct rating_work *work, int version, int charge, int row, int64_t cycle_day)
{
    const struct rating_bench *bench = &work->benches[version];
    const struct tariff_charge *of = &bench->tariff->charges[charge];
    int64_t nkw = bench->highest[bench->first_row[charge] + row].nkw;

    if (nkw == 0) {
        return;
    }
    if (work->n_peaks == work->peaks_size) {
        size_t size = work->peaks_size * 2 + 64;
        struct rating_peak *peaks = arena_resize(work->op->arena, work->peaks,
                                                 work->peaks_size * sizeof *peaks,
                                                 size * sizeof *peaks);
        if (!peaks) {
            work->err = fail_memory(work->op);
            return;
        }
        work->peaks = peaks;
        work->peaks_size = size;
    }
    work->peaks[work->n_peaks++] = (struct rating_peak){
        .code = of->code,
        .period = period_name(bench, &of->prices[row]),
        .cycle_day = cycle_day,
        .nkw = nkw,
    };
}

typedef void (*row_action)(struct rating_work *work, int cycle, int version, int charge, int row);

static void end_peak(struct rating_work *work, int cycle, int version, int charge, int row)
{
    struct rating_bench *bench = &work->benches[version];

    keep_peak(work, version, charge, row, work->cycles[cycle].from_day);
    bench->highest[bench->first_row[charge] + row] = (struct rating_highest){ 0 };
    bench->windows[charge].n = 0;
}

static void each_row(struct rating_work *work, int cycle, row_action act)
{
    for (int version = 0; version < work->input->n_versions; version++) {
        const struct rating_bench *bench = &work->benches[version];
        for (int i = 0; i < bench->n_charges[TARIFF_DEMAND]; i++) {
            int charge = bench->charges[TARIFF_DEMAND][i];
            for (int row = 0; row < bench->tariff->charges[charge].n_prices; row++) {
                act(work, cycle, version, charge, row);
            }
        }
    }
}

void rating_end_demand(struct rating_work *work, int cycle)
{
    each_row(work, cycle, end_row);
    each_row(work, cycle, end_peak);
}
