/* What each device's energy costs by the prices of its account: valued one by one, as a device that
 * is asked for alone is (cost.h). Such values do not add up to the account's costs. Called by the
 * page of costs. */
#ifndef TIDEMARK_DOMAIN_COST_DEVICE_H
#define TIDEMARK_DOMAIN_COST_DEVICE_H

#include "domain/cost.h"

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
};

/* Those of all accounts over [from_us, to_us), which must lie in what was loaded; devices that tell
 * nothing of it are left out. In the operation's arena. */
enum err cost_devices_value(struct op *op, const struct cost_accounts *accounts, int64_t from_us,
                            int64_t to_us, struct cost_devices *out) MUST_CHECK;

#endif
