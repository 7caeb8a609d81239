/* What requests about costs and bills ask for: ?site=&device=&from=&to=&as_of=. */
#ifndef TIDEMARK_WEB_COST_INPUT_H
#define TIDEMARK_WEB_COST_INPUT_H

#include "domain/cost.h"
#include "web/web.h"

/* Reads all of them. A bound is a date, that local day, or a time (RFC 3339 or an epoch), which is
 * the day it lies in; ERR_MALFORMED for anything else. */
enum err cost_input(struct web *web, struct cost_query *out) MUST_CHECK;

#endif
