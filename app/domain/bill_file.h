/* A utility's file of intervals and bills: Green Button, which is NAESB REQ.21 (ESPI) in an Atom
 * feed. Read into what bill_compare.h compares with what was measured here.
 *
 * An interval's value counts as value × 10^powerOfTenMultiplier Wh (uom 72, and no running total),
 * its cost and a summary's bill as hundred-thousandths of the currency's unit; times are seconds
 * since 1970. Blocks find their reading type by the feed's links: block up to the meter reading's,
 * that related to the type; where there is one type alone, it is that. Of several usage points the
 * same intervals are added up; what one of them tells twice counts once. */
#ifndef TIDEMARK_DOMAIN_BILL_FILE_H
#define TIDEMARK_DOMAIN_BILL_FILE_H

#include "base/op.h"
#include "domain/money.h"

#define BILL_FILE_MAX_READINGS 200000 /* five years of quarter hours */
#define BILL_FILE_MAX_ENTRIES 5000
#define BILL_FILE_MAX_SUMMARIES 60
#define BILL_FILE_MAX_DETAILS 1000 /* lines of all summaries' bills */

struct bill_reading {
    int64_t start_us;
    int32_t duration_s;
    int64_t nkwh;       /* nano-kWh */
    int64_t unit_nkwh;  /* what one of the file's units is: its resolution */
    int64_t cost;       /* billionths of the currency's unit */
    bool has_cost;
    bool is_export;     /* flowDirection 19: to the grid */
    bool is_overlapping; /* others, shorter or earlier, tell of the same time: not to be added up */
};

/* A line of the utility's bill: costAdditionalDetailLastPeriod. */
struct bill_detail {
    const char *name;   /* its note, else its kind in words; "" where the file has neither */
    int64_t amount;     /* billionths, with the file's sign */
};

/* A billing period as the utility sums it up. */
struct bill_summary {
    int64_t start_us;
    int32_t duration_s;
    int64_t bill;       /* billionths; without what is told as additional */
    int64_t nkwh;
    bool has_bill, has_energy;
    const struct bill_detail *details;
    int n_details;
};

struct bill_file {
    struct bill_reading *readings;   /* ascending by start, direction, length; each once */
    int n_readings;
    struct bill_summary *summaries;
    int n_summaries;
    int n_ignored;       /* readings of other things than energy, or that cannot be read */
    const char *currency;   /* NULL: the file does not say, or one that is not known */
};

/* Reads the text into the operation's arena. ERR_INVALID for what is no such file, or has more than
 * the above, or usage points whose intervals overlap and are not the same. */
enum err bill_file_read(struct op *op, struct str text, struct bill_file *out) MUST_CHECK;

#endif
