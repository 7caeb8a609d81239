/* What a tenant's series amount to in energy. A device may tell the same energy in several ways (an
 * interval's kWh, a meter's counter, watts): on each local day of its site the best of those that
 * have data counts, for each of its roles, and no other. Called by the overview. */
#ifndef TIDEMARK_DOMAIN_ENERGY_H
#define TIDEMARK_DOMAIN_ENERGY_H

#include "base/op.h"

struct db_tx;

#define NKWH_PER_KWH 1e9

/* Nano-kWh in the buckets that begin at these times. */
struct energy_points {
    const int64_t *at_us, *nkwh;
    int n;
};

/* A series. */
struct energy_source {
    const char *device, *role;
    const char *zone;               /* of the device's site */
    int place;                      /* 1 is the best of the device's and role's */
    struct energy_points quarters;  /* of UTC, as far as they are closed */
    struct energy_points days;      /* local ones, as far as quarter hours are closed */
    struct energy_points open;      /* quarter hours; to be added to both */
};

struct energy_sources {
    struct energy_source *items;    /* ascending by (device, role, place) */
    int n;
};

/* Those of the tenant that the transaction is bound to, with closed quarter hours from
 * `quarters_us` on and days from `days_us` on. In the operation's arena. */
enum err energy_load(struct db_tx *tx, int64_t quarters_us, int64_t days_us,
                     struct energy_sources *out) MUST_CHECK;

#endif
