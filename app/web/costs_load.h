/* What the page of costs and the overview load of a place's costs. */
#ifndef TIDEMARK_WEB_COSTS_LOAD_H
#define TIDEMARK_WEB_COSTS_LOAD_H

#include "domain/cost_list.h"
#include "view/model_costs.h"
#include "web/place_input.h"

/* The buckets of the facts' view and days, up to today; their currency is kept in the facts. Fails
 * as cost_list_load. */
enum err costs_load_buckets(struct web *web, const struct place *place, struct costs_facts *facts,
                            struct cost_list *out) MUST_CHECK;

/* This month and the one before by day (in `days`, too), and as much of the same month a year ago
 * where that is wanted: the facts' outlook. */
enum err costs_load_outlook(struct web *web, const struct place *place, bool with_year_ago,
                            struct cost_list *days, struct costs_facts *facts) MUST_CHECK;

/* Those of the buckets that lie in the facts' days. */
struct cost_buckets costs_part_of(const struct cost_buckets *all, const struct costs_facts *facts);

/* The facts of this month alone, by day, without a year ago. */
enum err costs_load_month(struct web *web, const struct place *place,
                          struct costs_facts *facts) MUST_CHECK;

#endif
