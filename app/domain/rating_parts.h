/* Between the files of rating: rating.c (days and cycles), rating_energy.c (what each quarter hour
 * costs), rating_demand.c and rating_charges.c (fixed charges, percentages, minimums). For nobody
 * else. */
#ifndef TIDEMARK_DOMAIN_RATING_PARTS_H
#define TIDEMARK_DOMAIN_RATING_PARTS_H

#include "domain/rating.h"

/* What one price of one charge has gathered on a day, tier by tier. */
struct rating_tally {
    int64_t quantity;    /* that has a price */
    struct money amount; /* of prices by time alone */
    int64_t unpriced_nkwh;
    int n_unpriced;
};

/* A charge in a period on the day that is rated. */
struct rating_cell {
    const struct tariff_price *price;
    struct rating_tally *tallies;     /* one a tier */
    int64_t *counted;                 /* nano-kWh of the cycle or day so far: where tiers stand */
    int64_t limits[TARIFF_MAX_TIERS]; /* of the tiers, nano-kWh */
};

/* The highest demand of one price row in the cycle. */
struct rating_highest {
    int64_t nkw, at_us, day;
};

/* A window of demand that is being filled. */
struct rating_window {
    int64_t start_us, nkwh;
    int n; /* quarter hours known */
    int season, period;
};

/* A version at work. Arrays by charge have tariff->n_charges elements. */
struct rating_bench {
    const struct rating_version *version;
    const struct tariff *tariff;
    struct rating_cell *cells;         /* by charge and period */
    struct rating_tally *tallies;      /* of all cells */
    int64_t *counted;                  /* by charge: all periods, then each */
    struct price_series prices[TARIFF_MAX_SERIES];
    size_t hints[TARIFF_MAX_SERIES];
    struct rating_window *windows;     /* by charge */
    struct rating_highest *highest;    /* by demand charge's rows, from first_row on: of the days of
                                        * all versions of the schedule */
    struct rating_highest *today;      /* likewise: of the day that is rated */
    int *first_row;                    /* by charge */
    int n_rows;
    int cycle;                         /* the last that has rated days of the version */
    uint8_t charges[TARIFF_USES][TARIFF_MAX_CHARGES]; /* that each use has: energy and riders per */
    int n_charges[TARIFF_USES];                       /* kWh, demand, export */
};

/* The day that is rated. */
struct rating_today {
    int64_t day;
    struct rating_bench *bench;
    const struct tariff_plan *plan;
    const struct tariff_day_plan *uses[TARIFF_USES];
    int season;
};

/* A percentage of a version, or a minimum of the versions of its schedule that have one of its
 * code. */
struct rating_derived {
    int version, charge;
};

struct rating_work {
    struct op *op;
    const struct rating_input *input;
    struct rating_derived *derived; /* in the order in which they are taken */
    int n_derived;
    struct rating_bench *benches; /* by version */
    struct rating_day *days;
    int64_t *day_starts;          /* UTC, of each day and of the one behind the last */
    int n_days;
    struct rating_cycle *cycles;
    int n_cycles;
    struct rating_line *lines;
    size_t n_lines, lines_size;
    struct rating_peak *peaks;
    size_t n_peaks, peaks_size;
    struct rating_slot *slots;    /* or NULL */
    struct money *sums;           /* by day of a cycle and charge; NULL: no version needs them */
    int sums_charges;             /* of each day */
    int zone_hint;                /* for zone_offset_near */
    enum err err;                 /* of memory: nothing is added behind it */
};

/* Appends a line. */
void rating_add_line(struct rating_work *work, struct rating_line line);

/* The version that a bill's day has; -1: none. By the input, so for days that are not rated too. */
int rating_version_of(const struct rating_work *work, int64_t day);

/* ---- energy ---- */

bool rating_bench_make(struct rating_work *work, const struct rating_version *version,
                       struct rating_bench *bench);
/* Tiers of a cycle begin anew, or, where `before` is another version, go on from it. */
void rating_bench_begin(struct rating_bench *bench, const struct rating_bench *before);
void rating_begin_day(struct rating_today *today, int64_t allowance_nkwh, int64_t daily_nkwh);
/* One interval, which lies in the day from that local minute on. */
void rating_add_energy(struct rating_today *today, const struct rating_interval *interval,
                       int minute, struct rating_slot *slot);
void rating_end_day(struct rating_work *work, struct rating_today *today);

/* ---- demand ---- */

void rating_add_demand(struct rating_today *today, const struct rating_interval *interval,
                       int minute, bool is_known);
/* The day's highest counts for all versions of its schedule that are in force in the cycle. */
void rating_end_demand_day(struct rating_work *work, const struct rating_today *today);
/* The lines of demand of a cycle, and the peaks that later ones will ask for. */
void rating_end_demand(struct rating_work *work, int cycle);

/* ---- other charges ---- */

void rating_add_fixed(struct rating_work *work, const struct rating_today *today, int cycle);
/* The percentages and minimums of all versions, each behind those that it is of, into the arena;
 * where minimums of several versions are of one another, by the versions' order. NULL: there is no
 * memory. */
struct rating_derived *rating_derive(struct arena *arena, const struct rating_input *input,
                                     int *n);

/* The version's charge that counts in the same minimum; -1: it has none, or is of another
 * schedule, or the version is none. */
int rating_same_charge(const struct rating_input *input, const struct rating_derived *of,
                       int version);

/* The charge of that code; -1: there is none. */
int rating_charge_coded(const struct tariff *tariff, const char *code);

/* Percentages and minimums of a cycle, whose other lines begin at `first`. */
void rating_end_cycle(struct rating_work *work, int cycle, size_t first);

/* Which part of its month a day is: `amount` cut into the cycle's days. For bills too. */
struct money rating_part_of_cycle(const struct rating_cycle *cycle, int64_t day,
                                  struct money amount);

#endif
