/* Adds up what a tenant's series amount to: by hour and day, for all devices together and for each
 * that is shown. Called by overview.c. */
#include "domain/overview_energy.h"

#include "db/db.h"
#include "domain/energy_best.h"

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
    struct energy_best best; /* of the seat at hand, by day */
};

struct calendars {
    struct calendar *items;
    int n;
};

/* The device of that key among those shown, or NULL. */
static struct overview_device *find_device(struct overview *overview, const char *key)
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
    return energy_best_init(&out->best, op->arena, out->days.starts.n) ? OK : fail_memory(op);
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

static void mark_days(struct calendar *calendar, const struct energy_points *points, int place)
{
    for (int i = 0; i < points->n; i++) {
        int day = bucket_of(&calendar->days.starts, points->at_us[i]);
        energy_best_note(&calendar->best, day, place);
    }
}

static void add_days(struct overview *out, const struct calendar *calendar,
                     const struct energy_source *source, const struct energy_points *points)
{
    struct overview_device *device = find_device(out, source->device);
    for (int i = 0; i < points->n; i++) {
        int day = bucket_of(&calendar->days.starts, points->at_us[i]);
        int slot = day >= 0 ? calendar->days.slot[day] : -1;
        if (slot < 0 || !energy_best_counts(&calendar->best, day, source->place)) {
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
    struct overview_device *device = find_device(out, source->device);
    for (int i = 0; i < points->n; i++) {
        int hour = bucket_of(&calendar->hours.starts, points->at_us[i]);
        int slot = hour >= 0 ? calendar->hours.slot[hour] : -1;
        int day = slot >= 0 ? bucket_of(&calendar->days.starts, points->at_us[i]) : -1;
        if (slot < 0 || !energy_best_counts(&calendar->best, day, source->place)) {
            continue;
        }
        double kwh = (double)points->nkwh[i] / NKWH_PER_KWH;
        flow_add(&out->hours[slot].energy, source->role, kwh);
        if (device != NULL) {
            add_known(&device->hours_kwh[slot], kwh);
        }
    }
}

/* Power now, of the best place that told it lately. */
static void add_power(struct overview *out, const struct energy_source *from,
                      const struct energy_source *to)
{
    struct overview_device *device = find_device(out, from->device);
    int place = 0; /* none yet */
    for (const struct energy_source *source = from; source < to; source++) {
        if (isnan(source->watts) || (place != 0 && source->place != place)) {
            continue;
        }
        place = source->place;
        flow_add(&out->power, source->role, source->watts);
        if (device != NULL) {
            add_known(&device->watts, source->watts);
        }
    }
}

/* Adds the sources [from, to), all of one seat. */
static void add_sources(struct overview *out, struct calendar *calendar,
                        const struct energy_source *from, const struct energy_source *to)
{
    energy_best_clear(&calendar->best);
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
    add_power(out, from, to);
}

static bool is_together(const struct energy_source *a, const struct energy_source *b)
{
    return energy_is_one_seat(a->device, a->role, b->device, b->role);
}

enum err overview_add_energy(struct db_tx *tx, const struct energy_sources *all,
                             struct overview *out)
{
    struct op *op = db_op(tx);
    struct calendars known = { arena_array(op->arena, (size_t)all->n + 1, sizeof *known.items), 0 };
    enum err err = OK;
    if (known.items == NULL) {
        return fail_memory(op);
    }
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
