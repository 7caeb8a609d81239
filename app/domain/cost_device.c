/* Puts together what each device's energy costs. Called by the page of costs. */
#include "domain/cost_device.h"

#include "db/db.h"
#include "domain/cost_parts.h"
#include "domain/cost_value.h"
#include "domain/span.h"

#include <stdlib.h>
#include <string.h>

/* ---- one account ---- */

/* The days of an account: those before held_day are the ledger's, the others are valued here. */
struct portion {
    struct cost_account *account;
    int64_t first_day, held_day, to_day;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct portion portion_of(const struct cost_query *query,
                                 const struct cost_place_states *states,
                                 struct cost_account *account)
{
    struct portion portion = {
        .account = account,
        .first_day = account->from_day,
        .held_day = account->from_day,
        .to_day = least(account->to_day, span_day_of(&account->zone, query->now_us) + 1),
    };
    int64_t first_day, dirty_day;

    if (cost_ledger_span(states, account, &first_day, &dirty_day)) {
        portion.first_day = latest(account->from_day, least(first_day, portion.to_day));
        portion.held_day =
            latest(portion.first_day, least(cost_values_day(account, dirty_day), portion.to_day));
    }
    return portion;
}

/* What the ledger has; nothing, and all is to be valued, where days are missing in it. */
static enum err take_held(struct db_tx *tx, struct portion *portion, struct cost_values *out)
{
    int n_days;
    enum err err =
        cost_values_sum(tx, portion->account, portion->first_day, portion->held_day, out, &n_days);

    if (err == OK && n_days < portion->held_day - portion->first_day) {
        portion->held_day = portion->first_day;
        err = cost_values_sum(tx, portion->account, portion->first_day, portion->first_day, out,
                              &n_days);
    }
    return err;
}

static enum err add_rest(struct db_tx *tx, const struct portion *portion,
                         const struct cost_values *sums)
{
    struct cost_account *account = portion->account;
    const struct cost_rates_query rated = {
        .from_day = cost_values_day(account, portion->held_day),
        .to_day = portion->to_day,
        .known_us = COST_LATEST,
    };
    struct cost_values rest;
    enum err err = cost_rates_add_prices(tx, &rated, &account->rates);

    if (err == OK) {
        err = cost_values_make(tx, account, portion->held_day, portion->to_day, &rest);
    }
    if (err != OK) {
        return err;
    }
    size_t n = (size_t)rest.n_devices * (size_t)(rest.to_day - rest.from_day);
    for (size_t i = 0; i < n; i++) {
        const struct cost_value *value = &rest.items[i];
        struct cost_value *sum = &sums->items[i % (size_t)rest.n_devices];
        sum->import.nano += value->import.nano;
        sum->cost = money_add(sum->cost, value->cost);
        sum->is_known = sum->is_known || value->is_known;
        sum->is_priced = sum->is_priced || value->is_priced;
    }
    return OK;
}

/* ---- devices ---- */

/* The role of the device's meters that are valued, of those from `from` on; NULL: none is. */
static const char *role_at(const struct cost_account *account, int from)
{
    static const char *const roles[] = { "grid_import", "grid_export", "consumption", "sub_meter" };
    const char *role = NULL;
    int best = 4;

    for (int i = from; i < account->n_meters; i++) {
        const struct cost_meter *meter = &account->meters[i];
        if (strcmp(meter->device, account->meters[from].device) != 0) {
            break;
        }
        for (int r = 0; r < best; r++) {
            if (strcmp(meter->role, roles[r]) == 0) {
                best = r;
                role = meter->role;
            }
        }
    }
    return role;
}

static void add_devices(const struct cost_account *account, const struct cost_values *sums,
                        struct cost_devices *out)
{
    int meter = 0;

    for (int i = 0; i < sums->n_devices; i++) {
        const struct cost_value *sum = &sums->items[i];
        while (strcmp(account->meters[meter].device, sums->devices[i]) != 0) {
            meter++;
        }
        const char *role = role_at(account, meter);
        if (sum->is_known && role) {
            out->items[out->n++] = (struct cost_device){
                .device = sums->devices[i],
                .site = account->meters[meter].site,
                .role = role,
                .import = sum->import,
                .cost = sum->cost,
                .is_priced = sum->is_priced,
            };
        }
    }
}

static int compare(const void *left, const void *right)
{
    const struct cost_device *a = left, *b = right;
    int order = money_compare(b->cost, a->cost);

    return order != 0 ? order : strcmp(a->device, b->device);
}

/* ---- all accounts ---- */

static enum err add_account(struct db_tx *tx, struct portion *portion, int64_t *meter_days,
                            struct cost_devices *out)
{
    struct cost_values sums;
    enum err err = take_held(tx, portion, &sums);

    if (err != OK) {
        return err;
    }
    int64_t n_days = portion->to_day -
                     least(portion->to_day, cost_values_day(portion->account, portion->held_day));
    *meter_days += n_days * portion->account->n_meters;
    out->is_too_much = *meter_days > COST_MAX_METER_DAYS;
    if (portion->held_day < portion->to_day && !out->is_too_much) {
        err = add_rest(tx, portion, &sums);
    }
    add_devices(portion->account, &sums, out);
    return err;
}

enum err cost_devices_load(struct db_tx *tx, const struct cost_query *query,
                           struct cost_devices *out)
{
    struct op *op = db_op(tx);
    struct cost_place_states states;
    struct cost_accounts accounts;
    int64_t meter_days = 0;
    size_t most = 1;
    enum err err = cost_accounts_lay_out(tx, query, &states, &accounts);

    for (int i = 0; err == OK && i < accounts.n; i++) {
        most += (size_t)accounts.items[i].n_meters;
    }
    *out = (struct cost_devices){ .items = arena_array(op->arena, most, sizeof *out->items) };
    if (err == OK && !out->items) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < accounts.n && !out->is_too_much; i++) {
        struct portion portion = portion_of(query, &states, &accounts.items[i]);
        err = add_account(tx, &portion, &meter_days, out);
    }
    out->n = out->is_too_much ? 0 : out->n;
    qsort(out->items, (size_t)out->n, sizeof *out->items, compare);
    return err;
}
