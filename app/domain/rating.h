/* Rating: what a history of energy costs under a rate schedule, exactly. A pure function of its
 * input: no clock, no database, no order of events; the same input gives the same lines, so that a
 * correction is rated by doing its billing cycles again.
 *
 * Days are local days of the schedules' zone, counted from 1970. Energy is in nano-kWh, as
 * core.energy_15m has it. Amounts are exact; bill.h rounds them into a bill. */
#ifndef TIDEMARK_DOMAIN_RATING_H
#define TIDEMARK_DOMAIN_RATING_H

#include "base/clock.h"
#include "base/op.h"
#include "domain/price_series.h"
#include "domain/tariff_plan.h"

/* A quarter hour with more than this (4 GW on average) is a fault, and rated as missing. */
#define RATING_MAX_NKWH INT64_C(1000000000000000)
#define RATING_MAX_DAYS 4000       /* rated at once: ten years and a cycle on each side */
#define RATING_MAX_CYCLE_DAYS 400  /* a longer billing cycle is cut there */

/* A version of a schedule as it is known. Where several hold on a day, the one known last does. */
struct rating_version {
    int64_t schedule_id;      /* versions of one share what is of a cycle */
    const struct tariff_plan *plan;
    int64_t from_day, to_day; /* valid on [from, to): the document's, or narrower by assignment */
    int64_t known_since_us;
    /* Prices by time for tariff->series[i]; instead of the document's own where n > 0. */
    struct price_series prices[TARIFF_MAX_SERIES];
};

/* A quarter hour of UTC. */
struct rating_interval {
    int64_t start_us;
    int64_t import_nkwh, export_nkwh;
    int64_t spread_nkwh; /* so much more than import_nkwh (or less) is taken for demand */
    bool is_missing;  /* nothing is known: it counts as 0 and makes what it touches provisional */
};

/* The highest demand of a billing cycle as measured, kept for the ratchets of later ones. */
struct rating_peak {
    const char *code;        /* of the charge */
    const char *period;      /* name of its price row's; "" for every */
    int64_t cycle_day;       /* first day of the cycle */
    int64_t nkw;
};

struct rating_input {
    const struct rating_version *versions; /* one zone, one currency */
    int n_versions;
    const struct zone *zone;       /* known from from_day - 1 to to_day + 1 */
    const struct rating_interval *intervals; /* ascending; those that are not there are missing */
    size_t n_intervals;
    int64_t from_day, to_day;      /* rated: whole cycles (rating_cycle_of), but for the last */
    int64_t as_of_us;              /* versions known later are not */
    int64_t known_until_us;        /* intervals that end later are not expected yet */
    const struct rating_peak *peaks; /* of cycles before from_day */
    size_t n_peaks;
    bool has_slots;                /* fill rating.slots */
};

/* One line of the ledger. Lines of a day and charge that differ in period, tier or rate differ, and
 * so does what has no price. */
struct rating_line {
    int64_t day;
    int version;       /* index of the input's versions */
    int charge;        /* index of its tariff's charges */
    int season, period; /* TARIFF_ANY where it has none */
    int tier;          /* from 0; TARIFF_ANY where there is one price */
    int64_t quantity;  /* nano-kWh; demand: nano-kW; fixed: billionths of its day, month, year or
                        * date; minimum and percent: 0 */
    int64_t rate;      /* nano; percent: nano-percent; 0 where has_one_rate is false */
    bool has_one_rate; /* prices by time differ within a day */
    int n_days, of_days; /* demand: for so many of the cycle's days its price holds, and counts */
    struct money amount; /* exactly what it costs; export and credits are negative */
    struct money base;   /* percent: what it is taken of; minimum: what was reached in the cycle. Of
                          * lines of the ledger it is not known */
    int64_t at_us;     /* demand: where the window of the highest begins; else 0 */
    int n_unpriced;    /* intervals with energy for which there was no price by time: the line is
                        * of these alone, and costs nothing; 0 elsewhere */
};

/* What is known about a rated day. */
struct rating_day {
    int version;     /* index; -1: no schedule is in force */
    int cycle;       /* index of rating.cycles */
    int n_expected;  /* quarter hours that are over */
    int n_missing;   /* of them */
    bool is_over;    /* all of the day is before known_until_us */
};

struct rating_cycle {
    int64_t from_day, to_day; /* of the schedule, not cut to what was rated */
};

/* What one interval's energy costs (energy and export charges and riders per kWh, no percent). */
struct rating_slot {
    int period;           /* of import, at its start; TARIFF_ANY: no schedule is in force */
    struct money import;  /* energy and riders */
    struct money export;  /* negative: it is paid for */
};

struct rating {
    const struct rating_input *input;
    const struct rating_line *lines; /* by day, charge, season, period, tier, rate */
    size_t n_lines;
    const struct rating_day *days;   /* of [from_day, to_day) */
    const struct rating_cycle *cycles; /* that they lie in */
    int n_cycles;
    const struct rating_peak *peaks; /* of these cycles */
    size_t n_peaks;
    const struct rating_slot *slots; /* one for each of the input's intervals, or NULL */
};

/* Rates the input into the operation's arena. ERR_INVALID where it is out of bounds (too many
 * days, intervals out of order or not on quarter hours). The input must outlive the result. */
enum err rating_run(struct op *op, const struct rating_input *input, struct rating *out) MUST_CHECK;

/* The version in force on a day as known at a time; -1: none. */
int rating_version_on(const struct rating_version *versions, int n, int64_t day, int64_t as_of_us);

/* The billing cycle that a day lies in: the last day on or before it that begins one, by the
 * version in force on that day, up to the next. Without a version calendar months. */
struct rating_cycle rating_cycle_of(const struct rating_version *versions, int n, int64_t day,
                                    int64_t as_of_us);

/* The first day of the cycle that lies so many before the one that begins on cycle_day: how far a
 * ratchet looks back. Of cycles that begin more than TARIFF_RATCHET_DAYS before it, none. */
int64_t rating_cycles_before(const struct rating_version *versions, int n, int64_t cycle_day,
                             int cycles, int64_t as_of_us);

#endif
