/* A utility's file beside what was measured and rated here, interval by interval and bill by bill.
 * Called by the page and the API that compare bills. */
#ifndef TIDEMARK_DOMAIN_BILL_COMPARE_H
#define TIDEMARK_DOMAIN_BILL_COMPARE_H

#include "domain/bill_file.h"
#include "domain/cost.h"

enum bill_match {
    BILL_SAME,    /* within half of the file's unit of energy, and BILL_COST_SLACK of cost */
    BILL_DIFFERS,
    BILL_ABSENT,  /* nothing was measured here in it, or not all of it, or not by all accounts */
    BILL_UNEVEN   /* it does not begin or end on a quarter hour: nothing to compare with */
};

#define BILL_COST_SLACK 500000 /* billionths: a twentieth of a cent; utilities round intervals */

struct bill_compared {
    const struct bill_reading *reading;
    enum bill_match match;
    struct quantity energy;  /* ours */
    struct money cost;       /* ours: energy charges and riders per kWh; negative of export */
    bool has_cost;           /* a schedule is in force in all of it, for each account */
};

/* A summary beside the bill of the local days that it covers. */
struct bill_compared_sum {
    const struct bill_summary *summary;
    int64_t from_day, to_day;
    struct quantity energy;
    struct money total;
    bool has_total;          /* the days were rated */
    struct bill *bills;      /* with has_total: one for each account */
};

struct bill_comparison {
    struct bill_compared *lines;       /* one for each of the file's readings */
    int n;
    int counts[BILL_UNEVEN + 1];
    struct bill_compared_sum *sums;
    int n_sums;
    /* of the intervals that can be compared, each time once: drawn, fed in, and what is told to
     * cost */
    struct quantity file_import, import, file_export, export;
    struct money file_cost, cost;
    int n_costs;                       /* intervals of which both tell a cost */
};

/* When the file's intervals and billing periods begin and end: what is to be loaded. */
void bill_file_span(const struct bill_file *file, int64_t *from_us, int64_t *to_us);

/* Compares the file with accounts that were loaded over its span, with slots. In the operation's
 * arena. */
enum err bill_compare(struct op *op, const struct bill_file *file,
                      const struct cost_accounts *accounts, struct bill_comparison *out) MUST_CHECK;

#endif
