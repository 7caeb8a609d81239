/* /costs/what-if: what a place's own history would have cost under each of several schedules, side
 * by side, the cheapest marked. */
#include "web/page_costs.h"

#include "domain/rate_assignment.h"
#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "gen/templates.h"
#include "view/format_money.h"
#include "view/model_bill.h"
#include "view/model_parts.h"
#include "web/bill_input.h"
#include "web/bill_write.h"
#include "web/page.h"
#include "web/what_if.h"

#include <string.h>

#define MAX_SHOWN 100   /* schedules to choose from */
#define MAX_COMPARED 10 /* at once, as POST /v1/rate-schedules/compare */
#define DEFAULT_COMPARED 4
#define DEFAULT_DAYS 30

/* What a schedule comes to. */
struct choice {
    struct what_if_row *row;
    struct bill_sum sum;
    bool is_rated;
};

struct comparison {
    struct place place;
    struct bill_days days;
    struct cost_memo memo;  /* the energy is read once */
    struct what_if_row *rows;
    struct choice *choices; /* one a row */
    int n;
};

/* ---- which ---- */

static bool is_asked(const struct web *web, int32_t id, bool *is_any)
{
    bool is_found = false;

    for (int i = 0; i < web->request->n_query; i++) {
        const struct http_param *param = &web->request->query[i];
        long long number = 0;
        if (str_equal(param->name, STR("schedule"))) {
            *is_any = true;
            is_found = is_found || (str_to_int64(param->value, &number) && number == id);
        }
    }
    return is_found;
}

static enum err list_schedules(struct web *web, struct comparison *all)
{
    struct rate_schedule_list list;
    enum err err = rate_schedule_list(web->tx, 0, MAX_SHOWN, &list);
    int n_chosen = 0;

    if (err != OK) {
        return err;
    }
    all->n = list.n;
    all->rows = arena_array(web->op->arena, (size_t)list.n + 1, sizeof *all->rows);
    all->choices = arena_array(web->op->arena, (size_t)list.n + 1, sizeof *all->choices);
    if (!all->rows || !all->choices) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < list.n; i++) {
        bool is_any = false;
        bool is_chosen = is_asked(web, list.items[i].id, &is_any) ||
                         (!is_any && i < DEFAULT_COMPARED);
        is_chosen = is_chosen && n_chosen < MAX_COMPARED;
        n_chosen += is_chosen;
        all->rows[i] = (struct what_if_row){
            .id = list.items[i].id, .name = list.items[i].name,
            .currency = list.items[i].newest.currency, .is_chosen = is_chosen,
        };
        all->choices[i].row = &all->rows[i];
    }
    return OK;
}

static void mark(struct comparison *all, int32_t schedule_id)
{
    for (int i = 0; i < all->n; i++) {
        all->rows[i].is_now = all->rows[i].is_now || all->rows[i].id == schedule_id;
    }
}

/* Marks what is assigned anywhere: of all sites together there is no one schedule. */
static enum err mark_assigned(struct web *web, struct comparison *all)
{
    struct rate_assignment_list list;
    enum err err = rate_assignment_list(web->tx, 0, false, &list);

    for (int i = 0; err == OK && i < list.n; i++) {
        mark(all, list.items[i].schedule_id);
    }
    return err;
}

/* Marks what is in force there on the last of the days. */
static enum err mark_applied(struct web *web, struct comparison *all)
{
    const struct cost_query *query = &all->days.query;
    const char *day = span_day_text(web->op->arena, query->to.day - 1);
    const char *next = span_day_text(web->op->arena, query->to.day);
    const struct rate_place place = { query->site, query->device, str_of(day), str_of(next) };
    struct rate_applied_list applied;
    enum err err = rate_applied_list(web->tx, &place, COST_LATEST, &applied);

    for (int i = 0; err == OK && i < applied.n; i++) {
        mark(all, applied.items[i].schedule_id);
    }
    return err;
}

/* ---- what they come to ---- */

static enum err rate_choice(struct web *web, struct comparison *all, struct choice *choice)
{
    struct cost_query query = all->days.query;
    struct cost_accounts accounts;

    query.schedule_id = (int32_t)choice->row->id;
    query.memo = &all->memo;
    enum err err = cost_load(web->tx, &query, &accounts);
    if (err == OK) {
        err = bill_sum(web, &accounts, &choice->sum);
    }
    if (err == ERR_INVALID) {
        choice->row->problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        op_clear_fault(web->op);
        return OK;
    }
    if (err != OK) {
        return err;
    }
    choice->is_rated = true;
    choice->row->n_parts = accounts.n;
    choice->row->total =
        format_money(web->op->arena, choice->sum.total, choice->sum.decimals, choice->sum.currency);
    return bill_parts(web->op->arena, &accounts, choice->sum.bills, &choice->row->parts)
               ? OK
               : fail_memory(web->op);
}

/* The greatest total of the choices in that currency. */
static const struct bill_sum *dearest_of(const struct what_if *all, const char *currency)
{
    const struct bill_sum *found = NULL;

    for (int i = 0; i < all->n; i++) {
        const struct bill_sum *sum = all->sums[i];
        if (sum && strcmp(sum->currency, currency) == 0 &&
            (!found || money_compare(sum->total, found->total) > 0)) {
            found = sum;
        }
    }
    return found;
}

static const char *more_words(struct arena *arena, const struct bill_sum *sum,
                              const struct bill_sum *cheapest)
{
    struct money more = money_subtract(sum->total, cheapest->total);
    const char *text = format_money(arena, more, sum->decimals, sum->currency);
    const char *change = format_change(arena, sum->total, cheapest->total);

    return change ? arena_printf(arena, "+%s (%s)", text, change)
                  : arena_printf(arena, "+%s", text);
}

static void compare_row(struct arena *arena, const struct what_if *all, int at,
                        struct what_if_row *row)
{
    const struct bill_sum *sum = all->sums[at];
    const struct bill_sum *cheapest = what_if_cheapest(all, sum->currency);

    row->lacks = what_if_lack(arena, all, at);
    row->percent = format_part(arena, sum->total, dearest_of(all, sum->currency)->total);
    if (row->lacks || !cheapest) {
        return;
    }
    row->is_cheapest = money_compare(sum->total, cheapest->total) == 0;
    row->more = row->is_cheapest ? NULL : more_words(arena, sum, cheapest);
}

static bool compare(struct arena *arena, const struct comparison *all)
{
    const struct bill_sum **sums = arena_array(arena, (size_t)all->n + 1, sizeof *sums);
    const struct what_if side_by_side = { .sums = sums, .n = all->n };

    for (int i = 0; sums && i < all->n; i++) {
        sums[i] = all->choices[i].is_rated ? &all->choices[i].sum : NULL;
    }
    for (int i = 0; sums && i < all->n; i++) {
        if (sums[i]) {
            compare_row(arena, &side_by_side, i, all->choices[i].row);
        }
    }
    return sums != NULL;
}

/* Thirty days that are over, where no days are asked for. */
static void set_days(struct comparison *all)
{
    struct cost_query *query = &all->days.query;
    int64_t today = span_day_of(&all->place.zone, query->now_us);

    if (query->to.kind != BOUND_DAY) {
        query->to = (struct cost_bound){ .kind = BOUND_DAY, .day = today };
    }
    if (query->from.kind != BOUND_DAY || query->from.day >= query->to.day) {
        query->from = (struct cost_bound){ .kind = BOUND_DAY,
                                           .day = query->to.day - DEFAULT_DAYS };
    }
}

static enum err load(struct web *web, struct comparison *all)
{
    enum err err = bill_input(web, &all->place, &all->days);

    if (err == OK) {
        set_days(all);
        err = list_schedules(web, all);
    }
    if (err == OK) {
        bool is_one_place = all->place.site || all->place.device;
        err = is_one_place ? mark_applied(web, all) : mark_assigned(web, all);
    }
    for (int i = 0; err == OK && i < all->n; i++) {
        if (all->rows[i].is_chosen && !all->days.error) {
            err = rate_choice(web, all, &all->choices[i]);
        }
    }
    if (err == OK && !compare(web->op->arena, all)) {
        err = fail_memory(web->op);
    }
    return err;
}

/* ---- the page ---- */

static void fill(struct web *web, const struct comparison *all, struct what_if_view *view)
{
    struct arena *arena = web->op->arena;
    const struct cost_query *query = &all->days.query;
    int64_t n_missing = 0;

    view->where = place_words(arena, &all->place);
    view->span = days_name(arena, query->from.day, query->to.day - 1);
    view->from = all->days.from ? all->days.from : span_day_text(arena, query->from.day);
    view->to = all->days.to ? all->days.to : span_day_text(arena, query->to.day - 1);
    view->dates_error = all->days.error;
    view->rows = all->rows;
    view->n_rows = all->n;
    for (int i = 0; i < all->n; i++) {
        view->n_compared += all->choices[i].is_rated;
        n_missing = all->choices[i].is_rated ? all->choices[i].sum.n_missing : n_missing;
    }
    if (n_missing > 0) {
        view->note = arena_printf(arena, "%lld quarter hours of this time were not measured: they "
                                         "count as nothing in each of them.", (long long)n_missing);
    }
}

enum err page_what_if(struct web *web)
{
    struct comparison *all = arena_alloc(web->op->arena, sizeof *all);
    struct what_if_view *view = arena_alloc(web->op->arena, sizeof *view);

    if (!all || !view) {
        return fail_memory(web->op);
    }
    enum err err = load(web, all);
    if (err == OK) {
        err = place_form(web, &all->place, "/costs/what-if", &view->place);
    }
    if (err != OK) {
        return err;
    }
    fill(web, all, view);
    if (all->days.error) {
        web->response->status = 422;
    }
    view->page = page_view(web, "What if", "/costs/what-if");
    page_is_html(web);
    tpl_page_what_if(&web->response->body, view);
    return OK;
}
