/* This month beside the one before, from the overview's days. Compared are days that are over,
 * as many of the one as of the other. */
#ifndef TIDEMARK_DOMAIN_MONTH_H
#define TIDEMARK_DOMAIN_MONTH_H

#include "domain/overview.h"

/* Some days of a month, from its first one on. */
struct month_part {
    int64_t from_us;          /* where the first day begins */
    int n_days;
    int n_known;              /* days on which something is known to have been used */
    double used, generated;   /* kWh; NaN: not known */
};

struct month {
    struct month_part so_far;   /* today is its last day */
    struct month_part same;     /* of it, the days that are compared: none on the first */
    struct month_part before;   /* as many of the month before */
    struct month_part whole;    /* all of the month before */
};

/* Of the months that the overview's days lie in. */
struct month month_of(const struct overview *overview);

#endif
