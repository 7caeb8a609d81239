/* The terms of a rate schedule in its form: holidays, baseline, series of prices, billing and
 * rounding. Called by rate_form.c, rate_form_read.c and rate_form_write.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_TERMS_H
#define TIDEMARK_WEB_RATE_FORM_TERMS_H

#include "base/json.h"
#include "web/rate_form.h"

/* The fields of billing and rounding. */
void rate_form_terms_init(struct rate_form *form);

/* Takes the document's member `key` with its JSON; false where it is none of these, or has more
 * than the form has room for: it is not in the form then. */
bool rate_form_terms_read(struct arena *arena, struct str key, struct str value,
                          struct rate_form *form);

/* Takes what was posted. */
void rate_form_terms_take(const struct web *web, struct rate_form *form);

/* Writes the members, with a problem for each day that is none. */
void rate_form_terms_write(struct arena *arena, const struct rate_form *form,
                           struct problems *problems, struct rate_form_places *places,
                           struct json_writer *json);

/* The field that a problem at this pointer is of; NULL: it is of none of these. */
struct field_view *rate_form_terms_field(struct rate_form *form, const char *pointer);

#endif
