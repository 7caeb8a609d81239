/* Reads spans from queries. Called by the pages that show one. */
#include "web/span_input.h"

static const char *const NO_DATE = "A date is written like 2026-11-20.";

bool span_input_day(const struct web *web, const char *name, int64_t *day)
{
    struct str text = web_query_text(web, name);
    return text.ptr == NULL || span_day_parse(text, day);
}

/* Why the dates are no span; NULL where they are one. */
static const char *dates_error(const struct web *web, struct span_query *query)
{
    struct str from = web_query_text(web, "from"), to = web_query_text(web, "to");
    if (!span_input_day(web, "from", &query->from_day) ||
        !span_input_day(web, "to", &query->to_day)) {
        return NO_DATE;
    }
    /* One date alone is that day. */
    if (from.ptr == NULL) {
        query->from_day = query->to_day;
    } else if (to.ptr == NULL) {
        query->to_day = query->from_day;
    }
    if (query->to_day < query->from_day) {
        return "The last day is before the first.";
    }
    return query->to_day - query->from_day >= SPAN_MAX_DAYS ? "Ten years at most." : NULL;
}

struct span_query span_input(const struct web *web, const char **from, const char **to,
                             const char **error)
{
    struct span_query query = { .range = SPAN_24H, .is_auto = true };
    struct str range = web_query_text(web, "range");
    struct str first = web_query_text(web, "from"), last = web_query_text(web, "to");
    for (int r = SPAN_24H; r < SPAN_DATES; r++) {
        if (str_equal(range, str_of(span_range_name((enum span_range)r)))) {
            query.range = (enum span_range)r;
        }
    }
    query.is_auto = !sample_bucket_parse(web_query_text(web, "bucket"), &query.bucket);
    *from = first.ptr ? arena_copy(web->op->arena, first) : NULL;
    *to = last.ptr ? arena_copy(web->op->arena, last) : NULL;
    *error = NULL;
    if (first.ptr != NULL || last.ptr != NULL) {
        *error = dates_error(web, &query);
        query.range = *error == NULL ? SPAN_DATES : query.range;
    }
    return query;
}
