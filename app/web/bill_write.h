/* Bills as answers: their lines as items of a list, their sums as members of an object. */
#ifndef TIDEMARK_WEB_BILL_WRITE_H
#define TIDEMARK_WEB_BILL_WRITE_H

#include "domain/cost.h"
#include "web/list.h"

/* The bills of all accounts that were asked for, as one. */
struct bill_sum {
    struct bill *bills;    /* one for each account */
    struct money total;
    const char *currency;
    int decimals;
    enum bill_status status;
    int64_t n_missing;     /* quarter hours of all accounts */
    int64_t n_unpriced;    /* intervals without a price by time, of all lines */
    struct quantity energy; /* drawn, of all accounts */
    bool has_energy;       /* some schedule has a charge for energy: else that is not known */
    int n_days_unpriced;   /* most of any */
};

/* Makes the bills. ERR_INVALID where the accounts' currencies differ. Without a schedule in force
 * the currency is the tenant's. */
enum err bill_sum(struct web *web, const struct cost_accounts *accounts,
                  struct bill_sum *out) MUST_CHECK;

#define BILL_N_COLUMNS 17
extern const char *const BILL_COLUMNS[BILL_N_COLUMNS];

/* What the line's schedule calls its period, which the line has the title of; NULL: none. */
const char *bill_period_name(const struct cost_account *account, const struct bill_line *line);

/* One item for each line of all bills, by BILL_COLUMNS. */
void bill_write_lines(struct list_writer *list, const struct cost_accounts *accounts,
                      const struct bill_sum *sum);

/* "lines": […], "total", "currency", "status", "missing", "unpriced", "days_without_schedule". */
void bill_write_members(struct web *web, struct json_writer *json,
                        const struct cost_accounts *accounts, const struct bill_sum *sum);

#endif
