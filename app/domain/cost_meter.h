/* The series that tell energy, with what each comes to in quarter hours: what costs are worked out
 * from. Called by cost.c. */
#ifndef TIDEMARK_DOMAIN_COST_METER_H
#define TIDEMARK_DOMAIN_COST_METER_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

struct cost_meter {
    int32_t series_id;
    const char *device, *site; /* keys; site NULL: none */
    const char *metric, *kind, *role;
    const char *zone;          /* of the site, else of the tenant */
    int place;                 /* 1 is the best of the device's and role's */
    bool is_apart;             /* the device has a rate schedule assigned to itself */
    const int64_t *at_us;      /* starts of quarter hours, in no order, perhaps twice */
    const int64_t *nkwh;       /* of each, nano-kWh */
    int n;
    int64_t told_from_us, told_to_us; /* of the span that they are of */
    /* Starts of the first and last closed quarter hour that it told anything of, where it matters
     * (cost_meters_read); both 0: none. */
    int64_t first_us, last_us;
};

struct cost_meters {
    struct cost_meter *items;  /* ascending by (site, device, role, place) */
    int n;
};

/* Those of a site, a device or (both ptr NULL) the tenant; without their quarter hours.
 * ERR_NOT_FOUND for a site or device that there is not. In the operation's arena. */
enum err cost_meters_load(struct db_tx *tx, struct str site, struct str device, int64_t known_us,
                          struct cost_meters *out) MUST_CHECK;

/* A device that tells energy. */
struct cost_meter_device {
    const char *device, *site; /* keys; site NULL: none */
};

struct cost_meter_devices {
    struct cost_meter_device *items; /* by site and key, those at none last */
    int n;
};

/* The tenant's first ones, `limit` at most. In the operation's arena. */
enum err cost_meter_devices_load(struct db_tx *tx, int limit,
                                 struct cost_meter_devices *out) MUST_CHECK;

/* Which meters. */
typedef bool (*cost_meter_filter)(const struct cost_meter *meter);

/* Reads the quarter hours of [from_us, to_us) of those of `n` meters that are wanted, and since and
 * until when those told something that draw from the grid or are parts of one meter; the others are
 * left as they are. */
enum err cost_meters_read(struct db_tx *tx, struct cost_meter *meters, int n,
                          cost_meter_filter is_wanted, int64_t from_us, int64_t to_us) MUST_CHECK;

/* Reads since and until when the meters told something. */
enum err cost_meters_lives(struct db_tx *tx, struct cost_meter *meters, int n) MUST_CHECK;

#endif
