/* /costs/bill: a place's bill for some days, to be printed. */
#include "web/page_costs.h"

#include "domain/cost_counted.h"
#include "domain/span.h"
#include "gen/templates.h"
#include "view/format_money.h"
#include "view/link.h"
#include "view/model_bill.h"
#include "view/model_parts.h"
#include "web/bill_input.h"
#include "web/bill_write.h"
#include "web/page.h"

/* ---- addresses ---- */

static const char *days_link(struct web *web, const char *path, const struct place *place,
                             int64_t from_day, int64_t last_day, const char *as_of)
{
    struct arena *arena = web->op->arena;
    const struct link_param params[] = {
        { "site", place->site },
        { "device", place->device },
        { "from", span_day_text(arena, from_day) },
        { "to", span_day_text(arena, last_day) },
        { "as_of", as_of },
    };
    return link_to(arena, path, params, sizeof params / sizeof *params);
}

static const char *csv_link(struct web *web, const struct place *place,
                            const struct cost_account *first)
{
    struct arena *arena = web->op->arena;
    char as_of[CLOCK_TEXT_SIZE];
    const struct link_param params[] = {
        { "format", "csv" },
        { "site", place->site },
        { "device", place->device },
        { "from", span_day_text(arena, first->from_day) },
        { "to", span_day_text(arena, first->to_day) },
        { "as_of", place->query.as_of_us == COST_LATEST
                       ? NULL
                       : clock_format(place->query.as_of_us, as_of) },
    };
    return link_to(arena, "/v1/bills", params, sizeof params / sizeof *params);
}

/* The bills before and after. */
static void add_neighbours(struct web *web, const struct place *place,
                           const struct cost_account *first, struct bill_view *view)
{
    const struct cost_rates *rates = &first->rates;
    int64_t since_day = cost_bill_since(rates, first->from_day);
    int64_t until_day = cost_bill_until(rates, first->to_day);

    view->previous = days_link(web, "/costs/bill", place, since_day, first->from_day - 1, NULL);
    if (first->to_day <= span_day_of(&first->zone, place->query.now_us)) {
        view->next = days_link(web, "/costs/bill", place, first->to_day, until_day - 1, NULL);
    }
}

/* ---- what it says ---- */

/* What is to be said where the days are no whole bills: of which they are. NULL: they are. */
static const char *part_words(struct arena *arena, const struct cost_account *first)
{
    int64_t since_day = cost_bill_since(&first->rates, first->from_day + 1);
    int64_t until_day = cost_bill_until(&first->rates, first->to_day - 1);

    if (first->is_valued || (since_day == first->from_day && until_day == first->to_day)) {
        return NULL;
    }
    return arena_printf(arena,
                        "Part of what is billed for %s: demand is on the day of the highest, and a "
                        "minimum on the last day of its billing cycle.",
                        days_name(arena, since_day, until_day - 1));
}

static void add_words(struct web *web, const struct place *place, const struct bill_days *days,
                      const struct cost_account *first, struct bill_view *view)
{
    struct arena *arena = web->op->arena;
    bool is_now = place->query.as_of_us >= place->query.now_us;
    int64_t known_us = is_now ? place->query.now_us : place->query.as_of_us;

    view->span = days_name(arena, first->from_day, first->to_day - 1);
    view->part_of = part_words(arena, first);
    view->made = arena_printf(arena, is_now ? "As known on %s"
                                     : "Schedules, assignments and prices as known on %s, energy "
                                       "as known now",
                              format_moment(arena, &first->zone, known_us));
    view->from = days->from ? days->from : span_day_text(arena, first->from_day);
    view->to = days->to ? days->to : span_day_text(arena, first->to_day - 1);
    view->csv = csv_link(web, place, first);
    const struct link_param params[] = { { "site", place->site },
                                         { "device", place->device },
                                         { "at", span_day_text(arena, first->from_day) } };
    view->costs_href = link_to(arena, "/costs", params, 3);
    add_neighbours(web, place, first, view);
}

static void add_status(struct arena *arena, const struct bill_sum *sum, struct bill_view *view)
{
    bool is_final = sum->status == BILL_FINAL;

    view->status = is_final ? "Final" : "Provisional";
    view->status_class = is_final ? "live" : "late";
    view->total = format_money(arena, sum->total, sum->decimals, sum->currency);
    if (sum->n_missing > 0) {
        view->missing = arena_printf(arena, "%lld quarter hours of it were not measured.",
                                     (long long)sum->n_missing);
    }
    if (sum->n_days_unpriced > 0) {
        view->unpriced = arena_printf(arena, "On %d of its days no rate schedule was in force.",
                                      sum->n_days_unpriced);
    }
}

#define NAMED 12 /* series of a sentence */

/* The series that counted, or did not, as a list; "" where there are none. Of those that counted on
 * some of their days it says on how many. */
static const char *sources(struct arena *arena, const struct cost_counted_list *counted,
                           bool has_counted)
{
    const char *words = "";
    int n = 0;

    for (int i = 0; words && i < counted->n; i++) {
        const struct cost_counted *source = &counted->items[i];
        if ((source->n_counted_days > 0) != has_counted || n++ >= NAMED) {
            continue;
        }
        bool is_some = has_counted && source->n_counted_days < source->n_days;
        words = arena_printf(arena, "%s%s%s %s", words, n > 1 ? ", " : "", source->device,
                             source->metric);
        if (words && is_some) {
            words = arena_printf(arena, "%s (on %d of %d days)", words, source->n_counted_days,
                                 source->n_days);
        }
    }
    return words && n > NAMED ? arena_printf(arena, "%s and %d more", words, n - NAMED) : words;
}

static enum err add_sources(struct web *web, const struct cost_accounts *accounts,
                            struct bill_view *view)
{
    struct arena *arena = web->op->arena;
    struct cost_counted_list counted;
    enum err err = cost_counted_load(web->tx, accounts, &counted);

    if (err != OK || counted.n == 0) {
        return err;
    }
    const char *used = sources(arena, &counted, true), *left = sources(arena, &counted, false);
    view->sources = arena_printf(arena, "Counted: %s.%s%s%s", used && used[0] ? used : "nothing",
                                 left && left[0] ? " Not counted: " : "", left ? left : "",
                                 left && left[0] ? "." : "");
    return view->sources ? OK : fail_memory(web->op);
}

static enum err load(struct web *web, const struct place *place, const struct bill_days *days,
                     struct bill_view *view)
{
    struct cost_accounts accounts;
    struct bill_sum sum;
    enum err err = cost_load(web->tx, &days->query, &accounts);

    if (err == OK) {
        err = bill_sum(web, &accounts, &sum);
    }
    if (err != OK) {
        return err;
    }
    if (!bill_parts(web->op->arena, &accounts, sum.bills, &view->parts)) {
        return fail_memory(web->op);
    }
    view->n_parts = accounts.n;
    add_status(web->op->arena, &sum, view);
    add_words(web, place, days, &accounts.items[0], view);
    return add_sources(web, &accounts, view);
}

/* Where nothing can be shown: the form, as it was filled. */
static void explain(struct web *web, const struct bill_days *days, struct bill_view *view)
{
    view->problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
    view->from = days->from ? days->from : "";
    view->to = days->to ? days->to : "";
    op_clear_fault(web->op);
}

enum err page_bill(struct web *web)
{
    struct bill_view *view = arena_alloc(web->op->arena, sizeof *view);
    struct bill_days days;
    struct place place;

    if (!view) {
        return fail_memory(web->op);
    }
    enum err err = bill_input(web, &place, &days);
    if (err == OK) {
        err = load(web, &place, &days, view);
    }
    if (err == ERR_INVALID || err == ERR_CHANGING) {
        explain(web, &days, view);
        err = OK;
    }
    if (err == OK) {
        err = place_form(web, &place, "/costs/bill", &view->place);
    }
    if (err != OK) {
        return err;
    }
    view->where = place_words(web->op->arena, &place);
    view->as_of = days.as_of ? days.as_of : "";
    view->dates_error = days.error;
    if (days.error) {
        web->response->status = 422;
    }
    view->page = page_view(web, "Bill", "/costs/bill");
    page_is_html(web);
    tpl_page_bill(&web->response->body, view);
    return OK;
}
