/* Versions of a rate schedule that a new one would cover: a form says which, and saves it only with
 * a tick (`cover=yes`). Called by the pages that add versions. */
#ifndef TIDEMARK_WEB_RATE_COVER_H
#define TIDEMARK_WEB_RATE_COVER_H

#include "domain/tariff.h"
#include "view/models_rates.h"
#include "web/web.h"

/* What adding the document to the schedule would cover, of versions that begin later than it does;
 * out->text NULL: nothing. *may_save: nothing, or it is ticked. */
enum err rate_cover_check(struct web *web, int32_t id, const struct tariff *tariff,
                          struct rate_cover *out, bool *may_save) MUST_CHECK;

/* Makes the answer a 422; the notice that says so above the form. */
struct notice_view rate_cover_refused(struct web *web);

#endif
