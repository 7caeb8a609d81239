/* Values the devices of an account, and keeps what they come to. Called by cost_work.c and
 * cost_device.c. */
#include "domain/cost_value.h"

#include "db/ask.h"
#include "domain/cost_parts.h"
#include "domain/span.h"
#include "gen/queries.h"

#include <string.h>

#define DEVICE_BYTES (32u << 20) /* of memory that one device takes at most: ten years */

/* ---- layout ---- */

/* The end of the meters of the device that meter `from` is of. */
static int device_end(const struct cost_account *account, int from)
{
    int to = from + 1;

    while (to < account->n_meters &&
           strcmp(account->meters[to].device, account->meters[from].device) == 0) {
        to++;
    }
    return to;
}

static enum err lay_out(struct op *op, const struct cost_account *account, int64_t from_day,
                        int64_t to_day, struct cost_values *out)
{
    to_day = to_day > from_day ? to_day : from_day;
    *out = (struct cost_values){
        .devices = arena_array(op->arena, (size_t)account->n_meters + 1, sizeof *out->devices),
        .from_day = from_day,
        .to_day = to_day,
    };
    for (int from = 0; out->devices && from < account->n_meters; from = device_end(account, from)) {
        out->devices[out->n_devices++] = account->meters[from].device;
    }
    size_t n = (size_t)out->n_devices * (size_t)(to_day - from_day);
    out->items = arena_array(op->arena, n + 1, sizeof *out->items);
    return out->devices && out->items ? OK : fail_memory(op);
}

bool cost_values_have_tiers(const struct cost_account *account)
{
    const struct cost_rates *rates = &account->rates;

    for (int i = 0; i < rates->n; i++) {
        const struct tariff *tariff = tariff_of(rates->versions[i].plan);
        for (int c = 0; c < tariff->n_charges; c++) {
            if (tariff->charges[c].has_tiers) {
                return true;
            }
        }
    }
    return false;
}

int64_t cost_values_day(const struct cost_account *account, int64_t from_day)
{
    const struct cost_rates *rates = &account->rates;

    if (!cost_values_have_tiers(account)) {
        return from_day;
    }
    int64_t cycle_day = rating_cycle_of(rates->versions, rates->n, from_day, INT64_MAX).from_day;
    return cost_same_since(rates, cycle_day, from_day, from_day + 1);
}

/* ---- one device ---- */

/* What is valued: quarter hours of [from_us, to_us) are those of days [from_day, to_day). */
struct valuing {
    const struct cost_account *account;
    struct op *op;
    int64_t from_day, to_day;
    int64_t from_us, to_us;
};

/* The device's part of the account: its meters [from, to) that say what it takes, rated alone. */
static enum err rate_alone(const struct valuing *valuing, int from, int to,
                           struct cost_account *out)
{
    struct op *op = valuing->op;
    int n = to - from;

    *out = *valuing->account;
    out->meters = arena_array(op->arena, (size_t)n, sizeof *out->meters);
    if (!out->meters) {
        return fail_memory(op);
    }
    memcpy(out->meters, valuing->account->meters + from, (size_t)n * sizeof *out->meters);
    out->n_meters = n;
    cost_keep_device(out);
    if (out->n_meters == 0) {
        return OK;
    }
    const struct cost_meters meters = { out->meters, out->n_meters };
    enum err err = cost_energy_make(op, &meters, &out->site_zone, valuing->from_us, valuing->to_us,
                                    &out->energy);
    if (err == OK) {
        err = cost_set_intervals(op, out, false); /* where nothing flowed nothing is to be paid */
    }
    out->input.from_day = valuing->from_day;
    out->input.to_day = valuing->to_day;
    out->input.has_slots = true;
    return err == OK ? rating_run(op, &out->input, &out->rating) : err;
}

/* A device's values: of the first day, and how far it is from a day's to the next one's. */
struct column {
    const struct cost_values *values;
    struct cost_value *first;
    int step;
};

/* The day's; NULL: it is none of those. */
static struct cost_value *value_on(const struct column *column, int64_t day)
{
    const struct cost_values *values = column->values;
    bool is_in = day >= values->from_day && day < values->to_day;

    return is_in ? column->first + (day - values->from_day) * column->step : NULL;
}

/* Marks the days of which something is known. */
static void mark_known(const struct cost_account *alone, const struct column *column)
{
    const struct cost_energy *energy = &alone->energy;
    int hint = 0;

    for (size_t i = 0; i < energy->n; i++) {
        if (energy->known[i] == COST_MISSING) {
            continue;
        }
        int64_t at_us = energy->start_us + (int64_t)i * COST_QUARTER_US;
        int64_t day = span_day_near(&alone->zone, at_us, &hint);
        struct cost_value *value = value_on(column, day);
        if (value) {
            value->is_known = true;
            value->is_priced = alone->rating.days[day - alone->input.from_day].version >= 0;
        }
    }
}

/* Adds its quarter hours to their days. */
static void add_up(const struct cost_account *alone, const struct column *column)
{
    const struct rating_input *input = &alone->input;
    int hint = 0;

    for (size_t i = 0; i < input->n_intervals; i++) {
        const struct rating_interval *interval = &input->intervals[i];
        const struct rating_slot *slot = &alone->rating.slots[i];
        int64_t day = span_day_near(&alone->zone, interval->start_us, &hint);
        struct cost_value *value = value_on(column, day);
        if (!value) {
            continue;
        }
        value->import = quantity_add(value->import, interval->import_nkwh);
        value->cost = money_add(value->cost, money_add(slot->import, slot->export));
    }
}

/* ---- all of them ---- */

/* One after the other, each with memory of its own: quarter hours of many devices are many. */
static enum err value_all(struct valuing *valuing, const struct cost_values *values)
{
    const struct cost_account *account = valuing->account;
    struct op *op = valuing->op;
    struct arena *whole = op->arena, *scratch = arena_new(DEVICE_BYTES);
    enum err err = scratch ? OK : fail_memory(op);
    int at = 0;

    op->arena = scratch ? scratch : whole;
    for (int from = 0, to; err == OK && from < account->n_meters; from = to, at++) {
        struct cost_account alone;
        to = device_end(account, from);
        err = rate_alone(valuing, from, to, &alone);
        if (err == OK && alone.n_meters > 0) {
            const struct column column = { values, values->items + at, values->n_devices };
            mark_known(&alone, &column);
            add_up(&alone, &column);
        }
        arena_reset(scratch);
    }
    op->arena = whole;
    arena_free(scratch);
    return err;
}

enum err cost_values_make(struct db_tx *tx, struct cost_account *account, int64_t from_day,
                          int64_t to_day, struct cost_values *out)
{
    const struct zone *zone = &account->zone;
    struct valuing valuing = {
        .account = account,
        .op = db_op(tx),
        .from_day = cost_values_day(account, from_day),
        .to_day = to_day,
    };
    enum err err = lay_out(db_op(tx), account, from_day, to_day, out);

    if (err != OK || from_day >= to_day || out->n_devices == 0) {
        return err;
    }
    valuing.from_us = cost_quarter_before(span_day_start(zone, valuing.from_day));
    valuing.to_us = cost_quarter_before(span_day_start(zone, to_day));
    cost_widen(account, &valuing.from_us, &valuing.to_us);
    err = cost_read_all(tx, account, valuing.from_us, valuing.to_us);
    return err == OK ? value_all(&valuing, out) : err;
}

/* ---- the ledger ---- */

/* Columns of what is written. */
struct columns {
    int32_t *days, *priced, *counts, *numbers;
    struct str *keys, *imports, *costs;
    size_t n_keys, n_days, n;
};

static bool make_columns(struct arena *arena, const struct cost_values *values, struct columns *out)
{
    size_t n_days = (size_t)(values->to_day - values->from_day);
    size_t n = n_days * (size_t)values->n_devices;

    *out = (struct columns){
        .days = arena_array(arena, n_days + 1, sizeof *out->days),
        .priced = arena_array(arena, n_days + 1, sizeof *out->priced),
        .counts = arena_array(arena, n_days + 1, sizeof *out->counts),
        .keys = arena_array(arena, (size_t)values->n_devices + 1, sizeof *out->keys),
        .numbers = arena_array(arena, n + 1, sizeof *out->numbers),
        .imports = arena_array(arena, n + 1, sizeof *out->imports),
        .costs = arena_array(arena, n + 1, sizeof *out->costs),
        .n_keys = (size_t)values->n_devices,
    };
    for (int i = 0; out->keys && i < values->n_devices; i++) {
        out->keys[i] = str_of(values->devices[i]);
    }
    return out->days && out->priced && out->counts && out->keys && out->numbers && out->imports &&
           out->costs;
}

static bool add_value(struct arena *arena, const struct cost_value *value, int number,
                      struct columns *out)
{
    char text[MONEY_TEXT_SIZE];
    const char *import = arena_copy(arena, str_of(quantity_digits(value->import, text)));
    const char *cost = arena_copy(arena, str_of(money_digits(value->cost, text)));

    if (!import || !cost) {
        return false;
    }
    out->numbers[out->n] = number;
    out->imports[out->n] = str_of(import);
    out->costs[out->n++] = str_of(cost);
    return true;
}

static bool fill_columns(struct arena *arena, const struct cost_values *values, struct columns *out)
{
    const struct cost_value *value = values->items;
    bool is_there = make_columns(arena, values, out);

    for (int64_t day = values->from_day; is_there && day < values->to_day; day++) {
        size_t first = out->n;
        for (int i = 0; is_there && i < values->n_devices; i++, value++) {
            if (value->is_known) {
                out->priced[out->n_days] |= value->is_priced;
                is_there = add_value(arena, value, i + 1, out);
            }
        }
        out->days[out->n_days] = (int32_t)day;
        out->counts[out->n_days++] = (int32_t)(out->n - first);
    }
    return is_there;
}

static void place_args(struct db_args *args, const struct cost_account *account)
{
    db_arg_text(args, account->site);
    db_arg_text(args, account->device);
}

static enum err store(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                      int64_t to_day, const struct columns *columns, int64_t *n_rows)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    place_args(&args, account);
    db_arg_int(&args, (int32_t)from_day);
    db_arg_int(&args, (int32_t)to_day);
    db_arg_int_array(&args, columns->days, columns->n_days);
    db_arg_int_array(&args, columns->priced, columns->n_days);
    db_arg_int_array(&args, columns->counts, columns->n_days);
    db_arg_str_array(&args, columns->keys, columns->n_keys);
    db_arg_int_array(&args, columns->numbers, columns->n);
    db_arg_str_array(&args, columns->imports, columns->n);
    db_arg_str_array(&args, columns->costs, columns->n);
    enum err err = db_run(tx, &q_job_cost_store_devices, &args, &rows);
    if (err == OK) {
        *n_rows += db_int64(rows, 0, JOB_COST_STORE_DEVICES_ROWS_WRITTEN);
    }
    return err;
}

enum err cost_values_store(struct db_tx *tx, const struct cost_account *account,
                           const struct cost_values *values, int64_t *n_rows)
{
    struct columns columns;

    if (!fill_columns(db_op(tx)->arena, values, &columns)) {
        return fail_memory(db_op(tx));
    }
    return store(tx, account, values->from_day, values->to_day, &columns, n_rows);
}

enum err cost_values_remove(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                            int64_t to_day, int64_t *n_rows)
{
    const struct columns nothing = { .n_days = 0 };

    return store(tx, account, from_day, to_day, &nothing, n_rows);
}

/* Which of the devices it is, -1: none. */
static int number_of(const struct cost_values *values, const char *device)
{
    for (int i = 0; i < values->n_devices; i++) {
        if (strcmp(values->devices[i], device) == 0) {
            return i;
        }
    }
    return -1;
}

static enum err read_sum(struct db_tx *tx, const struct db_rows *rows, int row,
                         struct cost_values *out)
{
    int number = number_of(out, db_text(rows, row, COST_DEVICES_DEVICE));

    if (number < 0) {
        return OK;
    }
    struct cost_value *value = &out->items[number];
    value->is_known = true;
    value->is_priced = db_bool(rows, row, COST_DEVICES_IS_PRICED);
    return quantity_read(db_str(rows, row, COST_DEVICES_NKWH), &value->import) &&
                   money_read(db_str(rows, row, COST_DEVICES_ATTO), &value->cost)
               ? OK
               : fail(db_op(tx), ERR_INTERNAL, "what a device comes to cannot be read");
}

enum err cost_values_sum(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                         int64_t to_day, struct cost_values *out, int *n_days)
{
    struct op *op = db_op(tx);
    struct db_ask ask;
    enum err err = lay_out(op, account, from_day, from_day + 1, out);

    *n_days = 0;
    if (err != OK) {
        return err;
    }
    db_ask_init(&ask, op, &q_cost_devices);
    ask.stamp = account->stamp;
    place_args(&ask.args, account);
    db_arg_text(&ask.args, account->zone.name);
    db_arg_int(&ask.args, (int32_t)from_day);
    db_arg_int(&ask.args, (int32_t)to_day);
    err = db_ask_all(tx, &ask, 1);
    for (int i = 0; err == OK && i < db_count(ask.rows); i++) {
        *n_days = db_int(ask.rows, i, COST_DEVICES_N_DAYS);
        if (!db_is_null(ask.rows, i, COST_DEVICES_DEVICE)) {
            err = read_sum(tx, ask.rows, i, out);
        }
    }
    return err;
}
