/* The forms that answers of the query API come in, and which of them a client asked for. */
#ifndef TIDEMARK_WEB_ACCEPT_H
#define TIDEMARK_WEB_ACCEPT_H

#include "web/web.h"

enum answer_form {
    ANSWER_JSON,
    ANSWER_CSV,   /* RFC 4180 */
    ANSWER_NDJSON, /* a JSON object a line */
    ANSWER_PARQUET /* of lists that have it */
};

/* What Content-Type says of a form. */
const char *accept_media_type(enum answer_form form);

/* The form by ?format=json|csv|ndjson, else by the Accept header: the greatest weight; where
 * several have it, one that is named before one that a wildcard covers, then JSON. Without either:
 * JSON. ERR_NOT_ACCEPTABLE for another `format`, and where Accept allows none of the three. */
enum err accept_form(struct web *web, enum answer_form *out) MUST_CHECK;

/* The same where there is Parquet, too, which comes after CSV and NDJSON. */
enum err accept_form_or_parquet(struct web *web, enum answer_form *out) MUST_CHECK;

#endif
