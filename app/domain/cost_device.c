/* Values devices one by one. Called by the page of costs. */
#include "domain/cost_device.h"

#include "domain/cost_parts.h"
#include "domain/span.h"

#include <stdlib.h>
#include <string.h>

/* The device's part of an account: its meters [from, to), rated alone. */
static enum err rate_alone(struct op *op, const struct cost_account *account, int from, int to,
                           struct cost_account *out)
{
    int n = to - from;
    const struct cost_energy *all = &account->energy;
    int64_t end_us = all->start_us + (int64_t)all->n * COST_QUARTER_US;

    *out = *account;
    out->meters = arena_array(op->arena, (size_t)n, sizeof *out->meters);
    if (!out->meters) {
        return fail_memory(op);
    }
    memcpy(out->meters, account->meters + from, (size_t)n * sizeof *out->meters);
    out->n_meters = n;
    cost_keep_device(out);
    if (out->n_meters == 0) {
        return OK;
    }
    const struct cost_meters meters = { out->meters, out->n_meters };
    enum err err =
        cost_energy_make(op, &meters, &out->site_zone, all->start_us, end_us, &out->energy);
    if (err == OK) {
        err = cost_set_intervals(op, out);
    }
    out->input.has_slots = true;
    return err == OK ? rating_run(op, &out->input, &out->rating) : err;
}

/* What it is called: the role that the device had before it was taken for its own account. */
static const char *role_of(const struct cost_account *account, int from, int to,
                           const struct cost_account *alone)
{
    for (int i = from; i < to; i++) {
        if (account->meters[i].series_id == alone->meters[0].series_id) {
            return account->meters[i].role;
        }
    }
    return alone->meters[0].role;
}

static bool add_up(const struct cost_account *alone, int64_t from_us, int64_t to_us,
                   struct cost_device *out)
{
    const struct rating_input *input = &alone->input;
    bool is_known = false;

    for (size_t i = 0; i < input->n_intervals; i++) {
        const struct rating_interval *interval = &input->intervals[i];
        const struct rating_slot *slot = &alone->rating.slots[i];
        if (interval->start_us < from_us || interval->start_us >= to_us) {
            continue;
        }
        is_known = true;
        out->is_priced = out->is_priced || slot->period != TARIFF_ANY;
        out->import = quantity_add(out->import, interval->import_nkwh);
        out->cost = money_add(out->cost, money_add(slot->import, slot->export));
    }
    return is_known;
}

static int compare(const void *left, const void *right)
{
    const struct cost_device *a = left, *b = right;
    int order = money_compare(b->cost, a->cost);

    return order != 0 ? order : strcmp(a->device, b->device);
}

static enum err value_account(struct op *op, const struct cost_account *account, int64_t from_us,
                              int64_t to_us, struct cost_devices *out)
{
    for (int from = 0, to; from < account->n_meters; from = to) {
        const char *device = account->meters[from].device;
        struct cost_account alone;
        for (to = from + 1;
             to < account->n_meters && strcmp(account->meters[to].device, device) == 0;) {
            to++;
        }
        enum err err = rate_alone(op, account, from, to, &alone);
        if (err != OK) {
            return err;
        }
        if (alone.n_meters == 0) {
            continue;
        }
        struct cost_device item = { .device = device, .site = account->meters[from].site,
                                    .role = role_of(account, from, to, &alone) };
        if (add_up(&alone, from_us, to_us, &item)) {
            out->items[out->n++] = item;
        }
    }
    return OK;
}

enum err cost_devices_value(struct op *op, const struct cost_accounts *accounts, int64_t from_us,
                            int64_t to_us, struct cost_devices *out)
{
    size_t most = 1;
    enum err err = OK;

    for (int i = 0; i < accounts->n; i++) {
        most += (size_t)accounts->items[i].n_meters;
    }
    *out = (struct cost_devices){ arena_array(op->arena, most, sizeof *out->items), 0 };
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < accounts->n; i++) {
        err = value_account(op, &accounts->items[i], from_us, to_us, out);
    }
    qsort(out->items, (size_t)out->n, sizeof *out->items, compare);
    return err;
}
