/* The facts of a tenant's overview: power now, energy of today, of the last 24 hours, of the last
 * 30 days, of this month and the one before, its devices and what happened last. Days are those of
 * the tenant's zone. */
#ifndef TIDEMARK_DOMAIN_OVERVIEW_H
#define TIDEMARK_DOMAIN_OVERVIEW_H

#include "domain/event.h"
#include "domain/flow.h"
#include "domain/latest.h"
#include "domain/zone.h"

#define OVERVIEW_HOURS 24
#define OVERVIEW_DAYS 30      /* drawn */
#define OVERVIEW_MAX_DAYS 62  /* known: this month and the whole of the one before */
#define OVERVIEW_EVENTS 8
#define OVERVIEW_DEVICES 24   /* shown; the list of devices has them all */

/* A bucket of energy in kWh. */
struct overview_slot {
    int64_t from_us, to_us;   /* to_us of the last one lies ahead */
    struct flow energy;
};

struct overview_device {
    struct latest latest;
    double watts;                        /* power now; NaN: not known */
    double today_kwh;                    /* its energy today; NaN: none known */
    double hours_kwh[OVERVIEW_HOURS];    /* of the last hours; NaN where not known */
};

struct overview {
    int64_t now_us;
    struct zone zone;                    /* the tenant's, over all that is shown */
    struct flow power;                   /* in W, now */
    struct overview_slot hours[OVERVIEW_HOURS];
    struct overview_slot days[OVERVIEW_MAX_DAYS];   /* the last one is today */
    int n_days;                          /* OVERVIEW_DAYS at least */
    struct latest_counts counts;
    struct overview_device *devices;     /* in the order of their keys */
    int n_devices;
    struct event_list events;            /* the newest first */
};

/* The last OVERVIEW_DAYS of the days. */
const struct overview_slot *overview_drawn_days(const struct overview *overview);

/* Reads all of it as of `now_us` for the tenant that the transaction is bound to, with days of
 * the zone `zone_name` (IANA). */
enum err overview_load(struct db_tx *tx, const char *zone_name, int64_t now_us,
                       struct overview *out) MUST_CHECK;

#endif
