/* Content codings: how a body is packed, by the name its Content-Encoding gives. Decoded into
 * memory within a cap. */
#ifndef TIDEMARK_HTTP_CODING_H
#define TIDEMARK_HTTP_CODING_H

#include "base/op.h"
#include "base/str.h"

/* Decodes all of `in` into the op's arena. ERR_TOO_LARGE when it would exceed `cap` bytes,
 * ERR_MALFORMED when it is damaged, cut short, or followed by anything else; and the failure of
 * http_fail_over. */
typedef enum err (*http_decoder)(struct op *op, struct str in, size_t cap, struct str *out);

struct http_coding {
    const char *name;    /* as Content-Encoding has it, in lower case */
    http_decoder decode; /* NULL: the body is as it is */
};

/* The coding of a header's value; none given is "identity". NULL when it is not known; several
 * in one value are not. */
const struct http_coding *http_coding_find(struct str value);

/* "gzip, deflate, …", for messages. */
#define HTTP_CODING_NAMES "gzip, deflate, snappy, zstd or identity"

#endif
