/* Turns what operators watch into their page. Included by web/page_operator.c. */
#ifndef TIDEMARK_VIEW_MODEL_OPERATOR_H
#define TIDEMARK_VIEW_MODEL_OPERATOR_H

#include "domain/installation.h"
#include "view/models.h"

/* Fills all but the frame, the notice, the pager and what the viewer may do; false without
 * memory. */
bool operator_view(struct arena *arena, const struct installation *facts,
                   const struct usage_list *tenants, int64_t now_us, struct operator_view *out);

#endif
