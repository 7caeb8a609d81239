/* What each device's energy costs by the prices of its account: valued one by one, as a device that
 * is asked for alone is (cost.h). Such values do not add up to the account's costs. Days that are
 * over are the ledger's. Called by the page of costs. */
#ifndef TIDEMARK_DOMAIN_COST_DEVICE_H
#define TIDEMARK_DOMAIN_COST_DEVICE_H

#include "domain/cost.h"

/* Meters times days that are worked out as they are asked for: 80 over a month. */
#define COST_MAX_METER_DAYS 2500

struct cost_device {
    const char *device, *site; /* keys; site NULL: none */
    const char *role;          /* of its energy: "grid_import", "consumption" or "sub_meter" */
    struct quantity import;    /* nano-kWh */
    struct money cost;         /* less what is paid for its export */
    bool is_priced;            /* a schedule is in force on some of the days */
};

struct cost_devices {
    struct cost_device *items; /* the dearest first */
    int n;
    bool is_too_much; /* more than COST_MAX_METER_DAYS: there are none */
};

/* Those of all accounts of the query, over their local days up to today; devices that tell nothing
 * of them are left out. The query is of the tenant or a site. Errors as those of cost_load. In the
 * operation's arena. */
enum err cost_devices_load(struct db_tx *tx, const struct cost_query *query,
                           struct cost_devices *out) MUST_CHECK;

#endif
