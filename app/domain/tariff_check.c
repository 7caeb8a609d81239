/* Checks what the parts of a rate schedule make together. Called by readers of documents. */
#include "domain/tariff_check.h"

#include "domain/tariff_expand.h"

#define LONGEST_MONTH 31

static const char *const USE_FIELDS[] = {
    [TARIFF_IMPORT] = "/windows", [TARIFF_DEMAND] = "/demand_windows",
    [TARIFF_EXPORT] = "/export_windows",
};
static const char *const CLASS_NAMES[] = { "Mondays",   "Tuesdays",  "Wednesdays", "Thursdays",
                                           "Fridays",   "Saturdays", "Sundays",    "holidays" };

/* ---- seasons ---- */

/* Each date that two spans claim; one problem for each pair. */
static void check_overlap(const struct tariff *tariff, int i, struct problems *problems)
{
    const struct tariff_season_span *span = &tariff->season_spans[i];
    uint8_t claimed[TARIFF_DATES];
    struct tariff others = *tariff;

    others.n_season_spans = i;
    if (i == 0) {
        return;
    }
    tariff_expand_seasons(&others, claimed);
    int date = span->from_date;
    do {
        if (claimed[date] != TARIFF_NONE) {
            const char *field = pointer_element(problems->arena, "/seasons", i);
            problems_add(problems, field, "overlaps season \"%s\" on %02d-%02d (to is the first "
                         "day after a season)", tariff->seasons[claimed[date]].name, date / 100,
                         date % 100);
            return;
        }
        date = tariff_next_date(date);
    } while (date != span->to_date);
}

static void check_seasons(const struct tariff *tariff, struct problems *problems)
{
    uint8_t seasons[TARIFF_DATES];
    int first = 0, last = 0;

    for (int i = 0; i < tariff->n_season_spans; i++) {
        check_overlap(tariff, i, problems);
    }
    tariff_expand_seasons(tariff, seasons);
    for (int date = 101, n = 0; n < 366; n++, date = tariff_next_date(date)) {
        if (seasons[date] == TARIFF_NONE) {
            first = first ? first : date;
            last = date;
        }
    }
    if (first) {
        problems_add(problems, "/seasons", "leave days open: %02d-%02d to %02d-%02d is in no "
                     "season, or not all of it", first / 100, first % 100, last / 100, last % 100);
    }
}

/* ---- windows ---- */

/* One problem for the first hole of a season. */
static bool has_hole(const struct tariff *tariff, enum tariff_use use, int season, int class,
                     struct problems *problems)
{
    uint8_t periods[MINUTES_PER_DAY];
    int from = 0, to;

    tariff_expand_day(tariff, use, season, class, periods);
    while (from < MINUTES_PER_DAY && periods[from] != TARIFF_NONE) {
        from++;
    }
    for (to = from; to < MINUTES_PER_DAY && periods[to] == TARIFF_NONE; to++) {
    }
    if (from == MINUTES_PER_DAY) {
        return false;
    }
    problems_add(problems, USE_FIELDS[use], "leave %02d:%02d to %02d:%02d without a period on %s "
                 "in season \"%s\"", from / 60, from % 60, to / 60, to % 60, CLASS_NAMES[class],
                 tariff->seasons[season].name);
    return true;
}

static void check_windows(const struct tariff *tariff, enum tariff_use use,
                          struct problems *problems)
{
    int n_classes = tariff->n_holidays > 0 ? TARIFF_DAY_CLASSES : TARIFF_DAY_CLASSES - 1;

    if (tariff->windows[use].n == 0) {
        if (use == TARIFF_IMPORT && tariff->n_periods > 1) {
            problems_add(problems, "/windows", "must say when each period is");
        }
        return;
    }
    for (int season = 0; season < tariff->n_seasons; season++) {
        for (int class = 0; class < n_classes; class++) {
            if (has_hole(tariff, use, season, class, problems)) {
                break;
            }
        }
    }
}

/* ---- prices ---- */

/* Which periods there are in a season. */
static uint64_t periods_in(const struct tariff *tariff, enum tariff_use use, int season)
{
    uint8_t periods[MINUTES_PER_DAY];
    uint64_t found = 0;

    for (int class = 0; class < TARIFF_DAY_CLASSES; class++) {
        tariff_expand_day(tariff, use, season, class, periods);
        for (int minute = 0; minute < MINUTES_PER_DAY; minute++) {
            found |= periods[minute] == TARIFF_NONE ? 0 : UINT64_C(1) << periods[minute];
        }
    }
    return found;
}

/* Which of them the charge has a price for. */
static uint64_t periods_priced(const struct tariff_charge *charge, int season)
{
    uint64_t priced = 0;

    for (int i = 0; i < charge->n_prices; i++) {
        const struct tariff_price *price = &charge->prices[i];
        if (price->season == TARIFF_ANY || price->season == season) {
            priced |= price->period == TARIFF_ANY ? ~UINT64_C(0) : UINT64_C(1) << price->period;
        }
    }
    return priced;
}

static void check_prices(const struct tariff *tariff, int i, struct problems *problems)
{
    const struct tariff_charge *charge = &tariff->charges[i];
    const char *field = pointer_element(problems->arena, "/charges", i);
    enum tariff_use use = charge->kind == CHARGE_EXPORT ? TARIFF_EXPORT : TARIFF_IMPORT;

    for (int season = 0; season < tariff->n_seasons; season++) {
        uint64_t open = periods_in(tariff, use, season) & ~periods_priced(charge, season);
        for (int period = 0; open != 0 && period < tariff->n_periods; period++) {
            if (open & UINT64_C(1) << period) {
                problems_add(problems, field, "has no price for period \"%s\" in season \"%s\"",
                             tariff->periods[period].name, tariff->seasons[season].name);
            }
        }
        if (charge->is_of_baseline && tariff->baseline[season] == 0) {
            problems_add(problems, field, "counts by a baseline, and there is none in season "
                         "\"%s\"", tariff->seasons[season].name);
        }
    }
}

/* The longest that the cycles given by date, with months before them where these are fewer, take
 * together, so many at once. */
static int64_t days_of_cycles(const struct tariff *tariff, int cycles)
{
    int64_t most = 0;

    for (int i = 1; i < tariff->n_billing_days; i++) {
        int dated = i < cycles ? i : cycles;
        int64_t days = tariff->billing_days[i] - tariff->billing_days[i - dated] +
                       (int64_t)(cycles - dated) * LONGEST_MONTH;
        most = days > most ? days : most;
    }
    return most;
}

static void check_ratchet(const struct tariff *tariff, int i, struct problems *problems)
{
    const struct tariff_charge *charge = &tariff->charges[i];
    const char *field = pointer_element(problems->arena, "/charges", i);
    int64_t days = days_of_cycles(tariff, charge->ratchet_cycles);

    if (charge->ratchet_percent > 0 && days > TARIFF_RATCHET_DAYS) {
        problems_add(problems, field, "has a ratchet over %d billing cycles, of which some take %d "
                     "days together: it looks back %d at most, so fewer cycles",
                     charge->ratchet_cycles, (int)days, TARIFF_RATCHET_DAYS);
    }
}

void tariff_check(const struct tariff *tariff, struct problems *problems)
{
    check_seasons(tariff, problems);
    for (int use = 0; use < TARIFF_USES; use++) {
        check_windows(tariff, (enum tariff_use)use, problems);
    }
    for (int i = 0; i < tariff->n_charges; i++) {
        const struct tariff_charge *charge = &tariff->charges[i];
        if (charge->n_prices > 0 && charge->kind != CHARGE_DEMAND) {
            check_prices(tariff, i, problems);
        }
        check_ratchet(tariff, i, problems);
    }
}
