/* The parts of the S3 store, for s3*.c alone; others see store.h. */
#ifndef TIDEMARK_OBJECTS_S3_H
#define TIDEMARK_OBJECTS_S3_H

#include "objects/kind.h"
#include "objects/s3_sign.h"
#include "outbound/exchange.h"

/* What to do about a bucket that is not there, for the log. */
#define S3_BUCKET_HINT                                                                             \
    "; S3_BUCKET names it, `tidemark migrate` and the worker make it while the database knows of " \
    "no object"

#define S3_MAX_BODY_BYTES (8u << 20) /* of an answer that is kept: a list of long keys */

struct s3 {
    struct exchange_client http;
    struct s3_keys keys;
    const char *scheme;  /* "http://" or "https://" */
    const char *host;    /* of the Host header; begins with the bucket's name in host style */
    const char *root;    /* encoded path of the bucket, "/bucket", or "" in host style */
    const char *bucket;
    struct op scratch;   /* of one request, whose arena is reset before the next */
};

struct s3_request {
    const char *method;
    const char *key;    /* NULL: the bucket itself */
    struct s3_param query[S3_MAX_PARAMS];
    int n_query;
    struct s3_param headers[S3_MAX_PARAMS];
    int n_headers;
    struct str body;    /* ptr NULL: none */
    store_sink sink;    /* of a body whose status is `sink_status`; NULL: it is kept */
    void *context;
    int sink_status;
    bool is_once;       /* not tried again: the caller does */
};

/* What is kept of an answer, in the scratch arena: it holds until the next request. */
struct s3_answer {
    int status;
    int64_t content_length, modified_us; /* -1: not said */
    const char *etag;                    /* without quotes; NULL: none */
    struct str body;
};

/* ---- s3_request.c ---- */

/* Signs and sends, again after what may pass. OK for 2xx; otherwise the failure in *op, with
 * ERR_NOT_FOUND for a missing object or upload. */
enum err s3_send(struct s3 *s3, struct op *op, const struct s3_request *request,
                 struct s3_answer *out) MUST_CHECK;

/* Waits before the `attempt`th repetition (from 0), with jitter. False: that were too many. */
bool s3_wait(int attempt, int retry_after_s);

/* ---- s3_xml.c: texts lie in `arena` ---- */

struct s3_error {
    struct str code, message;
};

struct s3_upload {
    const char *key, *id;
    int64_t initiated_us;
};

struct s3_upload_page {
    struct s3_upload *uploads;
    int n;
    const char *next_key, *next_id; /* where the next page begins; NULL: this was the last */
};

/* <Error>; empty for a body that is none. */
struct s3_error s3_read_error(struct arena *arena, struct str body);

/* The text of the first element of that name; ptr NULL: none. */
struct str s3_read_text(struct arena *arena, struct str body, const char *name);

/* <ListBucketResult>: at most `max` objects, keys and next in the arena. False for anything
 * else. */
bool s3_read_list(struct arena *arena, struct str body, int max, struct store_page *out);

/* <ListMultipartUploadsResult>: at most `max`. False for anything else. */
bool s3_read_uploads(struct arena *arena, struct str body, int max, struct s3_upload_page *out);

/* Text with what XML gives a meaning written as entities. */
void s3_write_text(struct buf *out, const char *text);

/* ---- s3_put.c: a put as store_kind has it ---- */

enum err s3_put_begin(void *self, struct op *op, struct arena *arena, const char *key, void **out);
enum err s3_put_write(void *put, struct op *op, struct str bytes);
enum err s3_put_finish(void *put, struct op *op, const struct store_written *written);
void s3_put_abort(void *put);

/* Gives up an upload in parts. ERR_NOT_FOUND: there is none. */
enum err s3_abort_upload(struct s3 *s3, struct op *op, const char *key, const char *id) MUST_CHECK;

#endif
