/* The demo's events: firmware updates, alarms and a nightly job, by the local calendar.
 * Called by demo_seed.c. */
#include "domain/demo.h"

/* Something that happens at a time of day on every `every`-th day. */
struct habit {
    const char *tenant;  /* slug */
    int device;          /* index */
    int every, on;       /* on days whose number leaves `on` when divided by `every` */
    int minute;          /* of the local day */
    const char *type;
    const char *data;
};

static const struct habit habits[] = {
    { "aetherlens", 0, 1, 0, 125, "job",
      "{\"job\": \"nightly-report\", \"status\": \"succeeded\", \"duration_s\": 4.2}" },
    { "aetherlens", 0, 29, 3, 197, "firmware",
      "{\"from\": \"1.13.0\", \"to\": \"1.14.0\", \"result\": \"installed\"}" },
    { "aetherlens", 2, 31, 17, 214, "firmware",
      "{\"from\": \"04.27.03\", \"to\": \"04.30.32\", \"result\": \"installed\"}" },
    { "aetherlens", 1, 11, 5, 1214, "alarm",
      "{\"code\": \"over_power\", \"severity\": \"warning\", \"power_w\": 291.4}" },
    { "aetherlens", 2, 6, 2, 761, "alarm",
      "{\"code\": \"ac_voltage_high\", \"severity\": \"info\", \"voltage_v\": 247.9}" },
    { "monsoon-mills", 0, 1, 0, 1325, "job",
      "{\"job\": \"shift-report\", \"status\": \"succeeded\", \"shift\": 2}" },
    { "monsoon-mills", 0, 8, 1, 842, "alarm",
      "{\"code\": \"phase_imbalance\", \"severity\": \"warning\", \"imbalance_pct\": 4.1}" },
    { "monsoon-mills", 1, 40, 9, 60, "firmware",
      "{\"from\": \"V112\", \"to\": \"V113\", \"result\": \"installed\"}" },
};

/* The UTC time of a local one; in the hour that a change of clocks skips, an hour late. */
static int64_t utc_of(const struct zone *zone, int64_t local_us)
{
    int64_t guess = local_us - zone_offset_at(zone, local_us) * US_PER_SECOND;
    return local_us - zone_offset_at(zone, guess) * US_PER_SECOND;
}

static bool is_due(const struct habit *habit, const struct demo_tenant *tenant, int64_t day)
{
    return str_equal(str_of(habit->tenant), str_of(tenant->slug)) &&
           day % habit->every == habit->on;
}

/* Puts the event among those before it in time; days nearly always come in order. */
static void insert(struct demo_event *events, int n, struct demo_event event)
{
    int at = n;
    while (at > 0 && events[at - 1].time_us > event.time_us) {
        events[at] = events[at - 1];
        at--;
    }
    events[at] = event;
}

int demo_events(const struct demo_tenant *tenant, const struct zone *zone, int64_t from_us,
                int64_t to_us, struct demo_event *out, int max)
{
    int n = 0;
    /* A local day may begin on the UTC day before and end on the one after. */
    for (int64_t day = from_us / US_PER_DAY - 1; day <= to_us / US_PER_DAY + 1; day++) {
        for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
            const struct habit *habit = &habits[i];
            int64_t time_us = utc_of(zone, day * US_PER_DAY + habit->minute * US_PER_MINUTE);
            if (n < max && is_due(habit, tenant, day) && time_us > from_us && time_us <= to_us) {
                insert(out, n++, (struct demo_event){ time_us, &tenant->devices[habit->device],
                                                      habit->type, habit->data });
            }
        }
    }
    return n;
}
