/* One request to an S3 server: its address, its signature, its repetition, and what its failure
 * means. Called by s3.c and s3_put.c. */
#include "objects/s3.h"

#include "base/clock.h"
#include "base/sha256.h"

#define MAX_URL_BYTES (16u << 10)
#define MAX_ATTEMPTS 5
#define FIRST_WAIT_MS 100 /* then three times as long each; half of it is chance */
#define MAX_WAIT_MS 5000

/* ---- the address ---- */

static const char *path_of(struct arena *arena, const struct s3 *s3, const char *key)
{
    struct buf path;

    buf_init(&path, arena, MAX_URL_BYTES);
    buf_add_text(&path, s3->root);
    if (key) {
        buf_add_char(&path, '/');
        s3_encode(&path, str_of(key), true);
    }
    if (path.len == 0) {
        buf_add_char(&path, '/');
    }
    buf_add_char(&path, '\0');
    return path.is_broken ? NULL : path.data;
}

static struct s3_call call_of(const struct s3 *s3, const struct s3_request *request,
                              const char *path, const char *payload)
{
    struct s3_call call = { request->method, s3->host, path, { { 0 } }, request->n_query, { { 0 } },
                            request->n_headers, payload, clock_now_us() };

    memcpy(call.query, request->query, sizeof call.query);
    memcpy(call.headers, request->headers, sizeof call.headers);
    return call;
}

static const char *url_of(struct arena *arena, const struct s3 *s3, const struct s3_call *call)
{
    struct buf url;

    buf_init(&url, arena, MAX_URL_BYTES);
    buf_printf(&url, "%s%s%s%s", s3->scheme, s3->host, call->path, call->n_query > 0 ? "?" : "");
    s3_write_query(&url, call);
    buf_add_char(&url, '\0');
    return url.is_broken ? NULL : url.data;
}

/* ---- sending ---- */

static bool add_header(struct exchange_request *out, struct arena *arena, const char *name,
                       const char *value)
{
    const char *line = arena_printf(arena, "%s: %s", name, value);

    if (!line || out->n_headers == EXCHANGE_MAX_HEADERS) {
        return false;
    }
    out->headers[out->n_headers++] = line;
    return true;
}

/* By OpenSSL: parts are long. */
static bool hash_body(struct str body, char hex[CRYPTO_HEX_SIZE])
{
    struct sha256 sha;
    uint8_t hash[CRYPTO_HASH_BYTES];
    bool is_hashed = sha256_open(&sha);

    if (is_hashed) {
        sha256_add(&sha, body);
        is_hashed = sha256_end(&sha, hash);
        crypto_hex(hash, sizeof hash, hex);
    }
    sha256_close(&sha);
    return is_hashed;
}

/* The signed request in the scratch arena. False without memory. */
static bool prepare(struct s3 *s3, const struct s3_request *request, struct exchange_request *out)
{
    struct arena *arena = s3->scratch.arena;
    char payload[CRYPTO_HEX_SIZE], time[S3_TIME_SIZE];
    const char *path = path_of(arena, s3, request->key);

    if (!hash_body(request->body, payload)) {
        return false;
    }
    struct s3_call call = call_of(s3, request, path, payload);
    s3_time(call.time_us, time);
    const char *authorization = path ? s3_authorization(arena, &s3->keys, &call) : NULL;
    *out = (struct exchange_request){
        .method = request->method,
        .url = authorization ? url_of(arena, s3, &call) : NULL,
        .body = request->body,
        .sink = request->sink,
        .context = request->context,
        .sink_status = request->sink_status,
        .max_body = S3_MAX_BODY_BYTES,
    };
    bool is_whole = out->url && add_header(out, arena, "Authorization", authorization) &&
                    add_header(out, arena, "x-amz-date", time) &&
                    add_header(out, arena, "x-amz-content-sha256", payload);
    if (request->body.ptr) { /* not libcurl's, of a form */
        is_whole = is_whole && add_header(out, arena, "Content-Type", "application/octet-stream");
    }
    for (int i = 0; i < request->n_headers; i++) {
        is_whole = is_whole &&
                   add_header(out, arena, request->headers[i].name, request->headers[i].value);
    }
    return is_whole;
}

bool s3_wait(int attempt, int retry_after_s)
{
    int64_t wait_ms = FIRST_WAIT_MS;
    uint32_t chance;

    for (int i = 0; i < attempt && wait_ms < MAX_WAIT_MS; i++) {
        wait_ms *= 3;
    }
    wait_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : wait_ms;
    wait_ms = wait_ms < MAX_WAIT_MS ? wait_ms : MAX_WAIT_MS;
    crypto_random(&chance, sizeof chance);
    wait_ms = wait_ms / 2 + (int64_t)(chance % (uint64_t)(wait_ms / 2 + 1));
    if (attempt + 1 >= MAX_ATTEMPTS) {
        return false;
    }
    struct timespec wait = { wait_ms / 1000, wait_ms % 1000 * 1000000 };
    (void)nanosleep(&wait, NULL);
    return true;
}

/* ---- what a failure means ---- */

static const struct {
    const char *code;
    enum err err;
    bool may_pass;
    const char *hint; /* what to do about it, for the log */
} MEANINGS[] = {
    { "NoSuchKey", ERR_NOT_FOUND, false, "" },
    { "NoSuchUpload", ERR_NOT_FOUND, false, "" },
    { "NoSuchBucket", ERR_UNAVAILABLE, false, S3_BUCKET_HINT },
    { "SignatureDoesNotMatch", ERR_INTERNAL, false, "; S3_SECRET_KEY or S3_REGION is wrong" },
    { "InvalidAccessKeyId", ERR_INTERNAL, false, "; S3_ACCESS_KEY is wrong" },
    { "AuthorizationHeaderMalformed", ERR_INTERNAL, false, "; S3_REGION is wrong" },
    { "AccessDenied", ERR_INTERNAL, false, "; the key has not the rights" },
    { "RequestTimeTooSkewed", ERR_INTERNAL, false, "; the clock here or there is wrong" },
    { "EntityTooLarge", ERR_TOO_LARGE, false, "" },
    { "InvalidRange", ERR_INTERNAL, false, "" },
    { "PreconditionFailed", ERR_INTERNAL, false, "; it was replaced while it was read" },
    { "BadDigest", ERR_INTERNAL, true, "; it was changed on its way" },
    { "XAmzContentSHA256Mismatch", ERR_INTERNAL, true, "; it was changed on its way" },
    { "XMinioStorageFull", ERR_UNAVAILABLE, false, "; the store is full" },
    { "QuotaExceeded", ERR_UNAVAILABLE, false, "; the store is full" },
    { "RequestTimeout", ERR_UNAVAILABLE, true, "" },
    { "SlowDown", ERR_UNAVAILABLE, true, "" },
    { "InternalError", ERR_UNAVAILABLE, true, "" },
    { "ServiceUnavailable", ERR_UNAVAILABLE, true, "" },
};

static enum err meaning_of_status(int status, bool *may_pass)
{
    *may_pass = status == 408 || status == 429 || (status >= 500 && status != 501 && status != 507);
    if (*may_pass || status == 507) {
        return ERR_UNAVAILABLE;
    }
    return status == 404 ? ERR_NOT_FOUND : ERR_INTERNAL;
}

/* Records what the server said against the request. */
static enum err refuse(struct s3 *s3, struct op *op, const struct s3_request *request,
                       const struct exchange_answer *answer, bool *may_pass)
{
    struct s3_error error = s3_read_error(s3->scratch.arena, answer->body);
    enum err err = meaning_of_status(answer->status, may_pass);
    const char *hint = "";

    if (error.code.len == 0) { /* HEAD has no body; this is MinIO's way round it */
        error.code = str_of(exchange_header(&s3->http, &s3->scratch, "x-minio-error-code"));
    }
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        if (str_equal(error.code, str_of(MEANINGS[i].code))) {
            err = MEANINGS[i].err;
            *may_pass = MEANINGS[i].may_pass;
            hint = MEANINGS[i].hint;
        }
    }
    return fail(op, err, "%s %s/%s of the object store: %d %.*s %.*s%s", request->method,
                s3->bucket, request->key ? request->key : "", answer->status, (int)error.code.len,
                error.code.ptr ? error.code.ptr : "", (int)error.message.len,
                error.message.ptr ? error.message.ptr : "", hint);
}

/* The ETag without its quotes. */
static const char *etag_of(struct s3 *s3)
{
    const char *quoted = exchange_header(&s3->http, &s3->scratch, "etag");
    struct str bare = str_of(quoted);

    if (bare.len >= 2 && bare.ptr[0] == '"' && bare.ptr[bare.len - 1] == '"') {
        bare = (struct str){ bare.ptr + 1, bare.len - 2 };
    }
    return quoted ? arena_copy(s3->scratch.arena, bare) : NULL;
}

/* One attempt. `*retry_after_s` is -1 where another would be of no use. */
static enum err attempt_once(struct s3 *s3, struct op *op, const struct s3_request *request,
                             struct s3_answer *out, int *retry_after_s)
{
    struct exchange_request prepared;
    struct exchange_answer answer;
    bool may_pass;

    arena_reset(s3->scratch.arena);
    op_init(&s3->scratch, s3->scratch.arena, op->id);
    *retry_after_s = -1;
    if (!prepare(s3, request, &prepared)) {
        return fail_memory(op);
    }
    enum err err = exchange_run(&s3->http, &s3->scratch, &prepared, &answer);
    *out = (struct s3_answer){
        .status = answer.status,
        .content_length = answer.content_length,
        .modified_us = answer.modified_s < 0 ? -1 : answer.modified_s * US_PER_SECOND,
        .etag = etag_of(s3),
        .body = answer.body,
    };
    if (err != OK) {
        *retry_after_s = err == ERR_UNAVAILABLE ? 0 : -1;
        return fail(op, err, "%s", s3->scratch.fault.detail);
    }
    if (answer.status >= 200 && answer.status < 300) {
        return OK;
    }
    err = refuse(s3, op, request, &answer, &may_pass);
    *retry_after_s = may_pass ? answer.retry_after_s : -1;
    return err;
}

enum err s3_send(struct s3 *s3, struct op *op, const struct s3_request *request,
                 struct s3_answer *out)
{
    for (int attempt = 0;; attempt++) {
        int retry_after_s;
        enum err err = attempt_once(s3, op, request, out, &retry_after_s);
        if (err == OK || retry_after_s < 0 || request->is_once ||
            !s3_wait(attempt, retry_after_s)) {
            return err;
        }
        op_clear_fault(op);
    }
}
