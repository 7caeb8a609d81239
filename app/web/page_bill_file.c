/* /costs/compare: a utility's Green Button file, sent by a form, beside what was measured and rated
 * here: totals, billing periods, and the intervals that differ. Nothing of it is kept. */
#include "web/page_costs.h"

#include "domain/cost_list.h"
#include "gen/templates.h"
#include "view/format_money.h"
#include "view/model_bill.h"
#include "view/model_parts.h"
#include "web/bill_file_load.h"
#include "web/page.h"
#include "web/place_input.h"

#define LINES_SHOWN 300

static const char NONE[] = "–";

static const char *kwh_words(struct arena *arena, struct quantity quantity)
{
    const char *number = format_nano(arena, quantity, 3);

    return number ? arena_printf(arena, "%s" FORMAT_NBSP "kWh", number) : NULL;
}

static const char *money_words(struct arena *arena, const struct bill_file_loaded *loaded,
                               struct money amount, int more)
{
    const char *currency = loaded->currency ? loaded->currency : loaded->file.currency;

    return format_money(arena, amount, (loaded->currency ? loaded->decimals : 2) + more, currency);
}

static struct quantity less(struct quantity a, struct quantity b)
{
    return (struct quantity){ a.nano - b.nano };
}

/* ---- totals ---- */

static struct pair_row energy_pair(struct arena *arena, const char *name, struct quantity file,
                                   struct quantity ours)
{
    return (struct pair_row){ name, kwh_words(arena, file), kwh_words(arena, ours),
                              kwh_words(arena, less(ours, file)) };
}

static struct pair_row money_pair(struct arena *arena, const struct bill_file_loaded *loaded,
                                  const char *name, struct money file, struct money ours)
{
    return (struct pair_row){ name, money_words(arena, loaded, file, 0),
                              money_words(arena, loaded, ours, 0),
                              money_words(arena, loaded, money_subtract(ours, file), 0) };
}

static bool add_totals(struct arena *arena, const struct bill_file_loaded *loaded,
                       struct bill_file_view *view)
{
    const struct bill_comparison *comparison = &loaded->comparison;
    struct pair_row *rows =
        arena_array(arena, 3 + 2 * (size_t)comparison->n_sums, sizeof *rows);
    int n = 0;

    if (!rows) {
        return false;
    }
    if (comparison->n > 0) {
        rows[n++] = energy_pair(arena, "Drawn, all intervals that can be compared",
                                comparison->file_import, comparison->import);
    }
    if (comparison->file_export.nano != 0 || comparison->export.nano != 0) {
        rows[n++] = energy_pair(arena, "Fed in", comparison->file_export, comparison->export);
    }
    if (comparison->n_costs > 0) {
        rows[n++] = money_pair(arena, loaded, "Costs of these intervals", comparison->file_cost,
                               comparison->cost);
    }
    for (int i = 0; i < comparison->n_sums; i++) {
        const struct bill_compared_sum *sum = &comparison->sums[i];
        const char *days = days_name(arena, sum->from_day, sum->to_day - 1);
        if (sum->summary->has_energy) {
            rows[n++] = energy_pair(arena, arena_printf(arena, "Billing period %s", days),
                                    (struct quantity){ sum->summary->nkwh }, sum->energy);
        }
        if (sum->summary->has_bill && sum->has_total && loaded->currency) {
            rows[n++] = money_pair(arena, loaded, arena_printf(arena, "Bill of %s", days),
                                   money_of_nano(sum->summary->bill), sum->total);
        }
    }
    view->totals = rows;
    view->n_totals = n;
    return true;
}

/* ---- bills line by line ---- */

/* Those of all accounts: "Energy, Peak" and its amount. */
static bool add_ours(struct arena *arena, const struct bill_file_loaded *loaded,
                     const struct bill_compared_sum *sum, struct file_bill_row *rows)
{
    const struct bill_part *parts;
    int n = 0;

    if (!sum->has_total || !loaded->currency) {
        return true;
    }
    if (!bill_parts(arena, &loaded->accounts, sum->bills, &parts)) {
        return false;
    }
    for (int i = 0; i < loaded->accounts.n; i++) {
        for (int j = 0; j < parts[i].n_rows; j++, n++) {
            const struct bill_row *row = &parts[i].rows[j];
            rows[n].ours =
                row->when ? arena_printf(arena, "%s, %s", row->charge, row->when) : row->charge;
            rows[n].amount = row->amount;
        }
    }
    return true;
}

static int lines_of(const struct bill_file_loaded *loaded, const struct bill_compared_sum *sum)
{
    size_t n = 0;

    for (int i = 0; sum->has_total && loaded->currency && i < loaded->accounts.n; i++) {
        n += sum->bills[i].n_lines;
    }
    return (int)n > sum->summary->n_details ? (int)n : sum->summary->n_details;
}

static bool add_bill(struct arena *arena, const struct bill_file_loaded *loaded,
                     const struct bill_compared_sum *sum, struct file_bill *out)
{
    int n = lines_of(loaded, sum);
    struct file_bill_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);

    if (!rows) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        rows[i] = (struct file_bill_row){ "", "", "", "" };
    }
    for (int i = 0; i < sum->summary->n_details; i++) {
        const struct bill_detail *detail = &sum->summary->details[i];
        rows[i].file = detail->name[0] != '\0' ? detail->name : NONE;
        rows[i].file_amount = money_words(arena, loaded, money_of_nano(detail->amount), 0);
    }
    *out = (struct file_bill){ days_name(arena, sum->from_day, sum->to_day - 1), rows, n };
    return add_ours(arena, loaded, sum, rows);
}

static bool add_bills(struct arena *arena, const struct bill_file_loaded *loaded,
                      struct bill_file_view *view)
{
    const struct bill_comparison *comparison = &loaded->comparison;
    struct file_bill *bills = arena_array(arena, (size_t)comparison->n_sums + 1, sizeof *bills);
    bool is_good = bills != NULL;

    for (int i = 0; is_good && i < comparison->n_sums; i++) {
        if (comparison->sums[i].summary->n_details > 0) {
            is_good = add_bill(arena, loaded, &comparison->sums[i], &bills[view->n_bills++]);
        }
    }
    view->bills = bills;
    return is_good;
}

/* ---- intervals ---- */

static struct file_line line_of(struct arena *arena, const struct place *place,
                                const struct bill_file_loaded *loaded,
                                const struct bill_compared *line)
{
    const struct bill_reading *reading = line->reading;
    int64_t end_us = reading->start_us + reading->duration_s * US_PER_SECOND;
    bool is_compared = line->match == BILL_DIFFERS;

    return (struct file_line){
        .time = reading->duration_s < 20 * 3600
                    ? span_name(arena, &place->zone, reading->start_us, end_us,
                                zone_changes(&place->zone, reading->start_us - US_PER_DAY,
                                             end_us + US_PER_DAY))
                    : format_moment(arena, &place->zone, reading->start_us),
        .direction = reading->is_export ? "fed in" : "drawn",
        .file_energy = kwh_words(arena, (struct quantity){ reading->nkwh }),
        .energy = is_compared ? kwh_words(arena, line->energy)
                  : line->match == BILL_ABSENT ? "not measured"
                                               : "not on quarter hours",
        .file_cost = reading->has_cost
                         ? money_words(arena, loaded, money_of_nano(reading->cost), 3)
                         : NONE,
        .cost = is_compared && line->has_cost ? money_words(arena, loaded, line->cost, 3) : NONE,
    };
}

static bool add_lines(struct arena *arena, const struct place *place,
                      const struct bill_file_loaded *loaded, struct bill_file_view *view)
{
    const struct bill_comparison *comparison = &loaded->comparison;
    struct file_line *lines = arena_array(arena, LINES_SHOWN, sizeof *lines);

    for (int i = 0; lines && i < comparison->n; i++) {
        if (comparison->lines[i].match == BILL_SAME) {
            continue;
        }
        if (view->n_lines < LINES_SHOWN) {
            lines[view->n_lines++] = line_of(arena, place, loaded, &comparison->lines[i]);
        } else {
            view->n_more++;
        }
    }
    view->lines = lines;
    return lines != NULL;
}

static void add_words(struct arena *arena, const struct bill_file_loaded *loaded,
                      struct bill_file_view *view)
{
    const int *counts = loaded->comparison.counts;

    view->has_result = true;
    view->is_same = counts[BILL_DIFFERS] == 0 && counts[BILL_ABSENT] == 0;
    view->summary =
        arena_printf(arena,
                     "%d of %d intervals are the same, %d differ, %d were not measured here.",
                     counts[BILL_SAME], loaded->comparison.n, counts[BILL_DIFFERS],
                     counts[BILL_ABSENT]);
    if (loaded->file.n_ignored > 0) {
        view->ignored = arena_printf(arena, "%d entries of the file are of other things than "
                                            "energy, or repeated, and were left out.",
                                     loaded->file.n_ignored);
    }
}

/* ---- the page ---- */

static enum err show(struct web *web, const struct place *place, struct bill_file_view *view)
{
    enum err err = place_form(web, place, "/costs/compare", &view->place);

    if (err != OK) {
        return err;
    }
    view->where = place_words(web->op->arena, place);
    view->page = page_view(web, "Utility’s file", "/costs/compare");
    page_is_html(web);
    tpl_page_bill_file(&web->response->body, view);
    return OK;
}

enum err page_bill_file(struct web *web)
{
    struct bill_file_view view = { .has_result = false };
    struct place place;
    enum err err = place_read(web, COST_LAST_DAY, &place);

    return err == OK ? show(web, &place, &view) : err;
}

static struct str form_key(const struct web *web, const char *name)
{
    struct str key = str_trim(web_form(web, name));

    return key.len > 0 ? key : (struct str){ NULL, 0 };
}

enum err page_bill_file_post(struct web *web)
{
    struct bill_file_loaded *loaded = arena_alloc(web->op->arena, sizeof *loaded);
    struct bill_file_view view = { .has_result = false };
    const struct str site = form_key(web, "site");
    struct place place;

    if (!loaded) {
        return fail_memory(web->op);
    }
    enum err err = place_read_of(web, site, (struct str){ NULL, 0 }, &place);
    if (err == OK) {
        err = bill_file_load(web, &place.query, web_form(web, "file"), loaded);
    }
    if (err == ERR_INVALID) {
        view.problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        op_clear_fault(web->op);
        web->response->status = 422;
        return show(web, &place, &view);
    }
    if (err != OK) {
        return err;
    }
    add_words(web->op->arena, loaded, &view);
    if (!add_totals(web->op->arena, loaded, &view) ||
        !add_bills(web->op->arena, loaded, &view) ||
        !add_lines(web->op->arena, &place, loaded, &view)) {
        return fail_memory(web->op);
    }
    return show(web, &place, &view);
}
