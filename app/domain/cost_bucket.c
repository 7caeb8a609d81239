/* Folds rated quarter hours and days into buckets. Called by the API. */
#include "domain/cost_bucket.h"

#include "domain/cost_day.h"
#include "domain/span.h"

#include <string.h>

struct folding {
    struct op *op;
    const struct cost_account *account;
    struct cost_buckets *out;
    int at; /* the bucket looked at last: times ascend */
    enum err err;
};

/* The bucket that a time lies in; NULL: none. */
static struct cost_bucket *bucket_at(struct folding *folding, int64_t time_us)
{
    struct cost_buckets *all = folding->out;

    while (folding->at < all->n && all->items[folding->at].to_us <= time_us) {
        folding->at++;
    }
    bool is_in = folding->at < all->n && all->items[folding->at].from_us <= time_us;
    return is_in ? &all->items[folding->at] : NULL;
}

static struct cost_period *period_in(struct folding *folding, struct cost_bucket *bucket,
                                     const struct tariff_name *period)
{
    struct arena *arena = folding->op->arena;

    for (int i = 0; i < bucket->n_periods; i++) {
        if (strcmp(bucket->periods[i].name, period->name) == 0) {
            return &bucket->periods[i];
        }
    }
    size_t n = (size_t)bucket->n_periods;
    struct cost_period *periods =
        arena_resize(arena, bucket->periods, n * sizeof *periods, (n + 1) * sizeof *periods);
    if (!periods) {
        folding->err = fail_memory(folding->op);
        return NULL;
    }
    bucket->periods = periods;
    periods[n] = (struct cost_period){
        .name = arena_copy(arena, str_of(period->name)),
        .title = period->title ? arena_copy(arena, str_of(period->title)) : NULL,
    };
    if (!periods[n].name || (period->title && !periods[n].title)) {
        folding->err = fail_memory(folding->op);
        return NULL;
    }
    return &periods[bucket->n_periods++];
}

/* ---- quarter hours ---- */

static int day_index(const struct cost_account *account, int64_t time_us)
{
    return (int)(span_day_of(&account->zone, time_us) - account->input.from_day);
}

static void add_slot(struct folding *folding, const struct rating_interval *interval,
                     const struct rating_slot *slot, int version, struct cost_bucket *bucket)
{
    const struct cost_account *account = folding->account;

    bucket->is_known = true;
    bucket->import = quantity_add(bucket->import, interval->import_nkwh);
    bucket->export = quantity_add(bucket->export, interval->export_nkwh);
    if (version < 0 || slot->period == TARIFF_ANY) {
        return;
    }
    const struct tariff *tariff = tariff_of(account->rates.versions[version].plan);
    struct cost_period *period = period_in(folding, bucket, &tariff->periods[slot->period]);
    if (period) {
        period->import = quantity_add(period->import, interval->import_nkwh);
        period->cost = money_add(period->cost, slot->import);
    }
    bucket->cost = money_add(bucket->cost, money_add(slot->import, slot->export));
    bucket->exported = money_add(bucket->exported, slot->export);
}

static void add_slots(struct folding *folding)
{
    const struct cost_account *account = folding->account;
    const struct rating_input *input = &account->input;
    int n_days = (int)(input->to_day - input->from_day);
    int first_day = account->ledger_day > input->from_day
                        ? (int)(account->ledger_day - input->from_day)
                        : 0;

    folding->at = 0;
    for (size_t i = 0; i < input->n_intervals && folding->err == OK; i++) {
        const struct rating_interval *interval = &input->intervals[i];
        struct cost_bucket *bucket = bucket_at(folding, interval->start_us);
        int day = day_index(account, interval->start_us);
        if (bucket && day >= first_day && day < n_days) {
            add_slot(folding, interval, &account->rating.slots[i],
                     account->rating.days[day].version, bucket);
        }
    }
}

/* ---- days ---- */

/* What a day costs beside what its quarter hours do. */
struct rest {
    struct money all, once;
};

static bool is_once(const struct cost_account *account, const struct rating_line *line)
{
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
    const struct tariff_charge *charge = &tariff->charges[line->charge];

    return charge->kind == CHARGE_DEMAND || charge->kind == CHARGE_MINIMUM ||
           (charge->kind == CHARGE_FIXED && charge->per == PER_DATE);
}

/* Lines less slots. `line` and `slot` walk on from day to day. */
static struct rest rest_of(const struct cost_account *account, int64_t day, int64_t end_us,
                           size_t *line, size_t *slot)
{
    const struct rating *rating = &account->rating;
    const struct rating_input *input = &account->input;
    struct rest rest = { { 0 }, { 0 } };

    for (; *line < rating->n_lines && rating->lines[*line].day <= day; ++*line) {
        const struct rating_line *at = &rating->lines[*line];
        rest.all = money_add(rest.all, at->amount);
        if (is_once(account, at)) {
            rest.once = money_add(rest.once, at->amount);
        }
    }
    for (; *slot < input->n_intervals && input->intervals[*slot].start_us < end_us; ++*slot) {
        rest.all = money_subtract(rest.all, rating->slots[*slot].import);
        rest.all = money_subtract(rest.all, rating->slots[*slot].export);
    }
    return rest;
}

/* Spreads the rest over the quarter hours of a day, and notes what is not whole. */
static void add_day(struct folding *folding, const struct rating_day *day, int64_t from_us,
                    int64_t to_us, struct rest rest)
{
    const struct cost_account *account = folding->account;
    int n = (int)((to_us - from_us) / COST_QUARTER_US);

    for (int i = 0; i < n; i++) {
        int64_t at_us = from_us + i * COST_QUARTER_US;
        struct cost_bucket *bucket = bucket_at(folding, at_us);
        if (!bucket) {
            continue;
        }
        bool is_due = at_us + COST_QUARTER_US <= account->input.known_until_us;
        if (is_due && (cost_known_at(account, at_us) != COST_WHOLE || day->version < 0)) {
            bucket->is_final = false;
        }
        bucket->is_priced = bucket->is_priced || day->version >= 0;
        bucket->is_known = bucket->is_known || money_sign(rest.all) != 0;
        bucket->cost = money_add(bucket->cost, money_part(rest.all, i, n));
        bucket->once = money_add(bucket->once, money_part(rest.once, i, n));
    }
}

/* Adds one bucket to another, which it lies in. */
static void add_bucket(struct folding *folding, const struct cost_bucket *from,
                       struct cost_bucket *to)
{
    to->import.nano += from->import.nano;
    to->export.nano += from->export.nano;
    to->cost = money_add(to->cost, from->cost);
    to->exported = money_add(to->exported, from->exported);
    to->once = money_add(to->once, from->once);
    to->is_known = to->is_known || from->is_known;
    to->is_priced = to->is_priced || from->is_priced;
    to->is_final = to->is_final && from->is_final;
    for (int i = 0; i < from->n_periods; i++) {
        const struct cost_period *part = &from->periods[i];
        const struct tariff_name name = { part->name, part->title };
        struct cost_period *period = period_in(folding, to, &name);
        if (period) {
            period->import.nano += part->import.nano;
            period->cost = money_add(period->cost, part->cost);
        }
    }
}

/* The days that were taken from the ledger. */
static void add_ledger(struct folding *folding)
{
    const struct cost_days *days = folding->account->ledger;

    folding->at = 0;
    for (int i = 0; days && i < days->n && folding->err == OK; i++) {
        struct cost_bucket *bucket = bucket_at(folding, days->items[i].bucket.from_us);
        if (bucket) {
            add_bucket(folding, &days->items[i].bucket, bucket);
        }
    }
}

static void add_days(struct folding *folding)
{
    const struct cost_account *account = folding->account;
    const struct rating_input *input = &account->input;
    size_t line = 0, slot = 0;

    folding->at = 0;
    for (int64_t day = input->from_day; day < input->to_day; day++) {
        int64_t from_us = span_day_start(&account->zone, day);
        int64_t to_us = span_day_start(&account->zone, day + 1);
        while (slot < input->n_intervals && input->intervals[slot].start_us < from_us) {
            slot++; /* before the first day */
        }
        struct rest rest = rest_of(account, day, to_us, &line, &slot);
        if (account->is_valued) {
            rest = (struct rest){ { 0 }, { 0 } };
        }
        if (day >= account->ledger_day) {
            add_day(folding, &account->rating.days[day - input->from_day], from_us, to_us, rest);
        }
    }
}

enum err cost_fold_begin(struct op *op, const struct zone_starts *edges, int64_t now_us,
                         struct cost_buckets *out)
{
    int n = edges->n > 0 ? edges->n - 1 : 0;

    *out = (struct cost_buckets){ arena_array(op->arena, (size_t)n + 1, sizeof *out->items), n };
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        out->items[i] = (struct cost_bucket){ .from_us = edges->us[i],
                                              .to_us = edges->us[i + 1],
                                              .is_final = edges->us[i + 1] <= now_us };
    }
    return OK;
}

enum err cost_fold_add(struct op *op, const struct cost_account *account, struct cost_buckets *out)
{
    struct folding folding = { .op = op, .account = account, .out = out };

    add_ledger(&folding);
    add_slots(&folding);
    add_days(&folding);
    return folding.err;
}

enum err cost_fold(struct op *op, const struct cost_accounts *accounts,
                   const struct zone_starts *edges, int64_t now_us, struct cost_buckets *out)
{
    enum err err = cost_fold_begin(op, edges, now_us, out);

    for (int i = 0; err == OK && i < accounts->n; i++) {
        err = cost_fold_add(op, &accounts->items[i], out);
    }
    return err;
}
