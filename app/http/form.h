/* application/x-www-form-urlencoded: query strings and the bodies of forms. */
#ifndef TIDEMARK_HTTP_FORM_H
#define TIDEMARK_HTTP_FORM_H

#include "base/op.h"
#include "http/request.h"

#define MAX_FORM_FIELDS 64   /* of what devices send */
#define MAX_PAGE_FIELDS 2048 /* of a page: the editor of rate schedules has tables of 48 rows */

/* Decodes `text` into at most `max` pairs in the op's arena; a name without `=` has an empty
 * value, empty pieces are passed over. ERR_MALFORMED for a bad escape, bytes that are not
 * UTF-8, or more pairs. `what` names the text in the failure ("query", "form"). */
enum err http_parse_form(struct op *op, const char *what, struct str text, struct http_param *pairs,
                         int max, int *out_n) MUST_CHECK;

/* Reads the request's body as a form, where its content type says that it is one: http_field
 * finds the fields then. Twice is once. ERR_MALFORMED and the failures of http_read_decoded_body;
 * `cap` counts the body's decoded bytes. */
enum err http_read_form(struct http_request *request, size_t cap) MUST_CHECK;

/* How long a body may be, unpacked, that is read to learn who sends it. What is packed may be of
 * anybody, and become a thousand times as long: no more than a page's form. */
size_t http_stranger_cap(const struct http_request *request);

/* The value of a parameter of the query, else of a field of the form read; ptr NULL when absent. */
struct str http_field(const struct http_request *request, const char *name);

/* The first value of a name; ptr NULL when absent. */
struct str http_param_find(const struct http_param *pairs, int n, const char *name);

#endif
