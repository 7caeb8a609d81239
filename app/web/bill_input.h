/* Which days a page of bills is asked for: ?from=&to=, local dates, both inclusive, and ?as_of=, a
 * date at whose end things are known as they were, or a time. */
#ifndef TIDEMARK_WEB_BILL_INPUT_H
#define TIDEMARK_WEB_BILL_INPUT_H

#include "domain/cost.h"
#include "web/place_input.h"

struct bill_days {
    struct cost_query query;     /* the place's, with these days; no bound: the cycle so far */
    const char *from, *to, *as_of;   /* as typed; NULL: absent */
    const char *error;           /* why the dates were not taken; NULL */
};

/* Reads them, with the place. ERR_NOT_FOUND as place_read. */
enum err bill_input(struct web *web, struct place *place, struct bill_days *out) MUST_CHECK;

#endif
