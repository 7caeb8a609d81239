/* Rate schedules' documents as forms (view/models_editor.h), and back. Nothing is checked here but
 * what has to be taken apart: what is wrong tariff_read says, and rate_form_blame puts beside the
 * fields. Called by page_rate_edit.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_H
#define TIDEMARK_WEB_RATE_FORM_H

#include "domain/problems.h"
#include "view/models_editor.h"
#include "web/web.h"

/* An empty form. */
void rate_form_init(struct rate_form *form);

/* Fills the form from a valid document, canonical as tariff_write writes it. `is_whole` is false
 * where the form has no room for some of it. ERR_INTERNAL where it is no document. */
enum err rate_form_of(struct op *op, struct str document, struct rate_form *form,
                      bool *is_whole) MUST_CHECK;

/* Takes what was posted. False where a field has an error, which then stands beside it. */
bool rate_form_take(const struct web *web, struct rate_form *form);

/* Whether all of it would come back from a browser as it is, and be taken: no line breaks but in
 * lists of lines, no blanks around, nothing too long. */
bool rate_form_is_typed(const struct web *web, const struct rate_form *form);

/* Writes the form as a document, and notes where in it each row stands. Problems are those of texts
 * that cannot be taken apart; the document is whole all the same. */
enum err rate_form_write(struct op *op, struct rate_form *form, struct problems *problems,
                         struct str *out) MUST_CHECK;

/* Puts each problem of the document that was written beside its field or row; those that have none
 * are left in `rest`, of room for PROBLEMS_MAX. Returns how many are. */
int rate_form_blame(struct arena *arena, struct rate_form *form, const struct problems *problems,
                    struct rate_wrong *rest);

#endif
