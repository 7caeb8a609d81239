/* Filters of rejected items, as the API and the page have them. */
#ifndef TIDEMARK_WEB_REJECT_INPUT_H
#define TIDEMARK_WEB_REJECT_INPUT_H

#include "domain/reject.h"
#include "web/web.h"

/* Reads `from`, `to`, `device`, `reason`, `convention` and `state` of the query. */
enum err reject_input(struct web *web, struct reject_filter *out) MUST_CHECK;

/* The text as far as it is whole characters; ptr NULL where it is no text. */
struct str reject_shown_text(const struct reject_row *row);

#endif
