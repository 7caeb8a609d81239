/* Sites: places of a tenant with a time zone each. Reads what the tenant sees and changes what
 * its admins may. All text lives in the operation's arena. */
#ifndef TIDEMARK_DOMAIN_SITE_H
#define TIDEMARK_DOMAIN_SITE_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

struct site {
    const char *key;      /* unique in the tenant */
    const char *name;     /* as people call it */
    const char *timezone; /* IANA */
    int64_t created_us;
    int64_t devices;      /* that are at it, retired ones too */
};

struct site_list {
    struct site *items;
    int n;
};

/* At most `limit` sites in the order of their keys, those after `after_key` (ptr NULL: from the
 * first). */
enum err site_list(struct db_tx *tx, struct str after_key, int limit,
                   struct site_list *out) MUST_CHECK;

/* The site of a key; ERR_NOT_FOUND when the tenant has none, whoever else may have. */
enum err site_find(struct db_tx *tx, struct str key, struct site *out) MUST_CHECK;

/* Whether the tenant has the site. */
enum err site_exists(struct db_tx *tx, struct str key, bool *out) MUST_CHECK;

/* Views with ptr NULL: the key for a name, the tenant's zone. ERR_CONFLICT for a key that is
 * taken, ERR_INVALID for an unknown zone. */
enum err site_add(struct db_tx *tx, struct str key, struct str name,
                  struct str zone) MUST_CHECK;

/* Views with ptr NULL keep what is there. ERR_NOT_FOUND, ERR_INVALID. A new zone lets all that
 * is kept by the site's local days follow. */
enum err site_change(struct db_tx *tx, struct str key, struct str name,
                     struct str zone) MUST_CHECK;

/* ERR_CONFLICT while devices are at it. */
enum err site_remove(struct db_tx *tx, struct str key) MUST_CHECK;

#endif
