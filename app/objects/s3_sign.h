/* AWS Signature Version 4 for S3: of a request's headers, or of an address that anybody may use
 * until it expires. As "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API
 * Reference says. Pure: no clock, no network. */
#ifndef TIDEMARK_OBJECTS_S3_SIGN_H
#define TIDEMARK_OBJECTS_S3_SIGN_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"

#include <stdint.h>

#define S3_MAX_PARAMS 8 /* of a query, and of headers besides those that every request has */
#define S3_TIME_SIZE 17 /* "20130524T000000Z" with its NUL */

struct s3_keys {
    const char *access, *secret, *region;
};

struct s3_param {
    const char *name, *value; /* as they are, not encoded; names of headers in lower case */
};

struct s3_call {
    const char *method;
    const char *host; /* of the Host header, with a port that is not the scheme's */
    const char *path; /* encoded, as it is sent */
    struct s3_param query[S3_MAX_PARAMS];
    int n_query;
    struct s3_param headers[S3_MAX_PARAMS]; /* to be signed, besides host and x-amz-* below */
    int n_headers;
    const char *payload; /* its SHA-256 in hexadecimal */
    int64_t time_us;
};

/* "20130524T000000Z" */
void s3_time(int64_t time_us, char out[S3_TIME_SIZE]);

/* Percent-encodes all but letters, digits and -._~ (and slashes where they are kept). */
void s3_encode(struct buf *out, struct str text, bool is_path);

/* The query as it is sent: encoded, sorted; nothing for none. */
void s3_write_query(struct buf *out, const struct s3_call *call);

/* The value of the Authorization header. The request must also carry x-amz-date (s3_time) and
 * x-amz-content-sha256 (the payload's), and the call's headers. NULL without memory. */
const char *s3_authorization(struct arena *arena, const struct s3_keys *keys,
                             const struct s3_call *call);

/* "path?query" that may be used for `expires_s` (1 to 604,800) seconds, from the call's time on, by
 * whoever has it. The call's payload is not looked at. NULL without memory. */
const char *s3_presign(struct arena *arena, const struct s3_keys *keys, const struct s3_call *call,
                       int expires_s);

/* Of "host:port" what requests carry as Host, and so what is signed: without the port that the
 * scheme ("https://", "http://") has anyway. */
struct str s3_signed_host(const char *scheme, struct str host);

#endif
