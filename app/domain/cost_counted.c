/* Says which series counted, day by day. Called by the API and pages of bills. */
#include "domain/cost_counted.h"

#include "db/db.h"
#include "domain/energy_best.h"
#include "domain/span.h"
#include "gen/queries.h"

#include <string.h>

/* An account, its days and what its meters told on them. */
struct count {
    struct op *op;
    const struct cost_account *account;
    int64_t first_day;        /* of the site's zone */
    int n_days;
    struct db_int64_list *told; /* by meter: starts of days */
    bool *has_grid;           /* by day: what is behind it does not count */
    struct cost_counted_list *out;
};

static bool is_grid(const struct cost_meter *meter)
{
    return strcmp(meter->role, "grid_import") == 0 || strcmp(meter->role, "grid_export") == 0;
}

static bool is_billed(const struct cost_meter *meter)
{
    return is_grid(meter) || strcmp(meter->role, "consumption") == 0 ||
           strcmp(meter->role, "generation") == 0;
}

static int day_at(const struct count *count, int64_t time_us)
{
    int64_t day = span_day_of(&count->account->site_zone, time_us) - count->first_day;

    return day < 0 || day >= count->n_days ? -1 : (int)day;
}

/* ---- what was told ---- */

static enum err read_told(struct db_tx *tx, struct count *count, int64_t from_us, int64_t to_us)
{
    const struct cost_account *account = count->account;
    struct db_args args;
    struct db_rows *rows;
    int32_t *ids = arena_array(count->op->arena, (size_t)account->n_meters + 1, sizeof *ids);

    if (!ids) {
        return fail_memory(count->op);
    }
    for (int i = 0; i < account->n_meters; i++) {
        ids[i] = account->meters[i].series_id;
    }
    db_args_init(&args, count->op->arena);
    db_arg_int_array(&args, ids, (size_t)account->n_meters);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    enum err err = db_run(tx, &q_cost_told, &args, &rows);
    for (int row = 0; err == OK && row < db_count(rows); row++) {
        int meter = db_int(rows, row, COST_TOLD_NUMBER) - 1;
        err = db_int64_list(tx, rows, row, COST_TOLD_DAYS, &count->told[meter]);
    }
    return err;
}

static bool lay_out(struct count *count)
{
    struct arena *arena = count->op->arena;
    int n = count->account->n_meters;

    count->told = arena_array(arena, (size_t)n + 1, sizeof *count->told);
    count->has_grid = arena_array(arena, (size_t)count->n_days + 1, sizeof *count->has_grid);
    return count->told && count->has_grid;
}

/* Marks the days on which a meter at the grid tells something and what is behind it does not count:
 * beside what is fed in alone, what devices consume does. */
static enum err mark_grid(struct count *count)
{
    const struct cost_account *account = count->account;
    bool *is_used = arena_array(count->op->arena, (size_t)count->n_days + 1, sizeof *is_used);
    bool *is_fed = arena_array(count->op->arena, (size_t)count->n_days + 1, sizeof *is_fed);

    if (!is_used || !is_fed) {
        return fail_memory(count->op);
    }
    for (int m = 0; m < account->n_meters; m++) {
        const char *role = account->meters[m].role;
        for (int i = 0; i < count->told[m].n; i++) {
            int day = day_at(count, count->told[m].items[i]);
            if (day >= 0) {
                count->has_grid[day] |= strcmp(role, "grid_import") == 0;
                is_fed[day] |= strcmp(role, "grid_export") == 0;
                is_used[day] |= strcmp(role, "consumption") == 0;
            }
        }
    }
    for (int day = 0; day < count->n_days; day++) {
        count->has_grid[day] |= is_fed[day] && !is_used[day];
    }
    return OK;
}

/* Marks the days between the first and the last that each device draws from the grid by: on those
 * that it is silent on nothing else counts either. */
static enum err mark_between(struct db_tx *tx, struct count *count)
{
    const struct cost_account *account = count->account;
    struct cost_meters grid = {
        arena_array(count->op->arena, (size_t)account->n_meters + 1, sizeof *grid.items), 0
    };

    if (!grid.items) {
        return fail_memory(count->op);
    }
    for (int m = 0; m < account->n_meters; m++) {
        if (strcmp(account->meters[m].role, "grid_import") == 0) {
            grid.items[grid.n++] = account->meters[m];
        }
    }
    enum err err = cost_meters_lives(tx, grid.items, grid.n);
    for (int from = 0, to; err == OK && from < grid.n; from = to) {
        int64_t first_us = INT64_MAX, last_us = INT64_MIN;
        for (to = from; to < grid.n && strcmp(grid.items[to].device, grid.items[from].device) == 0;
             to++) {
            const struct cost_meter *meter = &grid.items[to];
            bool is_there = meter->last_us != 0;
            first_us = is_there && meter->first_us < first_us ? meter->first_us : first_us;
            last_us = is_there && meter->last_us > last_us ? meter->last_us : last_us;
        }
        for (int day = 0; day < count->n_days; day++) {
            int64_t at_us = span_day_start(&account->site_zone, count->first_day + day);
            count->has_grid[day] |= at_us >= first_us && at_us <= last_us;
        }
    }
    return err;
}

/* ---- what counted ---- */

/* The item of the meter's metric among those from `first` on; a new one where there is none. */
static struct cost_counted *item_of(struct count *count, const struct cost_meter *meter, int first)
{
    struct cost_counted_list *out = count->out;

    for (int i = first; i < out->n; i++) {
        if (strcmp(out->items[i].metric, meter->metric) == 0) {
            return &out->items[i];
        }
    }
    out->items[out->n] = (struct cost_counted){ .device = meter->device,
                                                .metric = meter->metric,
                                                .role = meter->role };
    return &out->items[out->n++];
}

/* Counts the days of the meters [from, to), all of one seat. Series of a metric that differ in
 * labels are one: the one with the most days says how many. */
static void count_seat(struct count *count, const struct energy_best *best, int from, int to)
{
    int first = count->out->n;

    for (int m = from; m < to; m++) {
        const struct cost_meter *meter = &count->account->meters[m];
        int n_days = 0, n_counted = 0;
        for (int i = 0; i < count->told[m].n; i++) {
            int day = day_at(count, count->told[m].items[i]);
            bool is_counted = day >= 0 && is_billed(meter) &&
                              energy_best_counts(best, day, meter->place) &&
                              (is_grid(meter) || !count->has_grid[day]);
            n_days += day >= 0;
            n_counted += is_counted;
        }
        if (n_days > 0) {
            struct cost_counted *item = item_of(count, meter, first);
            item->n_days = n_days > item->n_days ? n_days : item->n_days;
            item->n_counted_days =
                n_counted > item->n_counted_days ? n_counted : item->n_counted_days;
        }
    }
}

static enum err count_seats(struct count *count)
{
    const struct cost_meter *meters = count->account->meters;
    struct energy_best best;

    if (!energy_best_init(&best, count->op->arena, count->n_days)) {
        return fail_memory(count->op);
    }
    for (int from = 0, to; from < count->account->n_meters; from = to) {
        energy_best_clear(&best);
        for (to = from; to < count->account->n_meters &&
                        energy_is_one_seat(meters[from].device, meters[from].role,
                                           meters[to].device, meters[to].role);
             to++) {
            for (int i = 0; i < count->told[to].n; i++) {
                energy_best_note(&best, day_at(count, count->told[to].items[i]), meters[to].place);
            }
        }
        count_seat(count, &best, from, to);
    }
    return OK;
}

static enum err count_account(struct db_tx *tx, const struct cost_account *account,
                              struct cost_counted_list *out)
{
    int64_t from_us = span_day_start(&account->zone, account->from_day);
    int64_t to_us = span_day_start(&account->zone, account->to_day);
    struct count count = { .op = db_op(tx), .account = account, .out = out };

    count.first_day = span_day_of(&account->site_zone, from_us);
    count.n_days = (int)(span_day_of(&account->site_zone, to_us - 1) + 1 - count.first_day);
    if (!lay_out(&count)) {
        return fail_memory(count.op);
    }
    enum err err = read_told(tx, &count, from_us, to_us);
    if (err != OK) {
        return err;
    }
    err = mark_grid(&count);
    err = err == OK ? mark_between(tx, &count) : err;
    return err == OK ? count_seats(&count) : err;
}

enum err cost_counted_load(struct db_tx *tx, const struct cost_accounts *accounts,
                           struct cost_counted_list *out)
{
    enum err err = OK;
    size_t n = 1;
    int64_t n_days = 0;

    for (int i = 0; i < accounts->n; i++) {
        const struct cost_account *account = &accounts->items[i];
        n += (size_t)account->n_meters;
        n_days += account->n_meters * (account->to_day - account->from_day);
    }
    *out = (struct cost_counted_list){ arena_array(db_op(tx)->arena, n, sizeof *out->items), 0 };
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; err == OK && n_days <= COST_COUNTED_DAYS && i < accounts->n; i++) {
        if (accounts->items[i].n_meters > 0) {
            err = count_account(tx, &accounts->items[i], out);
        }
    }
    return err;
}
