/* Adds up what a tenant's series amount to: by hour and day, for all devices together and for each
 * that is shown. Called by overview.c. */
#include "domain/overview_energy.h"

#include "db/db.h"

#include <limits.h>
#include <math.h>

/* A zone's buckets, and the overview's slot that each belongs to (-1: none). */
struct slots {
    struct zone_starts starts;
    int *slot;
};

/* What the sums need of a zone. */
struct calendar {
    const char *zone;
    struct slots hours, days;
    int *best;  /* for each of the days: the best place that has data */
};

struct calendars {
    struct calendar *items;
    int n;
};

struct overview_device *overview_find_device(struct overview *overview, const char *key)
{
    for (int i = 0; i < overview->n_devices; i++) {
        if (strcmp(overview->devices[i].latest.key, key) == 0) {
            return &overview->devices[i];
        }
    }
    return NULL;
}

/* ---- calendars ---- */

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

/* The zone's buckets over all of the slots, and two days more on both sides. */
static enum err load_slots(struct db_tx *tx, const char *zone, const char *bucket,
                           const struct overview_slot *of, int n, struct slots *out)
{
    struct op *op = db_op(tx);
    enum err err = zone_bucket_starts(tx, zone, bucket, of[0].from_us - 2 * US_PER_DAY,
                                      of[n - 1].to_us + 2 * US_PER_DAY, &out->starts);
    if (err != OK) {
        return err;
    }
    out->slot = arena_array(op->arena, (size_t)out->starts.n, sizeof *out->slot);
    if (out->slot == NULL) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->starts.n; i++) {
        out->slot[i] = slot_of(of, n, out->starts.us[i]);
    }
    return OK;
}

/* Which of the buckets a time lies in; -1: none. */
static int bucket_of(const struct zone_starts *starts, int64_t time_us)
{
    int low = -1, high = starts->n;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (starts->us[middle] <= time_us) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum err load_calendar(struct db_tx *tx, const struct overview *overview,
                              struct calendar *out)
{
    enum err err =
        load_slots(tx, out->zone, "1h", overview->hours, OVERVIEW_HOURS, &out->hours);
    if (err == OK) {
        err = load_slots(tx, out->zone, "1d", overview->days, overview->n_days, &out->days);
    }
    if (err != OK) {
        return err;
    }
    struct op *op = db_op(tx);
    out->best = arena_array(op->arena, (size_t)out->days.starts.n, sizeof *out->best);
    return out->best == NULL ? fail_memory(op) : OK;
}

/* That of a zone; read where it is asked for first. `known` has room for one more. */
static enum err find_calendar(struct db_tx *tx, const struct overview *overview, const char *zone,
                              struct calendars *known, struct calendar **out)
{
    for (int i = 0; i < known->n; i++) {
        if (strcmp(known->items[i].zone, zone) == 0) {
            *out = &known->items[i];
            return OK;
        }
    }
    *out = &known->items[known->n++];
    **out = (struct calendar){ .zone = zone };
    return load_calendar(tx, overview, *out);
}

/* ---- sums ---- */

static void add_known(double *sum, double value)
{
    if (!isnan(value)) {
        *sum = isnan(*sum) ? value : *sum + value;
    }
}

static void mark_days(const struct calendar *calendar, const struct energy_points *points,
                      int place)
{
    for (int i = 0; i < points->n; i++) {
        int day = bucket_of(&calendar->days.starts, points->at_us[i]);
        if (day >= 0 && calendar->best[day] > place) {
            calendar->best[day] = place;
        }
    }
}

/* True where a source counts on the day of that time. */
static bool counts(const struct calendar *calendar, int64_t time_us, int place)
{
    int day = bucket_of(&calendar->days.starts, time_us);
    return day >= 0 && calendar->best[day] == place;
}

static void add_days(struct overview *out, const struct calendar *calendar,
                     const struct energy_source *source, const struct energy_points *points)
{
    struct overview_device *device = overview_find_device(out, source->device);
    for (int i = 0; i < points->n; i++) {
        int day = bucket_of(&calendar->days.starts, points->at_us[i]);
        int slot = day >= 0 ? calendar->days.slot[day] : -1;
        if (slot < 0 || calendar->best[day] != source->place) {
            continue;
        }
        double kwh = (double)points->nkwh[i] / NKWH_PER_KWH;
        flow_add(&out->days[slot].energy, source->role, kwh);
        if (device != NULL && slot == out->n_days - 1) {
            add_known(&device->today_kwh, kwh);
        }
    }
}

static void add_hours(struct overview *out, const struct calendar *calendar,
                      const struct energy_source *source, const struct energy_points *points)
{
    struct overview_device *device = overview_find_device(out, source->device);
    for (int i = 0; i < points->n; i++) {
        int hour = bucket_of(&calendar->hours.starts, points->at_us[i]);
        int slot = hour >= 0 ? calendar->hours.slot[hour] : -1;
        if (slot < 0 || !counts(calendar, points->at_us[i], source->place)) {
            continue;
        }
        double kwh = (double)points->nkwh[i] / NKWH_PER_KWH;
        flow_add(&out->hours[slot].energy, source->role, kwh);
        if (device != NULL) {
            add_known(&device->hours_kwh[slot], kwh);
        }
    }
}

/* Adds the sources [from, to), all of one device and role. */
static void add_sources(struct overview *out, const struct calendar *calendar,
                        const struct energy_source *from, const struct energy_source *to)
{
    for (int i = 0; i < calendar->days.starts.n; i++) {
        calendar->best[i] = INT_MAX;
    }
    for (const struct energy_source *source = from; source < to; source++) {
        mark_days(calendar, &source->days, source->place);
        mark_days(calendar, &source->open, source->place);
    }
    for (const struct energy_source *source = from; source < to; source++) {
        add_days(out, calendar, source, &source->days);
        add_days(out, calendar, source, &source->open);
        add_hours(out, calendar, source, &source->quarters);
        add_hours(out, calendar, source, &source->open);
    }
}

static bool is_together(const struct energy_source *a, const struct energy_source *b)
{
    return strcmp(a->device, b->device) == 0 && strcmp(a->role, b->role) == 0;
}

enum err overview_add_energy(struct db_tx *tx, const struct energy_sources *all,
                             struct overview *out)
{
    struct op *op = db_op(tx);
    struct calendars known = { arena_array(op->arena, (size_t)all->n, sizeof *known.items), 0 };
    enum err err = known.items == NULL && all->n > 0 ? fail_memory(op) : OK;
    for (int from = 0, to; err == OK && from < all->n; from = to) {
        for (to = from + 1; to < all->n && is_together(&all->items[from], &all->items[to]);) {
            to++;
        }
        struct calendar *calendar;
        err = find_calendar(tx, out, all->items[from].zone, &known, &calendar);
        if (err == OK) {
            add_sources(out, calendar, all->items + from, all->items + to);
        }
    }
    return err;
}

enum err overview_load_energy(struct db_tx *tx, struct overview *out)
{
    struct energy_sources all;
    /* Earlier: where the hours and days of a site further east begin. */
    enum err err = energy_load(tx, out->hours[0].from_us - US_PER_HOUR,
                               out->days[0].from_us - US_PER_DAY, &all);
    return err == OK ? overview_add_energy(tx, &all, out) : err;
}
