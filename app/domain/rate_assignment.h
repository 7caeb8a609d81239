/* Where rate schedules hold: at a device, a site or all of a tenant, on the days [from, to). On a
 * day that of the device holds, else of its site, else of the tenant; of several the one made
 * last. Days are texts ("2026-11-20"), local by the schedule's zone. All lives in the operation's
 * arena. */
#ifndef TIDEMARK_DOMAIN_RATE_ASSIGNMENT_H
#define TIDEMARK_DOMAIN_RATE_ASSIGNMENT_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

#define RATE_IN_FORCE INT64_MAX /* known_until_us of what is not withdrawn */

struct rate_assignment {
    int32_t id, schedule_id;
    const char *schedule;       /* its name */
    const char *site, *device;  /* keys; NULL both: the whole tenant */
    const char *from_day;       /* NULL: always */
    const char *to_day;         /* exclusive; NULL: open */
    int64_t known_us, known_until_us;
    const char *made_by;
};

struct rate_assignment_list {
    struct rate_assignment *items; /* the last made first */
    int n;
};

/* Those of a schedule (0: of all), without those withdrawn unless `with_withdrawn`; the last
 * RATE_MAX_SHOWN (rate_schedule.h). */
enum err rate_assignment_list(struct db_tx *tx, int32_t schedule_id, bool with_withdrawn,
                              struct rate_assignment_list *out) MUST_CHECK;

/* A place and the days: views with ptr NULL are no site, no device, no bound. */
struct rate_place {
    struct str site, device;
    struct str from_day, to_day;
};

/* ERR_NOT_FOUND for the schedule, ERR_INVALID for a site or device that there is not. */
enum err rate_assignment_add(struct db_tx *tx, int32_t schedule_id, const struct rate_place *place,
                             int32_t *id) MUST_CHECK;

/* Withdraws it; what was known before stays. ERR_NOT_FOUND. */
enum err rate_assignment_withdraw(struct db_tx *tx, int32_t schedule_id, int32_t id) MUST_CHECK;

/* Which version holds on a span of days. */
struct rate_applied {
    const char *from_day, *to_day; /* within what was asked for */
    int32_t schedule_id, version, assignment_id;
    const char *name;
};

struct rate_applied_list {
    struct rate_applied *items; /* ascending and apart; days without a schedule are left out */
    int n;
};

/* What holds at the place on its days (both bounds given) as it was known at a time.
 * ERR_NOT_FOUND for a site or device that there is not. */
enum err rate_applied_list(struct db_tx *tx, const struct rate_place *place, int64_t known_us,
                           struct rate_applied_list *out) MUST_CHECK;

#endif
