/* Rating: lays out the days and billing cycles, walks the intervals through them, and puts the
 * lines in order. Called by the rating job, by comparisons and by pages. */
#include "domain/rating.h"

#include "domain/rating_parts.h"
#include "domain/span.h"

#define QUARTER_US (15 * US_PER_MINUTE)

/* ---- versions and cycles ---- */

int rating_version_on(const struct rating_version *versions, int n, int64_t day, int64_t as_of_us)
{
    int found = -1;

    for (int i = 0; i < n; i++) {
        const struct rating_version *version = &versions[i];
        bool holds = version->from_day <= day && day < version->to_day &&
                     version->known_since_us <= as_of_us;
        if (holds && (found < 0 || version->known_since_us >= versions[found].known_since_us)) {
            found = i;
        }
    }
    return found;
}

static bool is_cycle_start(const struct rating_version *versions, int n, int64_t day,
                           int64_t as_of_us)
{
    int version = rating_version_on(versions, n, day, as_of_us);

    return version < 0 ? clock_split(day * US_PER_DAY).day == 1
                       : tariff_is_cycle_start(tariff_of(versions[version].plan), day);
}

/* The first day after `day` that begins a cycle. */
static int64_t next_start(const struct rating_version *versions, int n, int64_t day,
                          int64_t as_of_us)
{
    int64_t next = day + 1;

    while (next < day + RATING_MAX_CYCLE_DAYS && !is_cycle_start(versions, n, next, as_of_us)) {
        next++;
    }
    return next;
}

struct rating_cycle rating_cycle_of(const struct rating_version *versions, int n, int64_t day,
                                    int64_t as_of_us)
{
    int64_t from = day;

    while (from > day - RATING_MAX_CYCLE_DAYS && !is_cycle_start(versions, n, from, as_of_us)) {
        from--;
    }
    return (struct rating_cycle){ from, next_start(versions, n, day, as_of_us) };
}

int64_t rating_cycles_before(const struct rating_version *versions, int n, int64_t cycle_day,
                             int cycles, int64_t as_of_us)
{
    int64_t day = cycle_day;

    for (; cycles > 0; cycles--) {
        int64_t before = rating_cycle_of(versions, n, day - 1, as_of_us).from_day;
        if (cycle_day - before > TARIFF_RATCHET_DAYS) {
            break;
        }
        day = before;
    }
    return day;
}

int rating_version_of(const struct rating_work *work, int64_t day)
{
    const struct rating_input *input = work->input;

    if (day >= input->from_day && day < input->to_day) {
        return work->days[day - input->from_day].version;
    }
    return rating_version_on(input->versions, input->n_versions, day, input->as_of_us);
}

/* ---- lines ---- */

void rating_add_line(struct rating_work *work, struct rating_line line)
{
    if (work->err == OK && work->n_lines == work->lines_size) {
        size_t size = work->lines_size * 2 + 256;
        struct rating_line *lines = arena_resize(work->op->arena, work->lines,
                                                 work->lines_size * sizeof *lines,
                                                 size * sizeof *lines);
        if (!lines) {
            work->err = fail_memory(work->op);
            return;
        }
        work->lines = lines;
        work->lines_size = size;
    }
    if (work->err == OK) {
        work->lines[work->n_lines++] = line;
    }
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_lines(const void *left, const void *right)
{
    const struct rating_line *a = left, *b = right;
    const int orders[] = {
        order(a->day, b->day),       order(a->charge, b->charge), order(a->season, b->season),
        order(a->period, b->period), order(a->tier, b->tier),     order(a->rate, b->rate),
        order(a->n_unpriced, b->n_unpriced),
    };

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (orders[i] != 0) {
            return orders[i];
        }
    }
    return 0;
}

/* ---- laying out ---- */

static enum err check_input(struct op *op, const struct rating_input *input)
{
    if (input->from_day >= input->to_day || input->to_day - input->from_day > RATING_MAX_DAYS) {
        return fail(op, ERR_INVALID, "Costs are worked out for 1 to %d days at once.",
                    RATING_MAX_DAYS);
    }
    for (size_t i = 0; i < input->n_intervals; i++) {
        int64_t start_us = input->intervals[i].start_us;
        if (start_us % QUARTER_US != 0 ||
            (i > 0 && start_us <= input->intervals[i - 1].start_us)) {
            return fail(op, ERR_INVALID, "Intervals are quarter hours in order.");
        }
    }
    return OK;
}

static bool needs_sums(const struct tariff *tariff)
{
    for (int i = 0; i < tariff->n_charges; i++) {
        if (tariff->charges[i].is_percent || tariff->charges[i].kind == CHARGE_MINIMUM) {
            return true;
        }
    }
    return false;
}

static enum err make_benches(struct rating_work *work)
{
    const struct rating_input *input = work->input;
    struct arena *arena = work->op->arena;
    bool has_sums = false;

    work->benches = arena_array(arena, (size_t)input->n_versions + 1, sizeof *work->benches);
    for (int i = 0; work->benches && i < input->n_versions; i++) {
        const struct tariff *tariff = tariff_of(input->versions[i].plan);
        if (!rating_bench_make(work, &input->versions[i], &work->benches[i])) {
            return fail_memory(work->op);
        }
        has_sums = has_sums || needs_sums(tariff);
        work->sums_charges =
            tariff->n_charges > work->sums_charges ? tariff->n_charges : work->sums_charges;
    }
    if (has_sums) {
        size_t n = 2 * RATING_MAX_CYCLE_DAYS * (size_t)work->sums_charges;
        work->sums = arena_array(arena, n, sizeof *work->sums);
    }
    work->derived = rating_derive(arena, input, &work->n_derived);
    return work->benches && work->derived && (work->sums || !has_sums) ? OK
                                                                       : fail_memory(work->op);
}

static enum err make_days(struct rating_work *work)
{
    const struct rating_input *input = work->input;
    struct arena *arena = work->op->arena;
    size_t n = (size_t)(input->to_day - input->from_day);

    work->n_days = (int)n;
    work->days = arena_array(arena, n, sizeof *work->days);
    work->day_starts = arena_array(arena, n + 1, sizeof *work->day_starts);
    work->cycles = arena_array(arena, n, sizeof *work->cycles);
    if (!work->days || !work->day_starts || !work->cycles) {
        return fail_memory(work->op);
    }
    for (int i = 0; i <= work->n_days; i++) {
        work->day_starts[i] = span_day_start(input->zone, input->from_day + i);
    }
    for (int i = 0; i < work->n_days; i++) {
        work->days[i].version = rating_version_on(input->versions, input->n_versions,
                                                  input->from_day + i, input->as_of_us);
        work->days[i].is_over = work->day_starts[i + 1] <= input->known_until_us;
    }
    return OK;
}

static void make_cycles(struct rating_work *work)
{
    const struct rating_input *input = work->input;
    int64_t day = input->from_day;

    while (day < input->to_day) {
        struct rating_cycle *cycle = &work->cycles[work->n_cycles];
        *cycle = rating_cycle_of(input->versions, input->n_versions, day, input->as_of_us);
        for (; day < input->to_day && day < cycle->to_day; day++) {
            work->days[day - input->from_day].cycle = work->n_cycles;
        }
        work->n_cycles++;
    }
}

/* ---- walking ---- */

/* The baselines of a cycle's days, nano-kWh. */
static int64_t allowance_of(const struct rating_work *work, const struct rating_cycle *cycle)
{
    int64_t sum = 0;

    for (int64_t day = cycle->from_day; day < cycle->to_day; day++) {
        int version = rating_version_of(work, day);
        if (version >= 0) {
            const struct tariff_plan *plan = work->input->versions[version].plan;
            sum += tariff_of(plan)->baseline[tariff_season_on(plan, day)];
        }
    }
    return sum;
}

static bool is_faulty(int64_t nkwh)
{
    return nkwh > RATING_MAX_NKWH || nkwh < -RATING_MAX_NKWH;
}

/* What the zone's clocks show. */
static int local_minute(struct rating_work *work, int64_t time_us)
{
    int32_t offset_s = zone_offset_near(work->input->zone, time_us, &work->zone_hint);
    int64_t local_us = time_us + offset_s * US_PER_SECOND;

    return (int)((local_us % US_PER_DAY + US_PER_DAY) % US_PER_DAY / US_PER_MINUTE);
}

/* Rates what lies in the day; *at is the first interval that does not lie before it. */
static void rate_intervals(struct rating_work *work, struct rating_today *today, int index,
                           size_t *at)
{
    const struct rating_input *input = work->input;
    struct rating_day *day = &work->days[index];
    int64_t end_us = work->day_starts[index + 1];

    for (; *at < input->n_intervals && input->intervals[*at].start_us < end_us; ++*at) {
        struct rating_interval interval = input->intervals[*at];
        bool is_known = !interval.is_missing && !is_faulty(interval.import_nkwh) &&
                        !is_faulty(interval.export_nkwh);
        if (!is_known) {
            interval.import_nkwh = interval.export_nkwh = 0;
        } else if (interval.start_us + QUARTER_US <= input->known_until_us) {
            day->n_missing--;
        }
        if (!today->bench) {
            continue;
        }
        int minute = local_minute(work, interval.start_us);
        struct rating_slot *slot = work->slots ? &work->slots[*at] : NULL;
        rating_add_energy(today, &interval, minute, slot);
        if (today->bench->n_charges[TARIFF_DEMAND] > 0) {
            rating_add_demand(today, &interval, minute, is_known);
        }
    }
}

/* Quarter hours of the day that are over. */
static int expected(const struct rating_work *work, int index)
{
    int64_t from_us = work->day_starts[index], to_us = work->day_starts[index + 1];

    if (to_us > work->input->known_until_us) {
        to_us = work->input->known_until_us;
    }
    return to_us > from_us ? (int)((to_us - from_us) / QUARTER_US) : 0;
}

static struct rating_today begin_day(struct rating_work *work, int index, int64_t allowance_nkwh)
{
    int version = work->days[index].version;
    struct rating_today today = { .day = work->input->from_day + index };

    if (version >= 0) {
        today.bench = &work->benches[version];
        today.plan = work->input->versions[version].plan;
        today.season = tariff_season_on(today.plan, today.day);
        for (int use = 0; use < TARIFF_USES; use++) {
            today.uses[use] = tariff_day_plan(today.plan, (enum tariff_use)use, today.day);
        }
        rating_begin_day(&today, allowance_nkwh, today.bench->tariff->baseline[today.season]);
    }
    return today;
}

/* Says of the versions in force in the cycle, from its day `index` on, that they are. */
static void mark_benches(struct rating_work *work, int cycle, int index)
{
    for (; index < work->n_days && work->days[index].cycle == cycle; index++) {
        if (work->days[index].version >= 0) {
            work->benches[work->days[index].version].cycle = cycle;
        }
    }
}

/* Rates the days of a cycle from `index` on; returns the first day behind it. */
static int rate_cycle(struct rating_work *work, int index, size_t *at)
{
    int cycle = work->days[index].cycle;
    int64_t allowance_nkwh = allowance_of(work, &work->cycles[cycle]);
    const struct rating_bench *before = NULL;
    size_t first = work->n_lines;

    mark_benches(work, cycle, index);
    for (; index < work->n_days && work->days[index].cycle == cycle; index++) {
        struct rating_today today = begin_day(work, index, allowance_nkwh);
        if (today.bench && today.bench != before) {
            rating_bench_begin(today.bench, before);
            before = today.bench;
        }
        work->days[index].n_expected = expected(work, index);
        work->days[index].n_missing = work->days[index].n_expected;
        rate_intervals(work, &today, index, at);
        if (today.bench) {
            rating_end_day(work, &today);
            rating_end_demand_day(work, &today);
            rating_add_fixed(work, &today, cycle);
        }
    }
    rating_end_demand(work, cycle);
    rating_end_cycle(work, cycle, first);
    if (work->n_lines > first) {
        qsort(work->lines + first, work->n_lines - first, sizeof *work->lines, compare_lines);
    }
    return index;
}

enum err rating_run(struct op *op, const struct rating_input *input, struct rating *out)
{
    struct rating_work work = { .op = op, .input = input };
    enum err err = check_input(op, input);
    size_t at = 0;

    if (err == OK && input->has_slots) {
        work.slots = arena_array(op->arena, input->n_intervals + 1, sizeof *work.slots);
        err = work.slots ? OK : fail_memory(op);
        for (size_t i = 0; work.slots && i < input->n_intervals; i++) {
            work.slots[i].period = TARIFF_ANY;
        }
    }
    err = err == OK ? make_benches(&work) : err;
    err = err == OK ? make_days(&work) : err;
    if (err != OK) {
        return err;
    }
    make_cycles(&work);
    while (at < input->n_intervals && input->intervals[at].start_us < work.day_starts[0]) {
        at++;
    }
    for (int index = 0; index < work.n_days && work.err == OK;) {
        index = rate_cycle(&work, index, &at);
    }
    *out = (struct rating){
        .input = input,
        .lines = work.lines,
        .n_lines = work.n_lines,
        .days = work.days,
        .cycles = work.cycles,
        .n_cycles = work.n_cycles,
        .peaks = work.peaks,
        .n_peaks = work.n_peaks,
        .slots = work.slots,
    };
    return work.err;
}
