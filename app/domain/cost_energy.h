/* What passes a billing meter, quarter hour by quarter hour, worked out from all series of a place.
 * A pure function. Called by cost.c.
 *
 * As the overview has it: on each local day of the site the best series of a device's role that
 * has data counts, and no other. Where something stands at the grid (roles grid_import and
 * grid_export) on a day, that alone counts: all else is behind it; a day on which it is silent
 * between others is missing. On a day without, it is what devices consumed less what was
 * generated, in each quarter hour: what is left is import, what is more than was consumed is
 * export. Where the grid's meters tell of a day what is fed in alone, import is that and
 * consumption less generation, at least 0. Of metrics that add up each has to be known. Other
 * roles (storage, sub_meter) never count. */
#ifndef TIDEMARK_DOMAIN_COST_ENERGY_H
#define TIDEMARK_DOMAIN_COST_ENERGY_H

#include "base/clock.h"
#include "domain/cost_meter.h"

#define COST_QUARTER_US (15 * US_PER_MINUTE)

/* What is known of a quarter hour. A series that reads every so often knows what lies between its
 * readings: gaps of an hour, or of twice the day's usual distance where that is more, are none. */
enum cost_known {
    COST_MISSING, /* nobody tells anything */
    COST_PARTLY,  /* one of several meters does not */
    COST_WHOLE
};

struct cost_energy {
    int64_t start_us; /* of the first quarter hour */
    size_t n;
    int64_t *import_nkwh, *export_nkwh;
    uint8_t *known;   /* enum cost_known */
    /* Those that are known by a reading of intervals beside them, at that day's usual distance:
     * what was used in them is part of it. Nothing is told of them themselves. */
    uint8_t *is_between;
};

/* The energy of the meters (as cost_meters sorts them, with quarter hours read) over [start_us,
 * end_us), which are starts of quarter hours; the first and last local day are right only as far
 * as they lie in it. `zone` is theirs. In the operation's arena. */
enum err cost_energy_make(struct op *op, const struct cost_meters *meters,
                          const struct zone *zone, int64_t start_us, int64_t end_us,
                          struct cost_energy *out) MUST_CHECK;

#endif
