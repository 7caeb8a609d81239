/* Fields of pages' forms: their values from what was posted, and what is wrong with them beside
 * the field; notices after a redirect. Used by the page_*.c handlers that change something.
 *
 * The way of a form: GET shows the fields with the stored values. POST takes the posted ones
 * (form_take), adds what only the handler can know (form_refuse), and either stores and goes on
 * (form_done, 303) or shows the same page again (form_rejected, 422). Whatever may be refused is
 * asked for before it is written: after a failed statement the transaction cannot show a page. */
#ifndef TIDEMARK_WEB_FORM_INPUT_H
#define TIDEMARK_WEB_FORM_INPUT_H

#include "view/models_form.h"
#include "web/web.h"

/* Gives each field its posted value ("" where the form had none), without white space around but
 * in passwords and textareas, and checks it: required, length, among the choices of a select.
 * True when nothing is wrong. */
bool form_take(const struct web *web, struct field_view *fields, int n);

/* Checks one anew whose value the handler has changed, in the same way. */
void form_check(const struct web *web, struct field_view *field);

/* The field of a name, which must be there. */
struct field_view *form_field(struct field_view *fields, int n, const char *name);

/* The field's value as text; ptr NULL when empty. */
struct str form_value(struct field_view *fields, int n, const char *name);

/* Puts a sentence beside the field, where none is there yet; it must stay alive. */
void form_refuse(struct field_view *fields, int n, const char *name, const char *error);

/* Whether no field has an error. */
bool form_is_good(const struct field_view *fields, int n);

/* Makes the answer a 422; the notice that says so above the form. */
struct notice_view form_rejected(struct web *web, const struct field_view *fields, int n);

/* What `?done=word` says; the sentences are ours, the address only chooses one. */
struct form_outcome {
    const char *word, *sentence;
};

/* The notice of the request's `done`; none for a word that is not in the table. */
struct notice_view form_notice(const struct web *web, const struct form_outcome *outcomes, int n);

/* 303 to `path?done=word`; `path` is an address of ours without a query. */
enum err form_done(struct web *web, const char *path, const char *word) MUST_CHECK;

#endif
