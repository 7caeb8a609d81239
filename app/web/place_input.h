/* Whose energy a page shows: all of the tenant's, a site's or a device's, as ?site= and ?device=
 * say; its clock, and the form that chooses another. For the pages of energy, costs and bills. */
#ifndef TIDEMARK_WEB_PLACE_INPUT_H
#define TIDEMARK_WEB_PLACE_INPUT_H

#include "domain/cost.h"
#include "view/models_form.h"
#include "web/web.h"

struct place {
    struct cost_query query;     /* site, device, now_us; as it is known now */
    const char *site, *device;   /* keys; NULL: all */
    const char *zone_name;       /* IANA, the device's, the site's, else the tenant's */
    struct zone zone;            /* around the days asked for and today */
};

/* Reads the place and its zone from `from_day` on (or two years back, where that is earlier), up to
 * a month after today. ERR_NOT_FOUND for a site or device that there is not. */
enum err place_read(struct web *web, int64_t from_day, struct place *out) MUST_CHECK;

/* The same of keys that a form posted (ptr NULL: none). */
enum err place_read_of(struct web *web, struct str site, struct str device,
                       struct place *out) MUST_CHECK;

/* The form that chooses a place; `action` is the page, what it keeps is left to the caller. */
enum err place_form(struct web *web, const struct place *place, const char *action,
                    struct place_view *out) MUST_CHECK;

/* "Site roof, Europe/Berlin" */
const char *place_words(struct arena *arena, const struct place *place);

#endif
