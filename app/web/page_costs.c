/* /costs: what a place's energy costs by hour, day or month, stacked by rate period; this month so
 * far, what it will come to, and beside others; what each device's part is; and of one day why. */
#include "web/page_costs.h"

#include "domain/span.h"
#include "gen/templates.h"
#include "web/costs_load.h"
#include "web/page.h"

#define BACK_DAYS 398

/* ---- what was asked for ---- */

static enum cost_view read_view(const struct web *web)
{
    struct str text = web_query_text(web, "view");

    for (int v = COSTS_DAY; v <= COSTS_YEAR; v++) {
        if (str_equal(text, str_of(COST_VIEW_NAMES[v]))) {
            return (enum cost_view)v;
        }
    }
    return COSTS_MONTH;
}

static int64_t year_start(int64_t day)
{
    struct clock_fields fields = { .year = clock_split(day * US_PER_DAY).year,
                                   .month = 1,
                                   .day = 1 };

    return clock_join(&fields) / US_PER_DAY;
}

/* The view's days around `at`. */
static void set_days(struct costs_facts *facts, int64_t at)
{
    switch (facts->view) {
    case COSTS_DAY:
        facts->from_day = at;
        facts->to_day = at + 1;
        return;
    case COSTS_MONTH:
        facts->from_day = span_month_of(at);
        facts->to_day = span_month_of(facts->from_day + 31);
        return;
    case COSTS_YEAR:
        facts->from_day = year_start(at);
        facts->to_day = year_start(facts->from_day + 366);
    }
}

static enum err read_query(struct web *web, struct place *place, struct costs_facts *facts)
{
    struct str text = web_query_text(web, "at");
    int64_t at = INT64_MAX;
    bool has_day = text.ptr && span_day_parse(text, &at) && at < COST_LAST_DAY;
    enum err err = place_read(web, has_day ? at - 366 : COST_LAST_DAY, place);

    if (err != OK) {
        return err;
    }
    int64_t today = span_day_of(&place->zone, place->query.now_us);
    *facts = (struct costs_facts){
        .now_us = place->query.now_us,
        .zone = place->zone,
        .site = place->site,
        .device = place->device,
        .view = read_view(web),
        .has_rates_page = web->who->kind == IDENTITY_PERSON && web->who->role == ROLE_ADMIN,
    };
    set_days(facts, has_day && at < today ? at : today);
    return OK;
}

/* ---- what is shown ---- */

static enum err load_view(struct web *web, const struct place *place, struct costs_facts *facts)
{
    struct cost_list days, list;
    enum err err = costs_load_outlook(web, place, true, &days, facts);
    bool is_there = err == OK && facts->view == COSTS_MONTH && days.buckets.n > 0 &&
                    span_day_start(&facts->zone, facts->from_day) >= days.buckets.items[0].from_us;

    if (err != OK) {
        return err;
    }
    if (is_there) {
        facts->buckets = costs_part_of(&days.buckets, facts);
        return OK;
    }
    err = costs_load_buckets(web, place, facts, &list);
    if (err == OK) {
        facts->buckets = list.buckets;
    }
    return err;
}

/* The query of the view's days. */
static struct cost_query of_days(const struct place *place, const struct costs_facts *facts)
{
    struct cost_query query = place->query;

    query.needs_slots = true;
    query.from = (struct cost_bound){ .kind = BOUND_DAY, .day = facts->from_day };
    query.to = (struct cost_bound){ .kind = BOUND_DAY, .day = facts->to_day };
    return query;
}

static enum err value_devices(struct web *web, const struct place *place, struct costs_facts *facts)
{
    const struct cost_query query = of_days(place, facts);
    enum err err = cost_devices_load(web->tx, &query, &facts->devices);

    if (err == OK && facts->devices.is_too_much) {
        facts->devices_note = "There are too many devices here to value them all. Choose a site "
                              "or a device.";
    }
    return err;
}

/* Why the day costs what it does: its lines, and what each series told. */
static enum err explain(struct web *web, const struct place *place, struct costs_facts *facts)
{
    struct arena *arena = web->op->arena;
    struct cost_accounts *accounts = arena_alloc(arena, sizeof *accounts);
    const struct cost_query query = of_days(place, facts);

    if (!accounts) {
        return fail_memory(web->op);
    }
    enum err err = cost_load(web->tx, &query, accounts);
    if (err != OK) {
        return err;
    }
    struct cost_sources *sources = arena_array(arena, (size_t)accounts->n, sizeof *sources);
    for (int i = 0; sources && err == OK && i < accounts->n; i++) {
        struct cost_account *account = &accounts->items[i];
        err = cost_explain(web->tx, account, span_day_start(&account->zone, facts->from_day),
                           span_day_start(&account->zone, facts->to_day), &sources[i]);
    }
    facts->accounts = accounts;
    facts->sources = sources;
    return sources ? err : fail_memory(web->op);
}

/* ---- the page ---- */

/* What the form keeps. */
static void keep(struct web *web, const struct costs_facts *facts, struct place_view *form)
{
    form->kept[0] = (struct kept_view){ "view", COST_VIEW_NAMES[facts->view] };
    form->kept[1] = (struct kept_view){ "at", span_day_text(web->op->arena, facts->from_day) };
    form->n_kept = 2;
}

/* For all that the page asks, which looks a year and a month back. */
static struct cost_memo memo_of(const struct costs_facts *facts)
{
    int64_t from_us = span_day_start(&facts->zone, facts->from_day);
    int64_t to_us = span_day_start(&facts->zone, facts->to_day);
    int64_t back_us = facts->now_us - BACK_DAYS * US_PER_DAY;

    return (struct cost_memo){
        .from_us = (from_us < back_us ? from_us : back_us) - 2 * US_PER_DAY,
        .to_us = (to_us > facts->now_us ? to_us : facts->now_us) + 2 * US_PER_DAY,
    };
}

/* All of it from the same reading of meters. */
static enum err load(struct web *web, struct place *place, struct costs_facts *facts)
{
    struct cost_memo memo = memo_of(facts);

    place->query.memo = &memo;
    place->query.needs_meters = facts->view != COSTS_YEAR;
    enum err err = load_view(web, place, facts);
    if (err == OK && facts->view != COSTS_YEAR && !place->device) {
        err = value_devices(web, place, facts);
    }
    if (err == OK && facts->view == COSTS_DAY) {
        err = explain(web, place, facts);
    }
    place->query.memo = NULL;
    return err;
}

enum err page_costs(struct web *web)
{
    struct costs_facts *facts = arena_alloc(web->op->arena, sizeof *facts);
    struct costs_view *view = arena_alloc(web->op->arena, sizeof *view);
    struct place place;

    if (!facts || !view) {
        return fail_memory(web->op);
    }
    enum err err = read_query(web, &place, facts);
    if (err == OK) {
        err = load(web, &place, facts);
    }
    /* places that cannot be added up, or too much at once: the form offers one of them, or less */
    if (err == ERR_INVALID || err == ERR_CHANGING) {
        view->problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        view->where = place_words(web->op->arena, &place);
        op_clear_fault(web->op);
        err = OK;
    } else if (err == OK && !costs_view(web->op->arena, facts, view)) {
        err = fail_memory(web->op);
    }
    if (err == OK) {
        err = place_form(web, &place, "/costs", &view->place);
    }
    if (err != OK) {
        return err;
    }
    keep(web, facts, &view->place);
    view->page = page_view(web, "Costs", "/costs");
    page_is_html(web);
    tpl_page_costs(&web->response->body, view);
    return OK;
}
