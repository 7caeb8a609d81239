/* multipart/form-data (RFC 7578) of any length, as it comes: part by part, each in pieces. For
 * bodies in memory: multipart.h. */
#ifndef TIDEMARK_HTTP_MULTIPART_STREAM_H
#define TIDEMARK_HTTP_MULTIPART_STREAM_H

#include "http/transport.h"

#define MULTIPART_BUFFER_BYTES (64u << 10)
#define MULTIPART_MAX_BOUNDARY_BYTES 70 /* RFC 2046 */

struct multipart_stream {
    struct op *op;
    struct http_transport *transport;
    char delimiter[MULTIPART_MAX_BOUNDARY_BYTES + 5]; /* CR LF -- and the boundary */
    size_t delimiter_len;
    char *buffer;      /* MULTIPART_BUFFER_BYTES in the op's arena */
    size_t start, len; /* of what is there and was not handed out */
    int64_t received;  /* bytes of the body so far */
    bool is_in_part, is_over;
};

/* What a part says of itself, in the op's arena; names without the escapes of browsers (%22). */
struct multipart_head {
    struct str name;      /* of the field */
    struct str file_name; /* ptr NULL: it is no file */
    struct str type;      /* its Content-Type, without parameters; ptr NULL: not said */
};

/* At the beginning of the request's body. ERR_MALFORMED for a content type without a boundary. */
enum err multipart_open(struct multipart_stream *stream, struct http_request *request) MUST_CHECK;

/* Steps to the next part, past what was not read of the one before. *is_there is false after the
 * last. ERR_MALFORMED for what is no form, or is cut short. */
enum err multipart_next(struct multipart_stream *stream, struct multipart_head *head,
                        bool *is_there) MUST_CHECK;

/* The part's next bytes, which hold until the next call; none at its end. */
enum err multipart_read(struct multipart_stream *stream, struct str *piece) MUST_CHECK;

/* All that is left of the part, in the op's arena. ERR_TOO_LARGE beyond `most` bytes. */
enum err multipart_read_text(struct multipart_stream *stream, size_t most,
                             struct str *out) MUST_CHECK;

#endif
