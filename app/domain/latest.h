/* Devices with the value that people look at first and how fresh it is: what the overview and
 * the list of devices show. */
#ifndef TIDEMARK_DOMAIN_LATEST_H
#define TIDEMARK_DOMAIN_LATEST_H

#include "domain/device.h"

struct db_ask;

/* How long ago a device was heard, against LATEST_LIVE_MINUTES and LATEST_SILENT_HOURS. */
enum freshness { FRESH_LIVE, FRESH_LATE, FRESH_SILENT, FRESH_NEVER };

#define LATEST_LIVE_MINUTES 15   /* three times a usual interval of reporting */
#define LATEST_SILENT_HOURS 24   /* later than this is not a hiccup any more */

/* The freshness of a device last heard at `last_seen_us`, which may be DEVICE_NEVER. */
enum freshness freshness_of(int64_t now_us, int64_t last_seen_us);

struct latest {
    const char *key, *name;
    const char *model;        /* "" or NULL: unknown */
    int64_t last_seen_us;     /* or DEVICE_NEVER */
    const char *metric;       /* of the headline: power, else energy, else the newest; NULL: none */
    const char *unit, *role;
    int64_t last_us;
    double last_value;        /* NaN without a headline */
};

struct latest_list {
    struct latest *items;
    int n;
};

/* Asks for at most `limit` devices in use, in the order of their keys, those after `after_key` (ptr
 * NULL: from the first); reads the answer. */
void latest_list_ask(struct op *op, struct str after_key, int limit, struct db_ask *ask);
enum err latest_list_read(struct op *op, const struct db_ask *ask,
                          struct latest_list *out) MUST_CHECK;

/* How many devices in use there are, and how many of each freshness. */
struct latest_counts {
    int64_t all, live, late, silent;   /* silent: those never heard too */
};
enum err latest_count(struct db_tx *tx, int64_t now_us, struct latest_counts *out) MUST_CHECK;
/* The same, together with what else is asked for. */
void latest_count_ask(struct op *op, int64_t now_us, struct db_ask *ask);
struct latest_counts latest_count_read(const struct db_ask *ask);

#endif
