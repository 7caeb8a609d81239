/* multipart/form-data (RFC 7578) of a body in memory, as devices post it. */
#ifndef TIDEMARK_HTTP_MULTIPART_H
#define TIDEMARK_HTTP_MULTIPART_H

#include "base/op.h"
#include "base/str.h"

/* One part: views of the body. */
struct http_part {
    struct str name;
    struct str file_name; /* ptr NULL: it is no file */
    struct str content;   /* any bytes */
};

/* The boundary that a content type names; ptr NULL: none. */
struct str http_multipart_boundary(struct str content_type);

/* Reads a part's headers (lines without the empty one at their end): its names, and its content
 * type without parameters (ptr NULL: not said). False without a name. All are views. */
bool http_read_part_head(struct str headers, struct http_part *part, struct str *type);

/* Cuts the body at the boundary that its content type names into at most `max` parts. Lines may end
 * in CRLF or LF, all of a body in the same. ERR_MALFORMED for no boundary, one that the body does
 * not begin or end with, a part without a name, or more parts. */
enum err http_read_multipart(struct op *op, struct str content_type, struct str body,
                             struct http_part *parts, int max, int *out_n) MUST_CHECK;

#endif
