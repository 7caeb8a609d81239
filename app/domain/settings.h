/* A tenant's own settings, its plugins and its audit trail. Texts live in the operation's arena;
 * times are in µs. */
#ifndef TIDEMARK_DOMAIN_SETTINGS_H
#define TIDEMARK_DOMAIN_SETTINGS_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define SETTINGS_MAX_NAME_BYTES 200
#define SETTINGS_MAX_DAYS 36500

struct settings {
    const char *slug, *name, *timezone, *currency;
    bool may_register; /* ingest makes devices that are unknown */
    /* what is kept how long; 0: as the installation's settings say */
    int raw_days, hourly_days, daily_days, event_days;
    int64_t created_us;
};

enum err settings_load(struct db_tx *tx, struct settings *out) MUST_CHECK;
/* Sets all but the slug. The zone and the currency must have been checked. */
enum err settings_change(struct db_tx *tx, const struct settings *settings) MUST_CHECK;

/* ---- plugins: ingest adapters and collectors ---- */

#define PLUGIN_MAX_CONFIG_BYTES 16384

struct plugin {
    const char *key;
    const char *kind; /* "adapter", "collector" */
    bool is_enabled;
    const char *config; /* JSON object */
    const char *config_lines; /* the same for people to read; not for plugin_put */
    int64_t created_us;
};

struct plugin_list {
    struct plugin *items;
    int n;
};

/* At most `limit` plugins by key, those after `after_key` (ptr NULL: from the first). */
enum err plugin_list(struct db_tx *tx, struct str after_key, int limit,
                     struct plugin_list *out) MUST_CHECK;
/* ERR_NOT_FOUND where the tenant has none of this key. */
enum err plugin_find(struct db_tx *tx, struct str key, struct plugin *out) MUST_CHECK;
/* Registers it or changes it, by key; *is_new says which. */
enum err plugin_put(struct db_tx *tx, const struct plugin *plugin, bool *is_new) MUST_CHECK;
enum err plugin_remove(struct db_tx *tx, struct str key) MUST_CHECK;

/* ---- the audit trail ---- */

struct audit_filter {
    struct str action; /* "token.add", or "token" for all that begin with it; ptr NULL: any */
    struct str actor;  /* ptr NULL: any */
    int64_t from_us, to_us; /* inclusive, exclusive */
    bool is_before;    /* only what is older than (before_us, before_id) */
    int64_t before_us, before_id;
    int limit;
};

struct audit_row {
    int64_t id, time_us;
    const char *actor, *action, *object;
    const char *detail; /* JSON object */
};

struct audit_rows {
    struct audit_row *items;
    int n;
};

/* At most filter->limit rows, newest first. */
enum err audit_list(struct db_tx *tx, const struct audit_filter *filter,
                    struct audit_rows *out) MUST_CHECK;

#endif
