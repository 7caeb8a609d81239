/* Gathers the overview in seven statements, whatever the number of devices. Called by the
 * overview's page. What the figures mean is flow.c's business, how they look view's. */
#include "domain/overview.h"

#include "db/db.h"
#include "gen/queries.h"

#include <math.h>

/* ---- slots ---- */

/* The `n` local buckets that end with the one `now_us` lies in. `longest_us`: of such a bucket. */
static enum err load_slots(struct db_tx *tx, const char *bucket, int64_t longest_us,
                           const struct overview *overview, int n, struct overview_slot *out)
{
    struct zone_starts starts;
    const char *zone = overview->zone.name;
    int64_t now_us = overview->now_us;
    enum err err = zone_bucket_starts(tx, zone, bucket, now_us - (n + 2) * longest_us,
                                      now_us + 2 * longest_us, &starts);
    if (err != OK) {
        return err;
    }
    int last = starts.n - 1;
    while (last >= 0 && starts.us[last] > now_us) {
        last--;
    }
    if (last + 1 < n || last + 1 >= starts.n) {
        return fail(db_op(tx), ERR_INTERNAL, "the last %d buckets %s of %s are not known", n,
                    bucket, zone);
    }
    const int64_t *first = starts.us + last + 1 - n;
    for (int i = 0; i < n; i++) {
        out[i] = (struct overview_slot){ first[i], first[i + 1], flow_none() };
    }
    return OK;
}

/* The slot that a bucket belongs to: the one that begins with it, else, for the bucket of a
 * site in another zone, the one its middle lies in: its day is the day of the same date.
 * -1: none. */
static int slot_of(const struct overview_slot *slots, int n, int64_t bucket_us)
{
    int64_t middle_us = bucket_us + (slots[0].to_us - slots[0].from_us) / 2;
    int found = -1;
    for (int i = 0; i < n; i++) {
        if (slots[i].from_us == bucket_us) {
            return i;
        }
        if (middle_us >= slots[i].from_us && middle_us < slots[i].to_us) {
            found = i;
        }
    }
    return found;
}

/* ---- devices ---- */

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
    /* The zone must be known over the charts and back to when each device was heard. */
    int64_t from_us = out->now_us - (OVERVIEW_DAYS + 5) * US_PER_DAY;
    int64_t oldest_us = latest_oldest(&list, out->now_us);
    err = zone_load(tx, zone_name, oldest_us < from_us ? oldest_us : from_us,
                    out->now_us + 3 * US_PER_DAY, &out->zone);
    return err == OK ? latest_count(tx, out->now_us, &out->counts) : err;
}

static struct overview_device *find_device(struct overview *overview, const char *key)
{
    for (int i = 0; i < overview->n_devices; i++) {
        if (strcmp(overview->devices[i].latest.key, key) == 0) {
            return &overview->devices[i];
        }
    }
    return NULL;
}

static void add_known(double *sum, double value)
{
    if (!isnan(value)) {
        *sum = isnan(*sum) ? value : *sum + value;
    }
}

/* ---- power and energy ---- */

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
            find_device(out, db_text(rows, i, OVERVIEW_POWER_DEVICE));
        if (device != NULL) {
            add_known(&device->watts, watts);
        }
    }
    return OK;
}

/* Energy by bucket and role, and for the shown devices (from `devices_from_us` on) each apart. */
static enum err run_energy(struct db_tx *tx, const struct overview *overview, const char *bucket,
                           int64_t from_us, int64_t devices_from_us, struct db_rows **out)
{
    struct op *op = db_op(tx);
    struct str *keys = arena_array(op->arena, (size_t)overview->n_devices + 1, sizeof *keys);
    if (keys == NULL) {
        return fail_memory(op);
    }
    for (int i = 0; i < overview->n_devices; i++) {
        keys[i] = str_of(overview->devices[i].latest.key);
    }
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, bucket);
    db_arg_time(&args, from_us);
    db_arg_time(&args, overview->now_us);
    db_arg_str_array(&args, keys, (size_t)overview->n_devices);
    db_arg_time(&args, devices_from_us);
    return db_run(tx, &q_overview_energy, &args, out);
}

static enum err load_hourly_energy(struct db_tx *tx, struct overview *out)
{
    struct db_rows *rows = NULL;
    int64_t from_us = out->hours[0].from_us;
    enum err err = run_energy(tx, out, "1h", from_us, from_us, &rows);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < db_count(rows); i++) {
        int slot = slot_of(out->hours, OVERVIEW_HOURS, db_time(rows, i, OVERVIEW_ENERGY_BUCKET));
        double kwh = db_double(rows, i, OVERVIEW_ENERGY_KWH);
        const char *key = db_text(rows, i, OVERVIEW_ENERGY_DEVICE);
        if (slot < 0) {
            continue;
        }
        if (key == NULL) {
            flow_add(&out->hours[slot].energy, db_text(rows, i, OVERVIEW_ENERGY_ROLE), kwh);
            continue;
        }
        struct overview_device *device = find_device(out, key);
        if (device != NULL) {
            add_known(&device->hours_kwh[slot], kwh);
        }
    }
    return OK;
}

static enum err load_daily_energy(struct db_tx *tx, struct overview *out)
{
    struct db_rows *rows = NULL;
    const struct overview_slot *today = &out->days[OVERVIEW_DAYS - 1];
    /* Half a day earlier: where the days of a site further east begin. */
    enum err err = run_energy(tx, out, "1d", out->days[0].from_us - US_PER_DAY / 2,
                              today->from_us - US_PER_DAY / 2, &rows);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < db_count(rows); i++) {
        int slot = slot_of(out->days, OVERVIEW_DAYS, db_time(rows, i, OVERVIEW_ENERGY_BUCKET));
        double kwh = db_double(rows, i, OVERVIEW_ENERGY_KWH);
        const char *key = db_text(rows, i, OVERVIEW_ENERGY_DEVICE);
        if (slot < 0) {
            continue;
        }
        if (key == NULL) {
            flow_add(&out->days[slot].energy, db_text(rows, i, OVERVIEW_ENERGY_ROLE), kwh);
            continue;
        }
        struct overview_device *device = find_device(out, key);
        if (device != NULL && slot == OVERVIEW_DAYS - 1) {
            add_known(&device->today_kwh, kwh);
        }
    }
    return OK;
}

enum err overview_load(struct db_tx *tx, const char *zone_name, int64_t now_us,
                       struct overview *out)
{
    *out = (struct overview){ .now_us = now_us };
    enum err err = load_devices(tx, zone_name, out);
    if (err == OK) {
        err = load_slots(tx, "1h", US_PER_HOUR, out, OVERVIEW_HOURS, out->hours);
    }
    if (err == OK) {
        err = load_slots(tx, "1d", 25 * US_PER_HOUR, out, OVERVIEW_DAYS, out->days);
    }
    if (err == OK) {
        err = load_power(tx, out);
    }
    if (err == OK) {
        err = load_hourly_energy(tx, out);
    }
    return err == OK ? load_daily_energy(tx, out) : err;
}
