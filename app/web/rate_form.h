/* Rate schedules' documents as forms (view/models_editor.h), and back. Nothing is checked here but
 * what has to be taken apart: what is wrong tariff_read says, and rate_form_blame puts beside the
 * fields. Called by page_rate_edit.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_H
#define TIDEMARK_WEB_RATE_FORM_H

#include "domain/problems.h"
#include "view/models_editor.h"
#include "web/web.h"

/* Where a row of the form stands in the document that it was written to. */
struct rate_form_place {
    const char *pointer;  /* JSON pointer; NULL: nowhere, the row is empty */
    const char *also;     /* of the charge that a price belongs to, for the first row of it */
};

struct rate_form_places {
    struct rate_form_place seasons[EDITOR_SEASONS], periods[EDITOR_PERIODS];
    struct rate_form_place rules[EDITOR_RULES], charges[EDITOR_CHARGES];
    struct rate_form_place holidays[EDITOR_HOLIDAYS], baselines[EDITOR_BASELINES];
    struct rate_form_place series[EDITOR_SERIES];
};

/* An empty form with its head's fields. */
void rate_form_init(struct rate_form *form);

/* Fills the form from a valid document, canonical as tariff_write writes it. ERR_INTERNAL where it
 * is none, ERR_INVALID where it has more rows than the form. */
enum err rate_form_of(struct op *op, struct str document, struct rate_form *form) MUST_CHECK;

/* The posted text of a row's column, such as "w3_from"; "" where there is none. */
const char *rate_cell(const struct web *web, const char *table, int row, const char *column);

/* Takes what was posted. */
void rate_form_take(const struct web *web, struct rate_form *form);

/* Writes the form as a document. Problems are those of texts that cannot be taken apart; the
 * document is whole all the same. */
enum err rate_form_write(struct op *op, const struct rate_form *form, struct problems *problems,
                         struct rate_form_places *places, struct str *out) MUST_CHECK;

/* Puts each problem beside its field or row; those that have none are left in `rest`, of room for
 * PROBLEMS_MAX. Returns how many are. */
int rate_form_blame(struct arena *arena, struct rate_form *form,
                    const struct rate_form_places *places, const struct problems *problems,
                    struct rate_wrong *rest);

/* Adds empty rows to fill in. */
void rate_form_pad(struct rate_form *form);

#endif
