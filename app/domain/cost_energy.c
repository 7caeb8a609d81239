/* Works out what passes a billing meter. Called by cost.c. */
#include "domain/cost_energy.h"

#include "domain/energy_best.h"
#include "domain/span.h"

#include <string.h>

#define SHORT_GAP 4 /* quarter hours that may lie between two readings of anything */
#define LONGEST_DAY 200 /* quarter hours of a local day, at most */

enum part { PART_IMPORT, PART_EXPORT, PART_USED, PART_MADE, PART_NONE };

/* A device's role: the meters [from, to). */
struct seat {
    int from, to;
    enum part part;
    struct energy_best best;
    int64_t first_day, last_day; /* that it told anything of, as sums.day_of; none: last < first */
};

/* Of the series of a seat that add up those of one metric. */
struct share {
    const struct cost_meter *meter; /* the first of them */
    int64_t first_day, last_day;    /* as a seat's */
};

struct sums {
    struct op *op;
    const struct cost_meter *meters;
    struct cost_energy *out;
    const struct zone *zone;
    int *day_of;        /* by quarter hour */
    int64_t day_0;      /* day 0, from 1970 */
    int n_days;
    struct seat *seats;
    int n_seats;
    bool *has_grid;     /* by day: something stands at the grid */
    bool *feeds_alone;  /* by day: that is what is fed in alone, and consumption is told, too */
    bool *has_import;   /* by day: some import or consumption is told */
    int64_t *made_nkwh; /* by quarter hour, of days without a grid meter */
    uint8_t *seen;      /* by quarter hour: of the seat at hand */
    uint8_t *gaps;      /* by quarter hour: some seat does not know it */
    uint8_t *told;      /* by quarter hour: something draws or is used in it */
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
static void number_days(struct sums *sums)
{
    int hint = 0;

    for (size_t i = 0; i < sums->out->n; i++) {
        int64_t at_us = sums->out->start_us + (int64_t)i * COST_QUARTER_US;
        int64_t day = span_day_near(sums->zone, at_us, &hint);
        sums->day_0 = i == 0 ? day : sums->day_0;
        sums->day_of[i] = (int)(day - sums->day_0);
        sums->n_days = sums->day_of[i] + 1;
    }
}

static bool is_together(const struct cost_meter *a, const struct cost_meter *b)
{
    return energy_is_one_seat(a->device, a->role, b->device, b->role);
}

/* Widens the days [*first_day, *last_day] by those since and until when the meter told anything. */
static void add_life(const struct sums *sums, const struct cost_meter *meter, int64_t *first_day,
                     int64_t *last_day)
{
    if (meter->first_us == 0 && meter->last_us == 0) {
        return;
    }
    int64_t first = span_day_of(sums->zone, meter->first_us) - sums->day_0;
    int64_t last = span_day_of(sums->zone, meter->last_us) - sums->day_0;
    *first_day = first < *first_day ? first : *first_day;
    *last_day = last > *last_day ? last : *last_day;
}

static bool find_seats(struct sums *sums, int n)
{
    struct arena *arena = sums->op->arena;

    for (int from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && is_together(&sums->meters[from], &sums->meters[to]);) {
            to++;
        }
        struct seat seat = {
            .from = from,
            .to = to,
            .part = part_of(sums->meters[from].role),
            .first_day = INT64_MAX,
            .last_day = INT64_MIN,
        };
        for (int m = from; m < to; m++) {
            add_life(sums, &sums->meters[m], &seat.first_day, &seat.last_day);
        }
        if (!energy_best_init(&seat.best, arena, sums->n_days)) {
            return false;
        }
        sums->seats[sums->n_seats++] = seat;
    }
    return true;
}

static bool lay_out(struct sums *sums, int n)
{
    struct arena *arena = sums->op->arena;
    struct cost_energy *out = sums->out;

    out->import_nkwh = arena_array(arena, out->n + 1, sizeof *out->import_nkwh);
    out->export_nkwh = arena_array(arena, out->n + 1, sizeof *out->export_nkwh);
    out->known = arena_array(arena, out->n + 1, sizeof *out->known);
    sums->made_nkwh = arena_array(arena, out->n + 1, sizeof *sums->made_nkwh);
    sums->seen = arena_array(arena, out->n + 1, sizeof *sums->seen);
    sums->gaps = arena_array(arena, out->n + 1, sizeof *sums->gaps);
    sums->told = arena_array(arena, out->n + 1, sizeof *sums->told);
    out->is_between = arena_array(arena, out->n + 1, sizeof *out->is_between);
    sums->day_of = arena_array(arena, out->n + 1, sizeof *sums->day_of);
    sums->seats = arena_array(arena, (size_t)n + 1, sizeof *sums->seats);
    if (!out->import_nkwh || !out->export_nkwh || !out->known || !out->is_between ||
        !sums->made_nkwh || !sums->seen || !sums->gaps || !sums->told || !sums->day_of ||
        !sums->seats) {
        return false;
    }
    number_days(sums);
    sums->has_grid = arena_array(arena, (size_t)sums->n_days + 1, sizeof *sums->has_grid);
    sums->has_import = arena_array(arena, (size_t)sums->n_days + 1, sizeof *sums->has_import);
    sums->feeds_alone = arena_array(arena, (size_t)sums->n_days + 1, sizeof *sums->feeds_alone);
    return sums->has_grid && sums->has_import && sums->feeds_alone && find_seats(sums, n);
}

/* The quarter hour of a time; -1: outside. */
static int64_t quarter_of(const struct sums *sums, int64_t at_us)
{
    int64_t index = (at_us - sums->out->start_us) / COST_QUARTER_US;

    return at_us < sums->out->start_us || index >= (int64_t)sums->out->n ? -1 : index;
}

/* ---- which count ---- */

/* Whether something is to be known of the seat on the day: it has data or, where it draws from the
 * grid, told something on an earlier day and on a later one. */
static bool is_expected(const struct seat *seat, int day)
{
    return energy_best_is_known(&seat->best, day) ||
           (seat->part == PART_IMPORT && day >= seat->first_day && day <= seat->last_day);
}

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
        sums->has_grid[day] |= is_grid && is_expected(seat, day);
    }
}

static bool counts_on(const struct sums *sums, const struct seat *seat, int day)
{
    bool is_grid = seat->part == PART_IMPORT || seat->part == PART_EXPORT;

    return seat->part != PART_NONE && is_expected(seat, day) &&
           (is_grid == sums->has_grid[day] || sums->feeds_alone[day]);
}

/* Whether some seat of the part is expected to tell something of the day. */
static bool has_part(const struct sums *sums, enum part part, int day)
{
    for (int s = 0; s < sums->n_seats; s++) {
        if (sums->seats[s].part == part && is_expected(&sums->seats[s], day)) {
            return true;
        }
    }
    return false;
}

static void find_feeders(struct sums *sums)
{
    for (int day = 0; day < sums->n_days; day++) {
        sums->feeds_alone[day] = sums->has_grid[day] && !has_part(sums, PART_IMPORT, day) &&
                                 has_part(sums, PART_USED, day);
    }
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
            sums->told[quarter] |= seat->part == PART_IMPORT || seat->part == PART_USED;
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

/* How far it is from one quarter hour of [from, to) that the seat at hand tells to the next, most
 * often; the shorter of two; of a single one all of them. */
static size_t usual_distance(const struct sums *sums, size_t from, size_t to)
{
    uint8_t counts[LONGEST_DAY + 1] = { 0 };
    size_t last = to, usual = 0;

    for (size_t i = from; i < to; i++) {
        if (sums->seen[i]) {
            counts[last < i && i - last <= LONGEST_DAY ? i - last : 0]++;
            last = i;
        }
    }
    for (size_t distance = 1; distance <= LONGEST_DAY; distance++) {
        usual = counts[distance] > (usual > 0 ? counts[usual] : 0) ? distance : usual;
    }
    return usual > 0 ? usual : to - from;
}

/* Marks those of the day's quarter hours [from, to) that lie between readings of the seat at hand,
 * at their usual distance. */
static void mark_between(struct sums *sums, size_t from, size_t to)
{
    size_t distance = usual_distance(sums, from, to), last = to;

    for (size_t i = from; i < to; i++) {
        if (!sums->seen[i]) {
            sums->out->is_between[i] |= last < i && i - last < distance;
            continue;
        }
        for (size_t before = from; last == to && before < i; before++) {
            sums->out->is_between[before] |= i - before < distance;
        }
        last = i;
    }
}

/* Whether of the day's quarter hours [from, to) is to be said what the seat at hand knows or, of
 * series that add up, one's share. A day without a share is a gap between days with it; within a
 * day intervals need not come of every register at once. */
static bool is_judged(const struct sums *sums, const struct seat *seat, const struct share *share,
                      size_t from, size_t to)
{
    int day = sums->day_of[from];
    bool is_import = seat->part == PART_IMPORT || seat->part == PART_USED;
    /* what feeds in may be silent at night: it is asked only where nothing else is there */
    bool is_asked = is_import || (seat->part == PART_EXPORT && !sums->has_import[day]);

    if (!is_asked || !counts_on(sums, seat, day) || !share) {
        return is_asked && counts_on(sums, seat, day);
    }
    bool is_told = memchr(sums->seen + from, 1, to - from) != NULL;
    return energy_best_counts(&seat->best, day, share->meter->place) &&
           (is_told ? strcmp(share->meter->kind, "delta") != 0
                    : day >= share->first_day && day <= share->last_day);
}

static void judge(struct sums *sums, const struct seat *seat, const struct share *share)
{
    size_t from = 0, n = sums->out->n;

    for (size_t i = 1; i <= n; i++) {
        if (i < n && sums->day_of[i] == sums->day_of[from]) {
            continue;
        }
        if (is_judged(sums, seat, share, from, i)) {
            judge_day(sums, from, i);
            if (!share) {
                mark_between(sums, from, i);
            }
        }
        from = i;
    }
}

/* Whether the meter is another of that metric. */
static bool is_of_share(const struct cost_meter *meter, const struct share *share)
{
    return meter->place == share->meter->place && strcmp(meter->metric, share->meter->metric) == 0;
}

/* Judges those of the seat's meters from `from` on that share its first one's place and metric. */
static void judge_share(struct sums *sums, const struct seat *seat, int from)
{
    struct share share = { &sums->meters[from], INT64_MAX, INT64_MIN };

    memset(sums->seen, 0, sums->out->n);
    for (int m = from; m < seat->to; m++) {
        const struct cost_meter *meter = &sums->meters[m];
        if (!is_of_share(meter, &share)) {
            continue;
        }
        add_life(sums, meter, &share.first_day, &share.last_day);
        for (int i = 0; i < meter->n; i++) {
            int64_t quarter = quarter_of(sums, meter->at_us[i]);
            if (quarter >= 0) {
                sums->seen[quarter] = 1;
            }
        }
    }
    judge(sums, seat, &share);
}

/* Where several metrics add up, each has to be known. */
static void judge_shares(struct sums *sums, const struct seat *seat)
{
    for (int m = seat->from; m < seat->to; m++) {
        bool is_first = true, is_alone = true;
        const struct share share = { &sums->meters[m], 0, 0 };
        for (int i = seat->from; i < seat->to; i++) {
            const struct cost_meter *meter = &sums->meters[i];
            bool is_same = meter->place == share.meter->place;
            is_alone = is_alone && (!is_same || is_of_share(meter, &share));
            is_first = is_first && (i >= m || !is_of_share(meter, &share));
        }
        if (is_first && !is_alone) {
            judge_share(sums, seat, m);
        }
    }
}

/* a + b, or the end of what can be held: beyond what is rated. */
static int64_t add_bounded(int64_t a, int64_t b)
{
    int64_t sum;

    return !__builtin_add_overflow(a, b, &sum) ? sum : b > 0 ? INT64_MAX : INT64_MIN + 1;
}

/* Consumption less generation, on days without a grid meter; and with what was fed in, where only
 * that is measured at the grid: what was used of the rest was drawn. */
static void net(struct sums *sums)
{
    struct cost_energy *out = sums->out;

    for (size_t i = 0; i < out->n; i++) {
        int day = sums->day_of[i];
        if (out->known[i] == COST_WHOLE && sums->gaps[i]) {
            out->known[i] = COST_PARTLY;
        }
        out->is_between[i] = out->is_between[i] && !sums->told[i] && out->known[i] != COST_MISSING;
        bool is_net = !sums->has_grid[day] && sums->has_import[day] && sums->made_nkwh[i] != 0;
        if (!is_net && !sums->feeds_alone[day]) {
            continue;
        }
        int64_t rest = add_bounded(out->import_nkwh[i], -sums->made_nkwh[i]);
        rest = is_net ? rest : add_bounded(rest, out->export_nkwh[i]);
        out->import_nkwh[i] = rest > 0 ? rest : 0;
        if (is_net) {
            out->export_nkwh[i] = rest < 0 ? -rest : 0;
        }
    }
}

enum err cost_energy_make(struct op *op, const struct cost_meters *meters,
                          const struct zone *zone, int64_t start_us, int64_t end_us,
                          struct cost_energy *out)
{
    *out = (struct cost_energy){ .start_us = start_us,
                                 .n = (size_t)((end_us - start_us) / COST_QUARTER_US) };
    struct sums sums = { .op = op, .meters = meters->items, .out = out, .zone = zone };

    if (!lay_out(&sums, meters->n)) {
        return fail_memory(op);
    }
    for (int s = 0; s < sums.n_seats; s++) {
        find_best(&sums, &sums.seats[s]);
    }
    find_feeders(&sums);
    find_imports(&sums);
    for (int s = 0; s < sums.n_seats; s++) {
        if (sums.seats[s].part != PART_NONE) {
            add_seat(&sums, &sums.seats[s]);
            judge(&sums, &sums.seats[s], NULL);
            judge_shares(&sums, &sums.seats[s]);
        }
    }
    net(&sums);
    return OK;
}
