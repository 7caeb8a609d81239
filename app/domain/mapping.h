/* What a tenant makes of a convention: the configuration of its adapter, a JSON object:
 *
 *   {"device":  ["meter", "{measurement}"],       the first tag (label, attribute) that is there
 *    "devices": {"energy": "house"},              names the device; these keys become others
 *    "labels":  {"room": "place", "fw": null},    other names of labels; null: dropped
 *    "metrics": {"house.kwh": {"name": "import_kwh", "unit": "kWh", "kind": "delta",
 *                "role": "grid_import"}, "rssi": null, "t": "temperature_c"}}
 *
 * Checked where it is stored (web), read again where it is applied (ingest/mapping). */
#ifndef TIDEMARK_DOMAIN_MAPPING_H
#define TIDEMARK_DOMAIN_MAPPING_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

#define MAPPING_MAX_RULES 200 /* of one adapter, all together */
#define MAPPING_MAX_ERRORS 16 /* told at once */

/* The conventions, as the keys of their adapters; ended by NULL. */
extern const char *const ADAPTER_KEYS[];

/* Whether it is one of them: other plugins are configured as they like. */
bool mapping_is_adapter(struct str key);

/* A name and what becomes of it. */
struct mapping_name {
    struct str from, to; /* to.ptr NULL: it is dropped */
};
struct mapping_metric {
    struct str from;
    struct str name;             /* ptr NULL: it is dropped */
    struct str unit, kind, role; /* of a new series; empty: as without this */
};

struct mapping {
    struct str sources[MAPPING_MAX_RULES]; /* of the device's key, the first that is there */
    int n_sources;
    struct mapping_name devices[MAPPING_MAX_RULES];
    int n_devices;
    struct mapping_name labels[MAPPING_MAX_RULES];
    int n_labels;
    struct mapping_metric metrics[MAPPING_MAX_RULES];
    int n_metrics;
};

/* "{measurement}": of line protocol; not the name of a tag. */
#define MAPPING_MEASUREMENT "{measurement}"

struct mapping_error {
    const char *field;  /* "metrics.house.kwh.kind" */
    const char *detail; /* the end of a sentence: "must be …" */
};
struct mapping_errors {
    struct mapping_error items[MAPPING_MAX_ERRORS];
    int n;
};

/* Reads a configuration that is valid JSON. NULL without memory, or when something is wrong, which
 * `errors` says then. Texts are views of `config` or in the arena. */
struct mapping *mapping_read(struct arena *arena, struct str config,
                             struct mapping_errors *errors);

#endif
