/* Works out what passes a billing meter. Called by cost.c. */
#include "domain/cost_energy.h"

#include "domain/energy_best.h"
#include "domain/span.h"

#include <string.h>

#define SHORT_GAP 4 /* quarter hours that may lie between two readings of anything */

enum part { PART_IMPORT, PART_EXPORT, PART_USED, PART_MADE, PART_NONE };

/* A device's role: the meters [from, to). */
struct seat {
    int from, to;
    enum part part;
    struct energy_best best;
};

struct sums {
    struct op *op;
    const struct cost_meter *meters;
    struct cost_energy *out;
    int *day_of;        /* by quarter hour */
    int n_days;
    struct seat *seats;
    int n_seats;
    bool *has_grid;     /* by day: something stands at the grid */
    bool *has_import;   /* by day: some import or consumption is told */
    int64_t *made_nkwh; /* by quarter hour, of days without a grid meter */
    uint8_t *seen;      /* by quarter hour: of the seat at hand */
    uint8_t *gaps;      /* by quarter hour: some seat does not know it */
};

/* ---- layout ---- */

static enum part part_of(const char *role)
{
    static const char *const names[] = { "grid_import", "grid_export", "consumption",
                                         "generation" };

    for (int i = 0; i < PART_NONE; i++) {
        if (strcmp(role, names[i]) == 0) {
            return (enum part)i;
        }
    }
    return PART_NONE;
}

/* Which local day each quarter hour begins on, from 0. */
static void number_days(struct sums *sums, const struct zone *zone)
{
    int64_t first = 0;
    int hint = 0;

    for (size_t i = 0; i < sums->out->n; i++) {
        int64_t at_us = sums->out->start_us + (int64_t)i * COST_QUARTER_US;
        int64_t day = span_day_near(zone, at_us, &hint);
        first = i == 0 ? day : first;
        sums->day_of[i] = (int)(day - first);
        sums->n_days = sums->day_of[i] + 1;
    }
}

static bool is_together(const struct cost_meter *a, const struct cost_meter *b)
{
    return energy_is_one_seat(a->device, a->role, b->device, b->role);
}

static bool find_seats(struct sums *sums, int n)
{
    struct arena *arena = sums->op->arena;

    for (int from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && is_together(&sums->meters[from], &sums->meters[to]);) {
            to++;
        }
        struct seat seat = { .from = from, .to = to, .part = part_of(sums->meters[from].role) };
        if (!energy_best_init(&seat.best, arena, sums->n_days)) {
            return false;
        }
        sums->seats[sums->n_seats++] = seat;
    }
    return true;
}

static bool lay_out(struct sums *sums, int n, const struct zone *zone)
{
    struct arena *arena = sums->op->arena;
    struct cost_energy *out = sums->out;

    out->import_nkwh = arena_array(arena, out->n + 1, sizeof *out->import_nkwh);
    out->export_nkwh = arena_array(arena, out->n + 1, sizeof *out->export_nkwh);
    out->known = arena_array(arena, out->n + 1, sizeof *out->known);
    sums->made_nkwh = arena_array(arena, out->n + 1, sizeof *sums->made_nkwh);
    sums->seen = arena_array(arena, out->n + 1, sizeof *sums->seen);
    sums->gaps = arena_array(arena, out->n + 1, sizeof *sums->gaps);
    sums->day_of = arena_array(arena, out->n + 1, sizeof *sums->day_of);
    sums->seats = arena_array(arena, (size_t)n + 1, sizeof *sums->seats);
    if (!out->import_nkwh || !out->export_nkwh || !out->known || !sums->made_nkwh ||
        !sums->seen || !sums->gaps || !sums->day_of || !sums->seats) {
        return false;
    }
    number_days(sums, zone);
    sums->has_grid = arena_array(arena, (size_t)sums->n_days + 1, sizeof *sums->has_grid);
    sums->has_import = arena_array(arena, (size_t)sums->n_days + 1, sizeof *sums->has_import);
    return sums->has_grid && sums->has_import && find_seats(sums, n);
}

/* The quarter hour of a time; -1: outside. */
static int64_t quarter_of(const struct sums *sums, int64_t at_us)
{
    int64_t index = (at_us - sums->out->start_us) / COST_QUARTER_US;

    return at_us < sums->out->start_us || index >= (int64_t)sums->out->n ? -1 : index;
}

/* ---- which count ---- */

static void find_best(struct sums *sums, struct seat *seat)
{
    for (int m = seat->from; m < seat->to; m++) {
        const struct cost_meter *meter = &sums->meters[m];
        for (int i = 0; i < meter->n; i++) {
            int64_t quarter = quarter_of(sums, meter->at_us[i]);
            if (quarter >= 0) {
                energy_best_note(&seat->best, sums->day_of[quarter], meter->place);
            }
        }
    }
    for (int day = 0; day < sums->n_days; day++) {
        bool is_grid = seat->part == PART_IMPORT || seat->part == PART_EXPORT;
        sums->has_grid[day] |= is_grid && energy_best_is_known(&seat->best, day);
    }
}

static bool counts_on(const struct sums *sums, const struct seat *seat, int day)
{
    bool is_grid = seat->part == PART_IMPORT || seat->part == PART_EXPORT;

    return seat->part != PART_NONE && energy_best_is_known(&seat->best, day) &&
           is_grid == sums->has_grid[day];
}

static void find_imports(struct sums *sums)
{
    for (int s = 0; s < sums->n_seats; s++) {
        const struct seat *seat = &sums->seats[s];
        bool is_import = seat->part == PART_IMPORT || seat->part == PART_USED;
        for (int day = 0; is_import && day < sums->n_days; day++) {
            sums->has_import[day] |= counts_on(sums, seat, day);
        }
    }
}

/* ---- sums ---- */

static int64_t *sum_of(const struct sums *sums, enum part part)
{
    return part == PART_EXPORT ? sums->out->export_nkwh
           : part == PART_MADE ? sums->made_nkwh
                               : sums->out->import_nkwh;
}

static void add_seat(struct sums *sums, const struct seat *seat)
{
    int64_t *sum = sum_of(sums, seat->part);

    memset(sums->seen, 0, sums->out->n);
    for (int m = seat->from; m < seat->to; m++) {
        const struct cost_meter *meter = &sums->meters[m];
        for (int i = 0; i < meter->n; i++) {
            int64_t quarter = quarter_of(sums, meter->at_us[i]);
            int day = quarter < 0 ? 0 : sums->day_of[quarter];
            if (quarter < 0 || !energy_best_counts(&seat->best, day, meter->place) ||
                !counts_on(sums, seat, day)) {
                continue;
            }
            sums->seen[quarter] = 1;
            if (__builtin_add_overflow(sum[quarter], meter->nkwh[i], &sum[quarter])) {
                sum[quarter] = INT64_MAX; /* beyond what is rated: missing */
            }
        }
    }
}

/* Says of the day's quarter hours [from, to) which the seat at hand knows. */
static void judge_day(struct sums *sums, size_t from, size_t to)
{
    size_t n_seen = 0, last = from; /* the first behind the last one seen */

    for (size_t i = from; i < to; i++) {
        n_seen += sums->seen[i];
    }
    size_t usual = n_seen > 0 ? 2 * (to - from) / n_seen : 0;
    size_t longest = usual > SHORT_GAP ? usual : SHORT_GAP;
    for (size_t i = from; i <= to; i++) {
        if (i < to && !sums->seen[i]) {
            continue;
        }
        for (size_t gap = last; gap < i; gap++) {
            if (i - last > longest) {
                sums->gaps[gap] = 1;
            } else {
                sums->out->known[gap] = COST_WHOLE;
            }
        }
        if (i < to) {
            sums->out->known[i] = COST_WHOLE;
        }
        last = i + 1;
    }
}

static void judge_seat(struct sums *sums, const struct seat *seat)
{
    bool is_import = seat->part == PART_IMPORT || seat->part == PART_USED;
    size_t from = 0, n = sums->out->n;

    for (size_t i = 1; i <= n; i++) {
        int day = sums->day_of[from];
        if (i < n && sums->day_of[i] == day) {
            continue;
        }
        /* what feeds in may be silent at night: it is asked only where nothing else is there */
        bool is_asked = is_import || (seat->part == PART_EXPORT && !sums->has_import[day]);
        if (is_asked && counts_on(sums, seat, day)) {
            judge_day(sums, from, i);
        }
        from = i;
    }
}

/* Consumption less generation, on days without a grid meter. */
static void net(struct sums *sums)
{
    struct cost_energy *out = sums->out;

    for (size_t i = 0; i < out->n; i++) {
        int day = sums->day_of[i];
        if (out->known[i] == COST_WHOLE && sums->gaps[i]) {
            out->known[i] = COST_PARTLY;
        }
        if (sums->has_grid[day] || !sums->has_import[day] || sums->made_nkwh[i] == 0) {
            continue;
        }
        int64_t rest = 0;
        if (__builtin_sub_overflow(out->import_nkwh[i], sums->made_nkwh[i], &rest)) {
            rest = INT64_MAX;
        }
        out->import_nkwh[i] = rest > 0 ? rest : 0;
        out->export_nkwh[i] = rest < 0 ? -rest : 0;
    }
}

enum err cost_energy_make(struct op *op, const struct cost_meters *meters,
                          const struct zone *zone, int64_t start_us, int64_t end_us,
                          struct cost_energy *out)
{
    *out = (struct cost_energy){ .start_us = start_us,
                                 .n = (size_t)((end_us - start_us) / COST_QUARTER_US) };
    struct sums sums = { .op = op, .meters = meters->items, .out = out };

    if (!lay_out(&sums, meters->n, zone)) {
        return fail_memory(op);
    }
    for (int s = 0; s < sums.n_seats; s++) {
        find_best(&sums, &sums.seats[s]);
    }
    find_imports(&sums);
    for (int s = 0; s < sums.n_seats; s++) {
        if (sums.seats[s].part != PART_NONE) {
            add_seat(&sums, &sums.seats[s]);
            judge_seat(&sums, &sums.seats[s]);
        }
    }
    net(&sums);
    return OK;
}
