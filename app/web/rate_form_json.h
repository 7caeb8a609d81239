/* Reads parts of documents as texts of a form. Called by rate_form_read.c and rate_form_terms.c. */
#ifndef TIDEMARK_WEB_RATE_FORM_JSON_H
#define TIDEMARK_WEB_RATE_FORM_JSON_H

#include "base/arena.h"
#include "base/json.h"

/* A text or number as text; "" where it is neither, or without memory. */
const char *form_json_scalar(struct json_reader *json, struct arena *arena);

/* A list of texts, with `mark` between them. */
const char *form_json_list(struct json_reader *json, struct arena *arena, const char *mark);

/* What takes a member of an object. */
struct form_column {
    const char *key;     /* NULL: the list ends */
    const char **value;
    const char *mark;    /* of a list; NULL: a text */
};

/* Reads the object that starts here; members without a column are passed over. */
void form_json_row(struct json_reader *json, struct arena *arena,
                   const struct form_column *columns);

#endif
