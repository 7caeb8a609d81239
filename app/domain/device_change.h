/* Devices and series as a tenant's admins change them. Each change is in the audit trail. */
#ifndef TIDEMARK_DOMAIN_DEVICE_CHANGE_H
#define TIDEMARK_DOMAIN_DEVICE_CHANGE_H

#include "base/limits.h"
#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

enum device_retire { RETIRE_KEEP, RETIRE_YES, RETIRE_NO };

/* What a device is given; views with ptr NULL leave what is there, or the default. */
struct device_facts_given {
    struct str name, model;
    struct str site;   /* its key; empty: none */
    struct str config; /* JSON object */
    enum device_retire retire;
};

/* ERR_CONFLICT for a key that is taken; ERR_INVALID, with the field's name, for what cannot be. */
enum err device_add(struct db_tx *tx, struct str key,
                    const struct device_facts_given *given) MUST_CHECK;

/* The same by an operator, without a configuration. ERR_NOT_FOUND without such a tenant. */
enum err device_add_to(struct db_tx *tx, const char *tenant_slug, struct str key,
                       const struct device_facts_given *given) MUST_CHECK;

/* ERR_NOT_FOUND where the tenant has no such device. Series follow a changed configuration. */
enum err device_change(struct db_tx *tx, struct str key,
                       const struct device_facts_given *given) MUST_CHECK;

/* A device's configuration as people edit it. ERR_NOT_FOUND. */
enum err device_config_text(struct db_tx *tx, struct str key, const char **out) MUST_CHECK;

/* What is wrong with a configuration ("config: must be a JSON object"); NULL: nothing. */
enum err device_config_check(struct db_tx *tx, struct str config, const char **problem) MUST_CHECK;

/* Corrects what a series is, and lets the device's configuration say so for later ones. Views
 * with ptr NULL keep what is there. ERR_NOT_FOUND where the device has no such series. */
enum err device_series_change(struct db_tx *tx, struct str key, int32_t series_id, struct str unit,
                              struct str kind, struct str role) MUST_CHECK;

/* The kinds and roles that there are. */
#define N_SERIES_KINDS 3
#define N_SERIES_ROLES 7
extern const char *const SERIES_KINDS[N_SERIES_KINDS];
extern const char *const SERIES_ROLES[N_SERIES_ROLES];

#define MAX_TITLE_BYTES 200       /* a device's name and model, a site's name */
#define MAX_CONFIG_BYTES (64u << 10)

#endif
