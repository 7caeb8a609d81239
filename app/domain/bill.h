/* A bill: the lines of a rating over one billing cycle (or any span of days), rounded as the
 * schedule says, with taxes taken of what is printed. */
#ifndef TIDEMARK_DOMAIN_BILL_H
#define TIDEMARK_DOMAIN_BILL_H

#include "domain/rating.h"

enum bill_unit { UNIT_KWH, UNIT_KW, UNIT_DAY, UNIT_MONTH, UNIT_YEAR, UNIT_TIMES, UNIT_PERCENT };
/* "kWh", "kW", "day", "month", "year", "times", "%". */
extern const char *const BILL_UNIT_NAMES[UNIT_PERCENT + 1];

/* Why it costs what it costs: quantity * rate, rounded. */
struct bill_line {
    struct quantity quantity; /* nano-units; minimum: 1; percent: see base */
    struct money base;    /* percent: the amount it was taken of; minimum: what was reached in
                           * the cycle */
    struct money amount;  /* rounded */
    const struct tariff_charge *charge; /* its code says energy, demand, fixed, … */
    const char *period;   /* its title; NULL: none */
    int64_t rate;         /* nano; percent: nano-percent */
    int64_t at_us;        /* demand: when */
    int64_t from_day, to_day; /* that it is of, to exclusive; minimum: its cycle, where the bill is
                               * not of one as a whole */
    int version;          /* index of the rating's versions */
    int season;           /* TARIFF_ANY: none */
    int tier;             /* from 1; 0: there is one price */
    enum bill_unit unit;
    int n_days, of_days;  /* demand: as in rating_line; of_days 0 elsewhere */
    int n_unpriced;       /* intervals without a price by time: the amount lacks them */
    bool has_one_rate;    /* otherwise the rate is what a unit that has a price comes to */
};

enum bill_status { BILL_PROVISIONAL, BILL_FINAL };

struct bill {
    const struct bill_line *lines; /* in the documents' order of charges */
    size_t n_lines;
    struct money total;        /* rounded to the currency's decimals */
    const char *currency;      /* "" where no schedule was in force */
    int decimals;              /* of the currency */
    int64_t from_day, to_day;
    enum bill_status status;   /* final: the days are over and nothing of them is missing */
    int n_missing;             /* quarter hours */
    int n_days_unpriced;       /* days on which no schedule was in force */
};

/* The bill of days [from, to) of the rating, in the operation's arena. What is of a cycle is so of
 * the whole one, whichever of its days the bill is of: demand stands on the day of the highest, a
 * minimum on the last day. ERR_INVALID for days that were not rated. */
enum err bill_make(struct op *op, const struct rating *rating, int64_t from_day, int64_t to_day,
                   struct bill *out) MUST_CHECK;

#endif
