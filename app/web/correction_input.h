/* The list of corrections that a request carries: JSON or CSV. What is wrong with an item is
 * noted by its place, so that an answer tells all of it. For web/api_corrections. */
#ifndef TIDEMARK_WEB_CORRECTION_INPUT_H
#define TIDEMARK_WEB_CORRECTION_INPUT_H

#include "domain/correction.h"
#include "web/web.h"

struct correction_input {
    struct correction_list list; /* the items that can be understood */
    struct http_item_error errors[MAX_ITEM_ERRORS];
    int n_errors;                /* of these; more are not told */
    int n_items;                 /* in the request */
};

/* Reads application/json ({"items": […]} or an array of {time, metric, value, labels}) or
 * text/csv (time, metric, value, and labels where there is a fourth column; a first line that
 * names them is passed over). ERR_MEDIA_TYPE, ERR_MALFORMED for what is neither, ERR_TOO_LARGE
 * beyond MAX_CORRECTIONS items or the route's body, ERR_INVALID for none. */
enum err correction_input_read(struct web *web, struct correction_input *out) MUST_CHECK;

/* Notes what is wrong with an item. */
void correction_input_refuse(struct correction_input *input, int index, const char *field,
                             const char *detail);

#endif
