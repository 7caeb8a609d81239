/* Rate schedules as they are kept: each has versions, whole documents (tariff.h) that are never
 * changed. Reads what the tenant sees and changes what its admins may; where schedules hold is
 * rate_assignment.h's. Days are local ones by the schedule's zone, as texts ("2026-11-20"). All
 * lives in the operation's arena. */
#ifndef TIDEMARK_DOMAIN_RATE_SCHEDULE_H
#define TIDEMARK_DOMAIN_RATE_SCHEDULE_H

#include "base/op.h"
#include "domain/tariff.h"

struct db_tx;

#define RATE_MAX_SHOWN 1000 /* versions or assignments of one schedule */

struct rate_version {
    int32_t number;           /* 1, 2, … */
    const char *timezone, *currency;
    const char *from_day;
    const char *to_day;       /* exclusive; NULL: open */
    int64_t known_us;         /* since when it is known */
    const char *made_by;      /* an e-mail, "token 17", "the demo" */
    const char *format;       /* what it was brought in: "json", "urdb" */
};

struct rate_schedule {
    int32_t id;
    const char *name;
    int64_t created_us;
    struct rate_version newest; /* but for made_by and format; its number is how many there are */
    int64_t assignments;        /* that are not withdrawn */
};

struct rate_schedule_list {
    struct rate_schedule *items;
    int n;
};

struct rate_version_list {
    struct rate_version *items; /* the newest first */
    int n;
};

/* At most `limit` schedules in the order of their ids, those after `after_id`. */
enum err rate_schedule_list(struct db_tx *tx, int32_t after_id, int limit,
                            struct rate_schedule_list *out) MUST_CHECK;

/* ERR_NOT_FOUND when the tenant has none of this id, or had and removed it. */
enum err rate_schedule_find(struct db_tx *tx, int32_t id, struct rate_schedule *out) MUST_CHECK;

/* The newest RATE_MAX_SHOWN versions of a schedule. */
enum err rate_version_list(struct db_tx *tx, int32_t id, struct rate_version_list *out) MUST_CHECK;

/* A version's document, canonical JSON; ERR_NOT_FOUND where the schedule has no such version. */
enum err rate_version_document(struct db_tx *tx, int32_t id, int32_t number,
                               const char **out) MUST_CHECK;

/* Adds a version to the schedule *id, or makes a schedule of it where *id is 0 and tells the new
 * id. `format` as above. ERR_NOT_FOUND, ERR_INVALID for a zone that the database has not. */
enum err rate_version_add(struct db_tx *tx, const struct tariff *tariff, const char *format,
                          int32_t *id) MUST_CHECK;

/* Keeps others from changing the schedule until the transaction ends, which must be one that
 * writes: what is read of it after this is the newest there is. ERR_NOT_FOUND. */
enum err rate_schedule_hold(struct db_tx *tx, int32_t id) MUST_CHECK;

/* Removes a schedule and withdraws its assignments; ERR_NOT_FOUND. */
enum err rate_schedule_remove(struct db_tx *tx, int32_t id) MUST_CHECK;

#endif
