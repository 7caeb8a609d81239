/* On which days the versions of a rate schedule really hold: a newer one goes before those that are
 * valid on the same days. Called by the API and the pages of rate schedules. */
#ifndef TIDEMARK_DOMAIN_RATE_HOLDS_H
#define TIDEMARK_DOMAIN_RATE_HOLDS_H

#include "domain/rate_schedule.h"

/* Days [from, to) as texts; to_day NULL: open. */
struct rate_span {
    const char *from_day, *to_day;
};

struct rate_holds {
    const struct rate_span *spans;  /* ascending; n_spans 0: it holds on no day */
    int n_spans;
    const int32_t *covers;          /* numbers, ascending, of the versions that held on some day
                                     * until this one was made, and on none since */
    int n_covers;
};

/* What each version of the list holds on, in the list's order, in the operation's arena. */
enum err rate_holds(struct op *op, const struct rate_version_list *list,
                    const struct rate_holds **out) MUST_CHECK;

/* The versions that would hold on no day any more if this one were added, of those that begin later
 * than it does: who enters prices of a past year does not mean these. */
enum err rate_holds_over(struct op *op, const struct rate_version_list *list,
                         const struct tariff *tariff, struct rate_version_list *out) MUST_CHECK;

#endif
