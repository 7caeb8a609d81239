/* Gathers the overview in a handful of statements, asked for together, whatever the number of
 * devices. Called by the overview's page. What the figures mean is flow.c's business, how they look
 * view's. */
#include "domain/overview.h"

#include "db/ask.h"
#include "domain/overview_energy.h"

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

/* ---- what is asked for ---- */

enum {
    ASK_EVENTS, ASK_DEVICES, ASK_COUNTS, ASK_CLOSED, ASK_ENERGY, N_ASKS = ASK_ENERGY + ENERGY_ASKS
};

/* All but what is closed, in one round trip. */
static enum err ask_all(struct db_tx *tx, const struct overview *overview, struct db_ask *asks)
{
    struct op *op = db_op(tx);
    struct event_filter filter = {
        .from_us = 0, .to_us = overview->now_us + 2 * US_PER_DAY, .limit = OVERVIEW_EVENTS,
    };
    event_list_ask(op, &filter, &asks[ASK_EVENTS]);
    latest_list_ask(op, (struct str){ NULL, 0 }, OVERVIEW_DEVICES, &asks[ASK_DEVICES]);
    latest_count_ask(op, overview->now_us, &asks[ASK_COUNTS]);
    closed_ask(op, &asks[ASK_CLOSED]);
    energy_ask(op, &asks[ASK_ENERGY]);
    return db_ask_all(tx, asks, N_ASKS);
}

static enum err read_devices(struct op *op, const struct db_ask *answer, struct overview *out)
{
    struct latest_list list;
    enum err err = latest_list_read(op, answer, &list);
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
    return OK;
}

static enum err read_energy(struct db_tx *tx, const struct db_ask *answers, struct overview *out)
{
    const struct energy_span span = {
        /* Earlier: where the hours and days of a site further east begin. */
        .quarters_us = out->hours[0].from_us - US_PER_HOUR,
        .days_us = out->days[0].from_us - US_PER_DAY,
        .closed = closed_read(&answers[ASK_CLOSED]),
    };
    struct energy_sources all;
    enum err err = energy_read(tx, &answers[ASK_ENERGY], &span, &all);
    return err == OK ? overview_add_energy(tx, &all, out) : err;
}

static enum err read_answers(struct db_tx *tx, const struct db_ask *answers, struct overview *out)
{
    enum err err = event_list_read(db_op(tx), &answers[ASK_EVENTS], &out->events);
    if (err == OK) {
        err = read_devices(db_op(tx), &answers[ASK_DEVICES], out);
    }
    if (err == OK) {
        out->counts = latest_count_read(&answers[ASK_COUNTS]);
        err = read_energy(tx, answers, out);
    }
    return err;
}

/* ---- the zone ---- */

/* Over the charts, with the days that their first and last may need. */
static enum err load_zone(struct db_tx *tx, const char *zone_name, struct overview *out)
{
    return zone_load(tx, zone_name, out->now_us - (OVERVIEW_MAX_DAYS + 5) * US_PER_DAY,
                     out->now_us + 3 * US_PER_DAY, &out->zone);
}

/* And back to when each device was heard and what is shown happened. */
static enum err widen_zone(struct db_tx *tx, struct overview *out)
{
    int64_t oldest_us = out->zone.n_offsets > 0 ? out->zone.offsets[0].from_us : out->now_us;
    for (int i = 0; i < out->n_devices; i++) {
        int64_t seen_us = out->devices[i].latest.last_seen_us;
        oldest_us = seen_us != DEVICE_NEVER && seen_us < oldest_us ? seen_us : oldest_us;
    }
    if (out->events.n > 0 && out->events.items[out->events.n - 1].time_us < oldest_us) {
        oldest_us = out->events.items[out->events.n - 1].time_us;
    }
    return out->zone.n_offsets > 0 && oldest_us >= out->zone.offsets[0].from_us
               ? OK
               : zone_load(tx, out->zone.name, oldest_us, out->now_us + 3 * US_PER_DAY, &out->zone);
}

/* ---- all of it ---- */

enum err overview_load(struct db_tx *tx, const char *zone_name, int64_t now_us,
                       struct overview *out)
{
    struct db_ask asks[N_ASKS];
    *out = (struct overview){ .now_us = now_us, .power = flow_none() };
    enum err err = load_zone(tx, zone_name, out);
    if (err == OK) {
        err = load_hours(tx, out);
    }
    if (err == OK) {
        err = load_days(tx, out);
    }
    if (err == OK) {
        err = ask_all(tx, out, asks);
    }
    if (err == OK) {
        err = read_answers(tx, asks, out);
    }
    return err == OK ? widen_zone(tx, out) : err;
}
