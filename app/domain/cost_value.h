/* What each device of an account comes to on local days, valued one by one by the account's prices,
 * as a device that is asked for alone is (cost.h): what it takes, and what that costs less what is
 * paid for its export. The ledger keeps it. Called by cost_work.c and cost_device.c. */
#ifndef TIDEMARK_DOMAIN_COST_VALUE_H
#define TIDEMARK_DOMAIN_COST_VALUE_H

#include "domain/cost.h"

struct cost_value {
    struct quantity import; /* nano-kWh */
    struct money cost;
    bool is_known;  /* it tells something */
    bool is_priced; /* a schedule is in force */
};

struct cost_values {
    const char **devices; /* keys, in the order of the account's meters */
    int n_devices;
    int64_t from_day, to_day;
    struct cost_value *items; /* of the first day all devices, then of the next */
};

/* Whether tiers are in its schedules: then what a day comes to depends on others of its cycle. */
bool cost_values_have_tiers(const struct cost_account *account);

/* The first day from which quarter hours are needed for those from from_day on to be valued. */
int64_t cost_values_day(const struct cost_account *account, int64_t from_day);

/* Values the days [from_day, to_day) of an account whose zones, rates and prices are there; reads
 * its meters where they are not. In the operation's arena. */
enum err cost_values_make(struct db_tx *tx, struct cost_account *account, int64_t from_day,
                          int64_t to_day, struct cost_values *out) MUST_CHECK;

/* Writes them in place of what the ledger has of these days; adds how many rows that changed. */
enum err cost_values_store(struct db_tx *tx, const struct cost_account *account,
                           const struct cost_values *values, int64_t *n_rows) MUST_CHECK;

/* Removes what the ledger has of the days [from_day, to_day). */
enum err cost_values_remove(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                            int64_t to_day, int64_t *n_rows) MUST_CHECK;

/* Adds up what the ledger has of the days [from_day, to_day): one day of all, and of how many it
 * is. Devices that have gone since are left out. In the operation's arena. */
enum err cost_values_sum(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                         int64_t to_day, struct cost_values *out, int *n_days) MUST_CHECK;

#endif
