/* Reads the parameters of requests about costs and bills. Called by their handlers. */
#include "web/cost_input.h"

#include "domain/cost_list.h"
#include "domain/span.h"

bool cost_input_bound(struct str text, struct cost_bound *out)
{
    *out = (struct cost_bound){ .kind = BOUND_DAY };
    if (span_day_parse(text, &out->day)) {
        return out->day < COST_LAST_DAY;
    }
    out->kind = BOUND_TIME;
    return clock_parse(text, &out->time_us) && out->time_us >= 0 &&
           out->time_us < COST_LAST_DAY * US_PER_DAY;
}

static enum err read_bound(struct web *web, const char *name, struct cost_bound *out)
{
    struct str text = web_query_text(web, name);

    *out = (struct cost_bound){ .kind = BOUND_NONE };
    if (text.ptr && !cost_input_bound(text, out)) {
        return fail(web->op, ERR_MALFORMED,
                    "%s: must be a date such as 2026-11-20, an RFC 3339 time or an epoch", name);
    }
    return OK;
}

enum err cost_input_place(struct web *web, struct cost_query *out)
{
    struct str as_of = web_query_text(web, "as_of");

    *out = (struct cost_query){
        .site = web_query_text(web, "site"),
        .device = web_query_text(web, "device"),
        .as_of_us = COST_LATEST,
        .now_us = clock_now_us(),
    };
    if (as_of.ptr && !clock_parse(as_of, &out->as_of_us)) {
        return fail(web->op, ERR_MALFORMED, "as_of: must be an RFC 3339 time or an epoch");
    }
    return OK;
}

enum err cost_input(struct web *web, struct cost_query *out)
{
    enum err err = cost_input_place(web, out);

    if (err == OK) {
        err = read_bound(web, "from", &out->from);
    }
    return err == OK ? read_bound(web, "to", &out->to) : err;
}
