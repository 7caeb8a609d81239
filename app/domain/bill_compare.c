/* Compares a utility's file with what was measured. Called by the page and the API of it. */
#include "domain/bill_compare.h"

#include "domain/span.h"

static void widen(int64_t start_us, int32_t duration_s, int64_t *from_us, int64_t *to_us)
{
    int64_t end_us = start_us + duration_s * US_PER_SECOND;

    *from_us = start_us < *from_us ? start_us : *from_us;
    *to_us = end_us > *to_us ? end_us : *to_us;
}

void bill_file_span(const struct bill_file *file, int64_t *from_us, int64_t *to_us)
{
    *from_us = INT64_MAX;
    *to_us = INT64_MIN;
    for (int i = 0; i < file->n_readings; i++) {
        widen(file->readings[i].start_us, file->readings[i].duration_s, from_us, to_us);
    }
    for (int i = 0; i < file->n_summaries; i++) {
        widen(file->summaries[i].start_us, file->summaries[i].duration_s, from_us, to_us);
    }
}

/* ---- our quarter hours ---- */

/* All accounts together, by quarter hour. */
struct quarters {
    int64_t start_us;
    size_t n;
    struct quantity *import, *export;
    struct money *cost, *exported;
    int *n_known, *n_priced; /* accounts that know it, and whose schedule prices it */
    int n_accounts;          /* that tell anything at all */
};

static bool is_known(const struct quarters *quarters, int64_t at)
{
    return at >= 0 && at < (int64_t)quarters->n && quarters->n_known[at] > 0 &&
           quarters->n_known[at] == quarters->n_accounts;
}

static bool make_room(struct op *op, const struct cost_accounts *accounts, struct quarters *out)
{
    int64_t from_us = INT64_MAX, to_us = INT64_MIN;

    for (int i = 0; i < accounts->n; i++) {
        const struct cost_energy *energy = &accounts->items[i].energy;
        int64_t end_us = energy->start_us + (int64_t)energy->n * COST_QUARTER_US;
        from_us = energy->start_us < from_us ? energy->start_us : from_us;
        to_us = end_us > to_us ? end_us : to_us;
    }
    out->start_us = from_us;
    out->n = to_us > from_us ? (size_t)((to_us - from_us) / COST_QUARTER_US) : 0;
    out->import = arena_array(op->arena, out->n + 1, sizeof *out->import);
    out->export = arena_array(op->arena, out->n + 1, sizeof *out->export);
    out->cost = arena_array(op->arena, out->n + 1, sizeof *out->cost);
    out->exported = arena_array(op->arena, out->n + 1, sizeof *out->exported);
    out->n_known = arena_array(op->arena, out->n + 1, sizeof *out->n_known);
    out->n_priced = arena_array(op->arena, out->n + 1, sizeof *out->n_priced);
    return out->import && out->export && out->cost && out->exported && out->n_known &&
           out->n_priced;
}

static void add_account(const struct cost_account *account, struct quarters *out)
{
    const struct rating_input *input = &account->input;

    out->n_accounts += input->n_intervals > 0;
    for (size_t i = 0; i < input->n_intervals; i++) {
        const struct rating_interval *interval = &input->intervals[i];
        const struct rating_slot *slot = &account->rating.slots[i];
        size_t at = (size_t)((interval->start_us - out->start_us) / COST_QUARTER_US);
        if (interval->start_us < out->start_us || at >= out->n) {
            continue;
        }
        out->import[at] = quantity_add(out->import[at], interval->import_nkwh);
        out->export[at] = quantity_add(out->export[at], interval->export_nkwh);
        out->cost[at] = money_add(out->cost[at], slot->import);
        out->exported[at] = money_add(out->exported[at], slot->export);
        out->n_known[at]++;
        out->n_priced[at] += slot->period != TARIFF_ANY;
    }
}

/* ---- interval by interval ---- */

static bool is_near(struct money a, struct money b, struct money slack)
{
    struct money difference = money_subtract(a, b);

    difference = money_sign(difference) < 0 ? money_subtract(b, a) : difference;
    return money_compare(difference, slack) <= 0;
}

static bool is_even(const struct bill_reading *reading)
{
    int64_t length_us = reading->duration_s * US_PER_SECOND;

    return reading->start_us % COST_QUARTER_US == 0 && length_us % COST_QUARTER_US == 0;
}

static void add_quarters(const struct quarters *quarters, struct bill_compared *line)
{
    const struct bill_reading *reading = line->reading;
    int64_t n = reading->duration_s * US_PER_SECOND / COST_QUARTER_US;
    int64_t first = (reading->start_us - quarters->start_us) / COST_QUARTER_US;

    line->has_cost = true;
    for (int64_t i = first; i < first + n; i++) {
        if (reading->start_us < quarters->start_us || !is_known(quarters, i)) {
            line->match = BILL_ABSENT;
            line->has_cost = false;
            return;
        }
        line->energy.nano += reading->is_export ? quarters->export[i].nano
                                                : quarters->import[i].nano;
        line->cost = money_add(line->cost, reading->is_export ? quarters->exported[i]
                                                              : quarters->cost[i]);
        line->has_cost = line->has_cost && quarters->n_priced[i] == quarters->n_accounts;
    }
}

static void compare_line(const struct quarters *quarters, struct bill_compared *line)
{
    const struct bill_reading *reading = line->reading;

    if (!is_even(reading)) {
        line->match = BILL_UNEVEN;
        return;
    }
    add_quarters(quarters, line);
    if (line->match == BILL_ABSENT) {
        return;
    }
    bool is_energy = is_near((struct money){ line->energy.nano }, (struct money){ reading->nkwh },
                             (struct money){ (reading->unit_nkwh + 1) / 2 });
    bool is_cost = !line->has_cost || !reading->has_cost ||
                   is_near(line->cost, money_of_nano(reading->cost),
                           money_of_nano(BILL_COST_SLACK));
    line->match = is_energy && is_cost ? BILL_SAME : BILL_DIFFERS;
}

static void add_up(const struct bill_compared *line, struct bill_comparison *out)
{
    const struct bill_reading *reading = line->reading;

    out->counts[line->match]++;
    if (line->match == BILL_ABSENT || line->match == BILL_UNEVEN || reading->is_overlapping) {
        return;
    }
    if (reading->is_export) {
        out->file_export = quantity_add(out->file_export, reading->nkwh);
        out->export.nano += line->energy.nano;
    } else {
        out->file_import = quantity_add(out->file_import, reading->nkwh);
        out->import.nano += line->energy.nano;
    }
    if (reading->has_cost && line->has_cost) {
        out->file_cost = money_add(out->file_cost, money_of_nano(reading->cost));
        out->cost = money_add(out->cost, line->cost);
        out->n_costs++;
    }
}

/* ---- bill by bill ---- */

/* The local days that the billing period touches, by the account's clock. */
static void set_days(const struct cost_account *account, struct bill_compared_sum *sum)
{
    int64_t end_us = sum->summary->start_us + sum->summary->duration_s * US_PER_SECOND;

    sum->from_day = span_day_of(&account->zone, sum->summary->start_us);
    sum->to_day = span_day_of(&account->zone, end_us - 1) + 1;
}

static enum err compare_sum(struct op *op, const struct cost_accounts *accounts,
                            const struct quarters *quarters, struct bill_compared_sum *sum)
{
    enum err err = OK;

    sum->has_total = true;
    sum->bills = arena_array(op->arena, (size_t)accounts->n + 1, sizeof *sum->bills);
    if (!sum->bills) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < accounts->n; i++) {
        const struct cost_account *account = &accounts->items[i];
        const struct rating_input *input = &account->input;
        struct bill *bill = &sum->bills[i];
        set_days(account, sum);
        if (sum->from_day < input->from_day || sum->to_day > input->to_day) {
            sum->has_total = false;
            return OK;
        }
        err = bill_make(op, &account->rating, sum->from_day, sum->to_day, bill);
        sum->total = money_add(sum->total, bill->total);
    }
    int64_t end_us = sum->summary->start_us + sum->summary->duration_s * US_PER_SECOND;
    for (size_t i = 0; err == OK && i < quarters->n; i++) {
        int64_t at_us = quarters->start_us + (int64_t)i * COST_QUARTER_US;
        if (at_us >= sum->summary->start_us && at_us < end_us) {
            sum->energy.nano += quarters->import[i].nano;
        }
    }
    return err;
}

enum err bill_compare(struct op *op, const struct bill_file *file,
                      const struct cost_accounts *accounts, struct bill_comparison *out)
{
    struct quarters quarters = { .n = 0 };
    enum err err = OK;

    *out = (struct bill_comparison){
        .lines = arena_array(op->arena, (size_t)file->n_readings + 1, sizeof *out->lines),
        .n = file->n_readings,
        .sums = arena_array(op->arena, (size_t)file->n_summaries + 1, sizeof *out->sums),
        .n_sums = file->n_summaries,
    };
    if (!out->lines || !out->sums || !make_room(op, accounts, &quarters)) {
        return fail_memory(op);
    }
    for (int i = 0; i < accounts->n; i++) {
        add_account(&accounts->items[i], &quarters);
    }
    for (int i = 0; i < out->n; i++) {
        out->lines[i].reading = &file->readings[i];
        compare_line(&quarters, &out->lines[i]);
        add_up(&out->lines[i], out);
    }
    for (int i = 0; err == OK && i < out->n_sums; i++) {
        out->sums[i].summary = &file->summaries[i];
        err = compare_sum(op, accounts, &quarters, &out->sums[i]);
    }
    return err;
}
