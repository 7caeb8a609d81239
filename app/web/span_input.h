/* Spans that pages are asked for: ?range=7d, or ?from=2026-11-01&to=2026-11-20, local dates, both
 * inclusive; ?bucket=1h. */
#ifndef TIDEMARK_WEB_SPAN_INPUT_H
#define TIDEMARK_WEB_SPAN_INPUT_H

#include "domain/span.h"
#include "web/web.h"

/* What was asked for, with what is usual where nothing was, or where it cannot be (then *error,
 * else NULL, is a sentence about the dates). *from and *to are the dates as typed, NULL where
 * absent. */
struct span_query span_input(const struct web *web, const char **from, const char **to,
                             const char **error);

/* A date alone: false where it is there and none. *day is left alone where it is absent. */
bool span_input_day(const struct web *web, const char *name, int64_t *day);

#endif
