/* The S3 store: a bucket of any server that speaks S3. Reading, listing, removing, and what there
 * is to do about the bucket. Writing is s3_put.c's. Called by store.c. */
#include "objects/s3.h"

#include "base/clock.h"
#include "base/md5.h"

#define SCRATCH_ARENA_BYTES (20u << 20) /* of one request: the longest answer that is kept, twice */
#define MAX_DELETE_BYTES (4u << 20)     /* the list of a thousand keys */
#define MAX_UPLOADS 1000                /* unfinished ones, of one list */
#define MAX_UPLOAD_PAGES 20

static void s3_close(void *self)
{
    struct s3 *s3 = self;

    exchange_close(&s3->http);
    arena_free(s3->scratch.arena);
}

/* ---- the bucket ---- */

/* Whether it is there, and we may see it. */
static enum err find_bucket(struct s3 *s3, struct op *op, struct s3_answer *answer)
{
    struct s3_request request = { .method = "HEAD" };

    return s3_send(s3, op, &request, answer);
}

static enum err make_bucket(struct s3 *s3, struct op *op)
{
    struct s3_request request = { .method = "PUT", .body = STR("") };
    struct s3_answer answer;

    if (strcmp(s3->keys.region, "us-east-1") != 0) {
        const char *body = arena_printf(op->arena,
                                        "<CreateBucketConfiguration><LocationConstraint>%s"
                                        "</LocationConstraint></CreateBucketConfiguration>",
                                        s3->keys.region);
        if (!body) {
            return fail_memory(op);
        }
        request.body = str_of(body);
    }
    enum err err = s3_send(s3, op, &request, &answer);
    if (err != OK && answer.status == 409) { /* made meanwhile, by one of ours or by others */
        op_clear_fault(op);
        err = find_bucket(s3, op, &answer);
    }
    return err;
}

static enum err s3_prepare(void *self, struct op *op, enum store_step step)
{
    struct s3 *s3 = self;
    struct s3_answer answer;
    enum err err = find_bucket(s3, op, &answer);

    if (err == OK || answer.status != 404) {
        return err;
    }
    op_clear_fault(op);
    return step == STORE_MAKE ? make_bucket(s3, op)
                    : fail(op, ERR_UNAVAILABLE, "NoSuchBucket: there is no bucket %s at the object "
                           "store" S3_BUCKET_HINT, s3->bucket);
}

/* ---- reading ---- */

static enum err s3_head(void *self, struct op *op, const char *key, struct store_object *out)
{
    struct s3_request request = { .method = "HEAD", .key = key };
    struct s3_answer answer;
    enum err err = s3_send(self, op, &request, &answer);

    if (err != OK) {
        return err;
    }
    *out = (struct store_object){ arena_copy(op->arena, str_of(key)), answer.content_length,
                                  answer.modified_us };
    return out->key ? OK : fail_memory(op);
}

/* A reading, over the requests that it takes. */
struct reading {
    struct op *op;
    struct store_range left; /* what was not handed on yet */
    store_sink sink;
    void *context;
    enum err sink_err;
    char etag[80]; /* of what the first answer began; then it must be that */
    bool has_moved; /* since the last request began */
};

static enum err hand_on(void *context, struct op *scratch, struct str bytes)
{
    struct reading *reading = context;

    (void)scratch; /* of a request; the sink's is its caller's */
    if (reading->left.len >= 0 && (int64_t)bytes.len > reading->left.len) {
        reading->sink_err = fail(reading->op, ERR_INTERNAL, "the object store gives more bytes "
                                 "than were asked for");
        return reading->sink_err;
    }
    reading->sink_err = reading->sink(reading->context, reading->op, bytes);
    if (reading->sink_err == OK) {
        reading->left.from += (int64_t)bytes.len;
        reading->left.len -= reading->left.len < 0 ? 0 : (int64_t)bytes.len;
        reading->has_moved = true;
    }
    return reading->sink_err;
}

/* "bytes=5-9", "bytes=5-"; NULL for the whole. */
static const char *range_text(const struct store_range *range, char *out, size_t size)
{
    if (range->len < 0 && range->from == 0) {
        return NULL;
    }
    int n = snprintf(out, size, "bytes=%lld-", (long long)range->from);
    if (range->len >= 0) {
        snprintf(out + n, size - (size_t)n, "%lld", (long long)(range->from + range->len - 1));
    }
    return out;
}

static enum err get_once(struct s3 *s3, const char *key, struct reading *reading,
                         struct s3_answer *answer)
{
    char range[64], etag[sizeof reading->etag + 2];
    struct s3_request request = { .method = "GET", .key = key, .sink = hand_on,
                                  .context = reading, .sink_status = 200, .is_once = true };
    const char *text = range_text(&reading->left, range, sizeof range);

    if (text) {
        request.headers[request.n_headers++] = (struct s3_param){ "range", text };
        request.sink_status = 206;
    }
    if (reading->etag[0]) {
        snprintf(etag, sizeof etag, "\"%s\"", reading->etag);
        request.headers[request.n_headers++] = (struct s3_param){ "if-match", etag };
    }
    enum err err = s3_send(s3, reading->op, &request, answer);
    if (err == OK && answer->status != request.sink_status) {
        return fail(reading->op, ERR_INTERNAL, "the object store answers a range with %d",
                    answer->status);
    }
    if (answer->etag && !reading->etag[0] && strlen(answer->etag) < sizeof reading->etag) {
        memcpy(reading->etag, answer->etag, strlen(answer->etag) + 1);
    }
    return err;
}

/* What was handed on is not asked for again. */
static enum err s3_get(void *self, struct op *op, const char *key, struct store_range range,
                       store_sink sink, void *context)
{
    struct reading reading = { .op = op, .left = range, .sink = sink, .context = context };
    struct s3_answer answer;

    for (int attempt = 0; reading.left.len != 0; attempt++) {
        reading.has_moved = false;
        enum err err = get_once(self, key, &reading, &answer);
        if (err == OK) {
            return reading.left.len > 0 ? fail(op, ERR_INTERNAL, "%s ends early", key) : OK;
        }
        attempt = reading.has_moved ? 0 : attempt;
        if (reading.sink_err != OK || !err_may_pass(err) || !s3_wait(attempt, 0)) {
            return err;
        }
        op_clear_fault(op);
    }
    return OK;
}

static enum err s3_list(void *self, struct op *op, const char *prefix, const char *after, int max,
                        struct store_page *out)
{
    char number[16];
    struct s3_request request = {
        .method = "GET",
        .query = { { "list-type", "2" }, { "prefix", prefix }, { "max-keys", number } },
        .n_query = 3,
    };
    struct s3_answer answer;

    snprintf(number, sizeof number, "%d", max);
    if (after) {
        request.query[request.n_query++] = (struct s3_param){ "continuation-token", after };
    }
    enum err err = s3_send(self, op, &request, &answer);
    if (err != OK) {
        return err;
    }
    return s3_read_list(op->arena, answer.body, max, out)
               ? OK
               : fail(op, ERR_INTERNAL, "the object store's list cannot be understood");
}

/* ---- removing ---- */

static enum err delete_one(struct s3 *s3, struct op *op, const char *key)
{
    struct s3_request request = { .method = "DELETE", .key = key };
    struct s3_answer answer;
    enum err err = s3_send(s3, op, &request, &answer);

    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return OK;
    }
    return err;
}

static void write_delete(struct buf *body, const char *const *keys, int n)
{
    buf_add_text(body, "<Delete><Quiet>true</Quiet>");
    for (int i = 0; i < n; i++) {
        buf_add_text(body, "<Object><Key>");
        s3_write_text(body, keys[i]);
        buf_add_text(body, "</Key></Object>");
    }
    buf_add_text(body, "</Delete>");
}

static enum err s3_delete_many(void *self, struct op *op, const char *const *keys, int n)
{
    struct s3 *s3 = self;
    uint8_t digest[MD5_BYTES];
    char md5_text[CRYPTO_BASE64_SIZE(MD5_BYTES)];
    struct s3_answer answer;
    struct buf body;

    if (n == 1) {
        return delete_one(s3, op, keys[0]);
    }
    buf_init(&body, op->arena, MAX_DELETE_BYTES);
    write_delete(&body, keys, n);
    if (body.is_broken) {
        return fail_memory(op);
    }
    md5(buf_str(&body), digest);
    crypto_base64(digest, sizeof digest, md5_text);
    struct s3_request request = {
        .method = "POST", .query = { { "delete", "" } }, .n_query = 1, .body = buf_str(&body),
        .headers = { { "content-md5", md5_text } }, .n_headers = 1,
    };
    enum err err = s3_send(s3, op, &request, &answer);
    if (err != OK) {
        return err;
    }
    struct str code = s3_read_text(s3->scratch.arena, answer.body, "Code");
    return code.len == 0 || str_equal(code, STR("NoSuchKey"))
               ? OK
               : fail(op, ERR_UNAVAILABLE, "the object store could not remove all: %.*s",
                      (int)code.len, code.ptr);
}

/* A page of unfinished uploads, from behind the page before on. Without a prefix: MinIO takes that
 * for a whole key. */
static enum err list_uploads(struct s3 *s3, struct op *op, struct s3_upload_page *page)
{
    struct s3_request request = { .method = "GET",
                                  .query = { { "uploads", "" }, { "max-uploads", "1000" } },
                                  .n_query = 2 };
    struct s3_answer answer;

    if (page->next_key) {
        request.query[request.n_query++] = (struct s3_param){ "key-marker", page->next_key };
    }
    if (page->next_id) {
        request.query[request.n_query++] = (struct s3_param){ "upload-id-marker", page->next_id };
    }
    enum err err = s3_send(s3, op, &request, &answer);
    if (err != OK) {
        return err;
    }
    return s3_read_uploads(op->arena, answer.body, MAX_UPLOADS, page)
               ? OK
               : fail(op, ERR_INTERNAL,
                      "the object store's list of uploads cannot be understood");
}

/* The bucket may be others', too. */
static bool is_ours(const char *key)
{
    return strncmp(key, "upload/", 7) == 0 || strncmp(key, "archive/", 8) == 0 ||
           strncmp(key, "backup/", 7) == 0;
}

static enum err abort_old(struct s3 *s3, struct op *op, const struct s3_upload_page *page,
                          int64_t before_us, int *out_n)
{
    enum err err = OK;

    for (int i = 0; i < page->n && err == OK; i++) {
        const struct s3_upload *upload = &page->uploads[i];
        if (upload->initiated_us > before_us || !is_ours(upload->key)) {
            continue;
        }
        err = s3_abort_upload(s3, op, upload->key, upload->id);
        *out_n += err == OK;
        if (err == ERR_NOT_FOUND) { /* it was finished meanwhile */
            op_clear_fault(op);
            err = OK;
        }
    }
    return err;
}

/* Of so many lists at most; the next sweep finds the rest. */
static enum err s3_sweep(void *self, struct op *op, int64_t age_s, int *out_n)
{
    int64_t before_us = clock_now_us() - age_s * US_PER_SECOND;
    struct s3_upload_page page = { 0 };

    for (int n = 0; n == 0 || (page.next_key && n < MAX_UPLOAD_PAGES); n++) {
        enum err err = list_uploads(self, op, &page);
        if (err == OK) {
            err = abort_old(self, op, &page, before_us, out_n);
        }
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

/* ---- the store ---- */

static const struct store_kind KIND = {
    .close = s3_close,
    .prepare = s3_prepare,
    .put_begin = s3_put_begin,
    .put_write = s3_put_write,
    .put_finish = s3_put_finish,
    .put_abort = s3_put_abort,
    .head = s3_head,
    .get = s3_get,
    .list = s3_list,
    .delete_many = s3_delete_many,
    .sweep = s3_sweep,
};

/* Cuts "https://host:port/prefix/" into what every request needs. ERR_INVALID for a bucket's name
 * that could be none. */
static enum err take_place(struct op *op, struct store *store, struct s3 *s3,
                           const struct config *config)
{
    struct arena *arena = store->arena;
    struct str rest = str_of(config->s3_endpoint);
    size_t scheme_len = (size_t)(strstr(config->s3_endpoint, "://") + 3 - config->s3_endpoint);
    size_t bucket_len = strlen(config->s3_bucket);

    if (bucket_len < 3 || bucket_len > 63 ||
        strspn(config->s3_bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != bucket_len) {
        return fail(op, ERR_INVALID, "S3_BUCKET: not the name of a bucket: %s", config->s3_bucket);
    }
    s3->scheme = arena_copy(arena, (struct str){ rest.ptr, scheme_len });
    if (!s3->scheme) {
        return fail_memory(op);
    }
    rest = (struct str){ rest.ptr + scheme_len, rest.len - scheme_len };
    struct str host = s3_signed_host(s3->scheme, str_cut(&rest, '/'));
    struct str prefix = str_trim(rest);
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/') {
        prefix.len--;
    }
    const char *slash = prefix.len > 0 ? "/" : "";
    s3->bucket = config->s3_bucket;
    if (config->s3_path_style) {
        s3->host = arena_copy(arena, host);
        s3->root = arena_printf(arena, "%s%.*s/%s", slash, (int)prefix.len,
                                prefix.ptr ? prefix.ptr : "", s3->bucket);
    } else {
        s3->host = arena_printf(arena, "%s.%.*s", s3->bucket, (int)host.len, host.ptr);
        s3->root = arena_printf(arena, "%s%.*s", slash, (int)prefix.len,
                                prefix.ptr ? prefix.ptr : "");
    }
    store->name = arena_printf(arena, "%s/%s", config->s3_endpoint, s3->bucket);
    return s3->host && s3->root && store->name ? OK : fail_memory(op);
}

enum err s3_open(struct op *op, struct store *store, const struct config *config)
{
    struct s3 *s3 = arena_alloc(store->arena, sizeof *s3);

    if (!s3) {
        return fail_memory(op);
    }
    enum err err = take_place(op, store, s3, config);
    if (err != OK) {
        return err;
    }
    s3->keys = (struct s3_keys){ config->s3_access_key, config->s3_secret_key, config->s3_region };
    s3->scratch.arena = arena_new(SCRATCH_ARENA_BYTES);
    if (!s3->scratch.arena || !exchange_open(&s3->http, config->s3_ca_file)) {
        arena_free(s3->scratch.arena);
        return fail_memory(op);
    }
    store->kind = &KIND;
    store->self = s3;
    return OK;
}
