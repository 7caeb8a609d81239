/* What ingest did not take, and the accounts of what became of all that was received. Called by
 * the handlers of /v1/rejects, /v1/ingest/hours and /admin/rejects. Texts live in the operation's
 * arena; times are in µs. */
#ifndef TIDEMARK_DOMAIN_REJECT_H
#define TIDEMARK_DOMAIN_REJECT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

/* Which rejected items; texts with ptr NULL: any. */
struct reject_filter {
    int64_t only_id;         /* 0: any */
    int64_t from_us, to_us;
    struct str device, reason, convention, state; /* reason: a part of it, in any case */
};

struct reject_row {
    int64_t id, time_us, token_id;
    const char *request_id, *device, *convention; /* device NULL: none was named */
    int32_t item;            /* index; -1: the body as a whole */
    const char *field, *reason; /* field NULL: of no single one */
    const char *state, *outcome; /* outcome: of the replay; NULL: none yet */
    int32_t attempts;
    int64_t tried_us;        /* INT64_MIN: never */
    const char *method, *target, *content_type;
    struct str text;         /* the item, or its body; any bytes */
    int32_t size;            /* bytes it had */
    bool is_item;            /* the text is the item alone */
    bool is_whole;           /* what is kept of it can be replayed */
};
struct reject_rows {
    struct reject_row *items;
    int n;
};

/* The newest first, after the number before_id (0: from the newest), with the first `excerpt`
 * bytes of their texts. */
enum err reject_list(struct db_tx *tx, const struct reject_filter *filter, int64_t before_id,
                     int excerpt, int limit, struct reject_rows *out) MUST_CHECK;

/* Marks what fits and can be replayed: ingest does it within seconds. *n: how many. Of only_id
 * alone: ERR_NOT_FOUND, or ERR_CONFLICT where it cannot be. Its state is not looked at. */
enum err reject_replay(struct db_tx *tx, const struct reject_filter *filter,
                       int64_t *n) MUST_CHECK;

/* Removes what fits. *n: how many; ERR_NOT_FOUND for none of only_id. */
enum err reject_delete(struct db_tx *tx, const struct reject_filter *filter,
                       int64_t *n) MUST_CHECK;

/* An hour's accounts, in items: received is the sum of the four after it. */
struct ingest_hour {
    int64_t time_us;
    int64_t received, accepted, duplicates, updated, rejected;
    int64_t replayed; /* of those received */
    int64_t dropped;  /* of those rejected: not kept */
    int64_t refused;  /* requests that were to be sent again */
};
struct ingest_hours {
    struct ingest_hour *items;
    int n;
};

/* The hours in which anything came, the newest first. */
enum err ingest_hours_list(struct db_tx *tx, int64_t from_us, int64_t to_us, int limit,
                           struct ingest_hours *out) MUST_CHECK;

#endif
