/* The demo: two tenants with devices whose readings are computed, not stored anywhere.
 * The same device reads the same at the same time on every machine, so that filling a
 * gap, filling it again and posting live agree with each other. Used by `tidemark seed`;
 * nothing else knows that a tenant is a demo. */
#ifndef TIDEMARK_DOMAIN_DEMO_H
#define TIDEMARK_DOMAIN_DEMO_H

#include "base/clock.h"
#include "base/op.h"

#include <stdbool.h>
#include <stdint.h>

#define DEMO_DAYS 90                        /* how far back a first seed goes */
#define DEMO_STEP_US (5 * US_PER_MINUTE)    /* between seeded readings */
#define DEMO_MAX_METRICS 5

enum demo_quantity { DEMO_POWER, DEMO_VOLTAGE, DEMO_CURRENT, DEMO_ENERGY, DEMO_TEMPERATURE };

struct demo_metric {
    const char *name;
    enum demo_quantity quantity;
    int decimals;            /* that such a device reports */
};

/* How a device's power comes about. */
enum demo_profile { DEMO_OFFICE, DEMO_LIVING_ROOM, DEMO_SOLAR, DEMO_FACTORY };

struct demo_device {
    const char *key, *name, *model;
    const char *config;      /* JSON for the device's configuration: roles set explicitly */
    enum demo_profile profile;
    uint64_t seed;           /* tells its noise from others' */
    double rated_w;          /* solar: of the panels; factory: of the connected load */
    double max_w;            /* what the device can carry or deliver */
    double nominal_v;
    double latitude, longitude; /* solar: degrees north and east */
    double clear_share;      /* solar: of days without clouds, 0 to 1 */
    struct demo_metric metrics[DEMO_MAX_METRICS];
    int n_metrics;
};

struct demo_person { const char *email, *name, *role, *password; };

struct demo_tenant {
    const char *slug, *name, *timezone, *currency;
    const char *site_key, *site_name;
    const struct demo_device *devices;
    int n_devices;
    const struct demo_person *persons;
    int n_persons;
};

extern const struct demo_tenant demo_tenants[];
extern const int demo_tenants_count;
/* Runs the installation; member of no tenant. */
extern const struct demo_person demo_operator;

/* Mean power in W over the five minutes that hold `time_us` (as their end or inside);
 * never negative. `zone` is the tenant's and must span the time. */
double demo_watts(const struct demo_device *device, const struct zone *zone, int64_t time_us);

/* What a device is at when it reports: power over the last five minutes or since its
 * last report, whichever is shorter, and all energy since then. */
struct demo_moment {
    int64_t time_us;
    double watts;
    double energy_kwh;
};
struct demo_moment demo_moment_at(const struct demo_device *device, const struct zone *zone,
                                  int64_t last_us, int64_t time_us);

/* One reading of that moment, rounded as the device reports it. */
double demo_value(const struct demo_device *device, const struct demo_metric *metric,
                  const struct demo_moment *moment);

struct demo_event {
    int64_t time_us;
    const struct demo_device *device;
    const char *type;
    const char *data;        /* JSON object */
};

/* The tenant's events in (from_us, to_us], ascending, at most `max` of them; how many. */
int demo_events(const struct demo_tenant *tenant, const struct zone *zone, int64_t from_us,
                int64_t to_us, struct demo_event *out, int max);

#endif
