/* This month's costs for the overview. Called by page_overview.c. */
#include "web/overview_costs.h"

#include "domain/rate_assignment.h"
#include "domain/zone.h"
#include "web/costs_load.h"

#define BACK_DAYS 100 /* two months, and their weeks */
#define AHEAD_DAYS 40

static enum err load(struct web *web, struct costs_facts *facts)
{
    struct place place = {
        .query = { .as_of_us = COST_LATEST, .now_us = clock_now_us() },
        .zone_name = web->who->tenant_timezone,
    };
    enum err err = zone_load(web->tx, place.zone_name,
                             place.query.now_us - BACK_DAYS * US_PER_DAY,
                             place.query.now_us + AHEAD_DAYS * US_PER_DAY, &place.zone);

    return err == OK ? costs_load_month(web, &place, facts) : err;
}

enum err overview_costs(struct web *web, const struct costs_view **out)
{
    struct rate_assignment_list assigned = { NULL, 0 };
    struct costs_facts *facts = arena_alloc(web->op->arena, sizeof *facts);
    struct costs_view *view = arena_alloc(web->op->arena, sizeof *view);
    enum err err = OK;

    *out = NULL;
    if (!facts || !view) {
        return fail_memory(web->op);
    }
    if (web->who->kind != IDENTITY_SHARE) {
        err = rate_assignment_list(web->tx, 0, false, &assigned);
    }
    if (err != OK || assigned.n == 0) {
        return err;
    }
    err = load(web, facts);
    /* different currencies, say: the page of costs says so, and offers each place */
    if (err == ERR_INVALID || err == ERR_CHANGING) {
        op_clear_fault(web->op);
        return OK;
    }
    if (err == OK && facts->currency) {
        *out = view;
        return costs_view(web->op->arena, facts, view) ? OK : fail_memory(web->op);
    }
    return err;
}
