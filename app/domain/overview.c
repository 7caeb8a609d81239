/* Gathers the overview in a handful of statements, whatever the number of devices. Called by the
 * overview's page. What the figures mean is flow.c's business, how they look view's. */
#include "domain/overview.h"

#include "db/db.h"
#include "domain/overview_energy.h"
#include "gen/queries.h"

#include <math.h>

/* ---- slots ---- */

/* The local buckets up to now, `n` at least: the last but one is that which `now_us` lies in, the
 * last one its end. `longest_us`: of such a bucket. */
static enum err load_starts(struct db_tx *tx, const char *bucket, int64_t longest_us, int n,
                            const struct overview *overview, struct zone_starts *starts)
{
    const char *zone = overview->zone.name;
    int64_t now_us = overview->now_us;
    enum err err = zone_bucket_starts(tx, zone, bucket, now_us - (n + 2) * longest_us,
                                      now_us + 2 * longest_us, starts);
    if (err != OK) {
        return err;
    }
    int last = starts->n - 1;
    while (last >= 0 && starts->us[last] > now_us) {
        last--;
    }
    bool has_end = last + 1 < starts->n;
    starts->n = last + 2;
    if (last + 1 < n || !has_end) {
        return fail(db_op(tx), ERR_INTERNAL, "the last %d buckets %s of %s are not known", n,
                    bucket, zone);
    }
    return OK;
}

static void set_slots(const int64_t *starts_us, int n, struct overview_slot *out)
{
    for (int i = 0; i < n; i++) {
        out[i] = (struct overview_slot){ starts_us[i], starts_us[i + 1], flow_none() };
    }
}

static enum err load_hours(struct db_tx *tx, struct overview *out)
{
    struct zone_starts starts;
    enum err err = load_starts(tx, "1h", US_PER_HOUR, OVERVIEW_HOURS, out, &starts);
    if (err == OK) {
        set_slots(starts.us + starts.n - 1 - OVERVIEW_HOURS, OVERVIEW_HOURS, out->hours);
    }
    return err;
}

/* From the first day of the month before on, and as many as are drawn. */
static enum err load_days(struct db_tx *tx, struct overview *out)
{
    struct zone_starts starts;
    enum err err = load_starts(tx, "1d", 25 * US_PER_HOUR, OVERVIEW_MAX_DAYS, out, &starts);
    if (err != OK) {
        return err;
    }
    int last = starts.n - 2, first = last, n_months = 0;
    while (last - first < OVERVIEW_MAX_DAYS - 1) {
        n_months += zone_is_month_start(&out->zone, starts.us[first]);
        if (n_months >= 2 && last - first >= OVERVIEW_DAYS - 1) {
            break;
        }
        first--;
    }
    out->n_days = last - first + 1;
    set_slots(starts.us + first, out->n_days, out->days);
    return OK;
}

const struct overview_slot *overview_drawn_days(const struct overview *overview)
{
    return overview->days + overview->n_days - OVERVIEW_DAYS;
}

/* ---- events and devices ---- */

static enum err load_events(struct db_tx *tx, struct overview *out)
{
    struct event_filter filter = {
        .from_us = 0, .to_us = out->now_us + 2 * US_PER_DAY, .limit = OVERVIEW_EVENTS,
    };
    return event_list(tx, &filter, &out->events);
}

static enum err load_devices(struct db_tx *tx, const char *zone_name, struct overview *out)
{
    struct op *op = db_op(tx);
    struct latest_list list;
    enum err err = latest_list(tx, (struct str){ NULL, 0 }, OVERVIEW_DEVICES, &list);
    if (err != OK) {
        return err;
    }
    out->n_devices = list.n;
    out->devices = arena_array(op->arena, (size_t)list.n, sizeof *out->devices);
    if (out->devices == NULL && list.n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < list.n; i++) {
        struct overview_device *device = &out->devices[i];
        *device = (struct overview_device){ list.items[i], .watts = NAN, .today_kwh = NAN };
        for (int h = 0; h < OVERVIEW_HOURS; h++) {
            device->hours_kwh[h] = NAN;
        }
    }
    /* The zone must be known over the charts and back to when each device was heard and
     * what is shown happened. */
    int64_t from_us = out->now_us - (OVERVIEW_MAX_DAYS + 5) * US_PER_DAY;
    int64_t oldest_us = latest_oldest(&list, out->now_us);
    if (out->events.n > 0 && out->events.items[out->events.n - 1].time_us < oldest_us) {
        oldest_us = out->events.items[out->events.n - 1].time_us;
    }
    err = zone_load(tx, zone_name, oldest_us < from_us ? oldest_us : from_us,
                    out->now_us + 3 * US_PER_DAY, &out->zone);
    return err == OK ? latest_count(tx, out->now_us, &out->counts) : err;
}

/* ---- power ---- */

static enum err load_power(struct db_tx *tx, struct overview *out)
{
    struct db_rows *rows = NULL;
    enum err err = db_run(tx, &q_overview_power, NULL, &rows);
    if (err != OK) {
        return err;
    }
    out->power = flow_none();
    for (int i = 0; i < db_count(rows); i++) {
        double watts = db_double(rows, i, OVERVIEW_POWER_WATTS);
        flow_add(&out->power, db_text(rows, i, OVERVIEW_POWER_ROLE), watts);
        struct overview_device *device =
            overview_find_device(out, db_text(rows, i, OVERVIEW_POWER_DEVICE));
        if (device != NULL && !isnan(watts)) {
            device->watts = isnan(device->watts) ? watts : device->watts + watts;
        }
    }
    return OK;
}

/* ---- all of it ---- */

enum err overview_load(struct db_tx *tx, const char *zone_name, int64_t now_us,
                       struct overview *out)
{
    *out = (struct overview){ .now_us = now_us };
    enum err err = load_events(tx, out);
    if (err == OK) {
        err = load_devices(tx, zone_name, out);
    }
    if (err == OK) {
        err = load_hours(tx, out);
    }
    if (err == OK) {
        err = load_days(tx, out);
    }
    if (err == OK) {
        err = load_power(tx, out);
    }
    if (err == OK) {
        err = overview_load_energy(tx, out);
    }
    return err;
}
