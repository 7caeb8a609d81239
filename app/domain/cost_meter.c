/* Reads the series that tell energy. Called by cost.c. */
#include "domain/cost_meter.h"

#include "db/db.h"
#include "domain/energy_best.h"
#include "gen/queries.h"

#include <string.h>

enum err cost_meters_load(struct db_tx *tx, struct str site, struct str device, int64_t known_us,
                          struct cost_meters *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, site);
    db_arg_str(&args, device);
    db_arg_time(&args, known_us);
    enum err err = db_run(tx, &q_cost_meters, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct cost_meter *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct cost_meter){
            .series_id = db_int(rows, i, COST_METERS_SERIES_ID),
            .device = db_text(rows, i, COST_METERS_DEVICE),
            .site = db_text(rows, i, COST_METERS_SITE),
            .metric = db_text(rows, i, COST_METERS_METRIC),
            .kind = db_text(rows, i, COST_METERS_KIND),
            .role = db_text(rows, i, COST_METERS_ROLE),
            .zone = db_text(rows, i, COST_METERS_ZONE),
            .place = db_int(rows, i, COST_METERS_PLACE),
            .is_apart = db_bool(rows, i, COST_METERS_IS_APART),
        };
    }
    *out = (struct cost_meters){ items, n };
    return OK;
}

enum err cost_meter_devices_load(struct db_tx *tx, int limit, struct cost_meter_devices *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_cost_meter_devices, &args, &rows);
    if (err != OK) {
        return err;
    }
    *out = (struct cost_meter_devices){ .n = db_count(rows) };
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct cost_meter_device){
            .device = db_text(rows, i, COST_METER_DEVICES_DEVICE),
            .site = db_text(rows, i, COST_METER_DEVICES_SITE),
        };
    }
    return OK;
}

static enum err read_row(struct db_tx *tx, const struct db_rows *rows, int row,
                         struct cost_meter *meter)
{
    struct db_int64_list at, nkwh;
    enum err err = db_int64_list(tx, rows, row, COST_QUARTERS_QUARTERS, &at);

    if (err == OK) {
        err = db_int64_list(tx, rows, row, COST_QUARTERS_NKWH, &nkwh);
    }
    if (err == OK && at.n != nkwh.n) {
        err = fail(db_op(tx), ERR_INTERNAL, "%d times of %d amounts", at.n, nkwh.n);
    }
    if (err == OK) {
        meter->at_us = at.items;
        meter->nkwh = nkwh.items;
        meter->n = at.n;
    }
    return err;
}

static enum err read_rows(struct db_tx *tx, const struct db_rows *rows, struct cost_meter *meters,
                          int n)
{
    enum err err = OK;

    for (int row = 0; err == OK && row < db_count(rows); row++) {
        int32_t id = db_int(rows, row, COST_QUARTERS_SERIES_ID);
        for (int i = 0; err == OK && i < n; i++) {
            if (meters[i].series_id == id) {
                err = read_row(tx, rows, row, &meters[i]);
            }
        }
    }
    return err;
}

/* ---- since and until when ---- */

static bool is_part_with(const struct cost_meter *a, const struct cost_meter *b)
{
    return a->place == b->place && strcmp(a->metric, b->metric) != 0 &&
           energy_is_one_seat(a->device, a->role, b->device, b->role);
}

/* Whether it matters when the meter told anything: a day between on which it does not is a gap. */
static bool has_life(const struct cost_meter *meters, int n, int at)
{
    const struct cost_meter *meter = &meters[at];

    if (strcmp(meter->role, "grid_import") == 0) {
        return true;
    }
    /* those of one place stand together */
    for (int i = at - 1; i >= 0 && meters[i].place == meter->place; i--) {
        if (is_part_with(&meters[i], meter)) {
            return true;
        }
    }
    for (int i = at + 1; i < n && meters[i].place == meter->place; i++) {
        if (is_part_with(&meters[i], meter)) {
            return true;
        }
    }
    return false;
}

enum err cost_meters_lives(struct db_tx *tx, struct cost_meter *meters, int n)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;
    int32_t *ids = arena_array(op->arena, (size_t)n + 1, sizeof *ids);

    if (!ids || n == 0) {
        return n == 0 ? OK : fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        ids[i] = meters[i].series_id;
        meters[i].first_us = meters[i].last_us = 0;
    }
    db_args_init(&args, op->arena);
    db_arg_int_array(&args, ids, (size_t)n);
    enum err err = db_run(tx, &q_cost_lives, &args, &rows);
    for (int row = 0; err == OK && row < db_count(rows); row++) {
        int32_t id = db_int(rows, row, COST_LIVES_SERIES_ID);
        for (int i = 0; i < n; i++) {
            if (meters[i].series_id == id) {
                meters[i].first_us = db_time(rows, row, COST_LIVES_FIRST_AT);
                meters[i].last_us = db_time(rows, row, COST_LIVES_LAST_AT);
            }
        }
    }
    return err;
}

static enum err read_lives(struct db_tx *tx, struct cost_meter *meters, int n,
                           cost_meter_filter is_wanted)
{
    struct op *op = db_op(tx);
    struct cost_meter *some = arena_array(op->arena, (size_t)n + 1, sizeof *some);
    int *of = arena_array(op->arena, (size_t)n + 1, sizeof *of);
    int n_some = 0;

    if (!some || !of) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        if (is_wanted(&meters[i]) && has_life(meters, n, i)) {
            of[n_some] = i;
            some[n_some++] = meters[i];
        }
    }
    enum err err = cost_meters_lives(tx, some, n_some);
    for (int i = 0; err == OK && i < n_some; i++) {
        meters[of[i]].first_us = some[i].first_us;
        meters[of[i]].last_us = some[i].last_us;
    }
    return err;
}

enum err cost_meters_read(struct db_tx *tx, struct cost_meter *meters, int n,
                          cost_meter_filter is_wanted, int64_t from_us, int64_t to_us)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;
    int32_t *ids = arena_array(op->arena, (size_t)n + 1, sizeof *ids);
    size_t n_ids = 0;

    if (!ids) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        if (is_wanted(&meters[i])) {
            ids[n_ids++] = meters[i].series_id;
            meters[i].n = 0;
            meters[i].told_from_us = from_us;
            meters[i].told_to_us = to_us;
        }
    }
    if (n_ids == 0) {
        return OK;
    }
    db_args_init(&args, op->arena);
    db_arg_int_array(&args, ids, n_ids);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    enum err err = db_run(tx, &q_cost_quarters, &args, &rows);
    if (err == OK) {
        err = read_rows(tx, rows, meters, n);
    }
    return err == OK ? read_lives(tx, meters, n, is_wanted) : err;
}
