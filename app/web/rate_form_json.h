/* Parts of documents as texts of a form, and back. Called by the form of rate schedules. */
#ifndef TIDEMARK_WEB_RATE_FORM_JSON_H
#define TIDEMARK_WEB_RATE_FORM_JSON_H

#include "base/arena.h"
#include "base/json.h"

/* A text or number as text; "" where it is neither, or without memory. */
const char *form_json_scalar(struct json_reader *json, struct arena *arena);

/* A list of texts, with `mark` between them; what would not be read as one word stands in quotation
 * marks, doubled ones in it. */
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

/* The text in quotation marks, doubled ones in it; NULL without memory. */
const char *form_quote(struct arena *arena, struct str text);

/* Where the text begins with a quotation mark: what stands up to the one that ends it, and what
 * follows that. False where none begins or ends it; the text is then as it was. */
bool form_unquote(struct arena *arena, struct str *rest, struct str *out);

/* Write a member, where there is a text: as text, as the whole number that it is, as a list of the
 * words between its commas (and, where the mark is a blank, blanks). */
void form_member(struct json_writer *json, const char *key, const char *value);
void form_member_number(struct json_writer *json, const char *key, const char *value);
void form_member_list(struct json_writer *json, struct arena *arena, const char *key,
                      const char *value, const char *mark);

#endif
