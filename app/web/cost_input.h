/* What requests about costs and bills ask for: ?site=&device=&from=&to=&as_of=. */
#ifndef TIDEMARK_WEB_COST_INPUT_H
#define TIDEMARK_WEB_COST_INPUT_H

#include "domain/cost.h"
#include "web/web.h"

/* A bound as text: a date, that local day, or a time (RFC 3339 or an epoch), which is the day it
 * lies in. False for anything else. */
bool cost_input_bound(struct str text, struct cost_bound *out);

/* Reads the place and as_of alone. ERR_MALFORMED for what is no time. */
enum err cost_input_place(struct web *web, struct cost_query *out) MUST_CHECK;

/* Reads all of them. ERR_MALFORMED for what is no date or time. */
enum err cost_input(struct web *web, struct cost_query *out) MUST_CHECK;

#endif
