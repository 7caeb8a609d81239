/* Devices and their series as a tenant reads them. All text lives in the operation's
 * arena. How they are changed: device_change.h. */
#ifndef TIDEMARK_DOMAIN_DEVICE_H
#define TIDEMARK_DOMAIN_DEVICE_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_ask;
struct db_tx;

#define DEVICE_NEVER INT64_MIN /* a time that has not happened */

struct device {
    int32_t id;              /* set by device_find only */
    const char *key;         /* unique in the tenant */
    const char *name;        /* as people call it */
    const char *model;       /* maker's name of the thing, or NULL */
    const char *site;        /* the site's key, or NULL */
    const char *timezone;    /* IANA: the site's, else the tenant's */
    const char *config;      /* JSON object; set by device_find only */
    int64_t created_us;
    int64_t last_seen_us;    /* or DEVICE_NEVER */
    int64_t retired_us;      /* or DEVICE_NEVER: in use */
};

struct device_list {
    struct device *items;
    int n;
};

enum device_use { DEVICE_ANY, DEVICE_IN_USE, DEVICE_RETIRED };

/* Which devices a list shows; views with ptr NULL: all. */
struct device_filter {
    struct str site;   /* key */
    struct str search; /* a part of key, name or model, in any case */
    enum device_use use;
};

/* At most `limit` devices in the order of their keys, those after `after_key`
 * (ptr NULL: from the first). */
enum err device_list(struct db_tx *tx, const struct device_filter *filter, struct str after_key,
                     int limit, struct device_list *out) MUST_CHECK;

/* All devices of a tenant, for operators; `timezone` is not set. ERR_NOT_FOUND without such a
 * tenant. */
enum err device_list_of(struct db_tx *tx, const char *tenant_slug,
                        struct device_list *out) MUST_CHECK;

/* The device of a key; ERR_NOT_FOUND when the tenant has none, whoever else may have. */
enum err device_find(struct db_tx *tx, struct str key, struct device *out) MUST_CHECK;

struct device_series {
    int32_t id;
    const char *metric;
    const char *labels;      /* JSON object, {} without labels */
    const char *unit;        /* or NULL: unknown */
    const char *kind;        /* gauge, counter, delta */
    const char *role;        /* consumption, generation, … none */
    int64_t created_us;
    int64_t last_us;         /* or DEVICE_NEVER: no sample yet */
    double last_value;       /* NaN where last_us is DEVICE_NEVER */
};

struct device_series_list {
    struct device_series *items;
    int n;
};

/* All series of a device, by metric. */
enum err device_series_list(struct db_tx *tx, int32_t device_id,
                            struct device_series_list *out) MUST_CHECK;
/* The same, together with what else is asked for. */
void device_series_ask(struct op *op, int32_t device_id, struct db_ask *ask);
enum err device_series_read(struct op *op, const struct db_ask *ask,
                            struct device_series_list *out) MUST_CHECK;

/* At most `limit` series of a device in the order of their ids, those after `after_id`. */
enum err device_series_page(struct db_tx *tx, int32_t device_id, int32_t after_id, int limit,
                            struct device_series_list *out) MUST_CHECK;

#endif
