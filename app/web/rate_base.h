/* Which version of a rate schedule a form was opened from, so that nobody writes over what somebody
 * else wrote meanwhile without knowing. The form carries it (`base`); where there is a newer one, a
 * button that saves all the same (`do=over`) carries which one was shown (`seen`). Called by the
 * pages that add versions. */
#ifndef TIDEMARK_WEB_RATE_BASE_H
#define TIDEMARK_WEB_RATE_BASE_H

#include "view/models_rates.h"
#include "web/web.h"

/* Looks at what was posted. `is_saving`: keeps others from changing the schedule until the
 * transaction ends. *may_save: nobody made a version since, or this is to be saved over the newest.
 * A form without `base` was opened from none. ERR_NOT_FOUND. */
enum err rate_base_check(struct web *web, int32_t id, bool is_saving, struct rate_newer *out,
                         bool *may_save) MUST_CHECK;

/* Makes the answer a 409; the notice that says so above the form. */
struct notice_view rate_base_refused(struct web *web, const struct rate_newer *newer);

#endif
