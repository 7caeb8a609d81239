/* Reads the days of bills. Called by the pages of bills and of comparisons. */
#include "web/bill_input.h"

#include "domain/cost_list.h"
#include "domain/span.h"

static const char *const NO_DATE = "A date is written like 2026-11-20.";

/* False where it is there and none. */
static bool read_day(struct web *web, const char *name, const char **text, bool is_last,
                     struct cost_bound *out)
{
    struct str value = web_query_text(web, name);

    *out = (struct cost_bound){ .kind = BOUND_NONE };
    *text = value.ptr ? arena_copy(web->op->arena, value) : NULL;
    if (!value.ptr) {
        return true;
    }
    out->kind = BOUND_DAY;
    bool is_day = span_day_parse(value, &out->day) && out->day < COST_LAST_DAY;
    out->day += is_last;
    return is_day;
}

static const char *read_days(struct web *web, struct bill_days *out)
{
    struct cost_query *query = &out->query;
    bool is_from = read_day(web, "from", &out->from, false, &query->from);
    bool is_to = read_day(web, "to", &out->to, true, &query->to);

    if (!is_from || !is_to) {
        return NO_DATE;
    }
    if (query->from.kind == BOUND_DAY && query->to.kind == BOUND_DAY &&
        query->to.day <= query->from.day) {
        return "The last day is before the first.";
    }
    return NULL;
}

enum err bill_input(struct web *web, struct place *place, struct bill_days *out)
{
    struct str as_of = web_query_text(web, "as_of");
    int64_t day = 0, from_day = COST_LAST_DAY;

    *out = (struct bill_days){ .error = NULL };
    out->error = read_days(web, out);
    if (!out->error && out->query.from.kind == BOUND_DAY) {
        from_day = out->query.from.day;
    }
    const struct cost_bound from = out->query.from, to = out->query.to;
    enum err err = place_read(web, from_day, place);
    if (err != OK) {
        return err;
    }
    if (as_of.ptr) {
        out->as_of = arena_copy(web->op->arena, as_of);
    }
    if (as_of.ptr && span_day_parse(as_of, &day)) {
        place->query.as_of_us = span_day_start(&place->zone, day + 1);
    }
    out->query = place->query;
    if (!out->error) {
        out->query.from = from;
        out->query.to = to;
    }
    return OK;
}
