/* The terms of a rate schedule in its form that are more than rows of members: holidays, series of
 * prices, billing and rounding. Called by rate_form.c, rate_form_read.c and rate_form_write.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_TERMS_H
#define TIDEMARK_WEB_RATE_FORM_TERMS_H

#include "base/json.h"
#include "web/rate_form.h"

/* The fields of billing and rounding. */
void rate_form_terms_init(struct rate_form *form);

/* Takes the document's member `key`, before whose value the reader stands; false where it is none
 * of these. What has no room is left out: `is_too_long`. */
bool rate_form_terms_read(struct json_reader *json, struct str key, struct rate_form *form,
                          bool *is_too_long);

/* Writes the members, with a problem for each day that is none. */
void rate_form_terms_write(struct json_writer *json, struct arena *arena, struct rate_form *form,
                           struct problems *problems);

/* The field that a problem at this pointer is of; NULL: it is of none of these. */
struct field_view *rate_form_terms_field(struct rate_form *form, const char *pointer);

#endif
