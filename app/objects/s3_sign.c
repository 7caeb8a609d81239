/* Signature Version 4. Called by s3_request.c. */
#include "objects/s3_sign.h"

#include "base/clock.h"

#define MAX_TEXT_BYTES (64u << 10) /* of what is signed: a key of 1,000 bytes, encoded, and more */
#define DATE_BYTES 8               /* of s3_time: "20130524" */
#define ALGORITHM "AWS4-HMAC-SHA256"

void s3_time(int64_t time_us, char out[S3_TIME_SIZE])
{
    struct clock_fields at = clock_split(time_us);

    snprintf(out, S3_TIME_SIZE, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)at.year % 10000,
             (unsigned)at.month % 100, (unsigned)at.day % 100, (unsigned)at.hour % 100,
             (unsigned)at.minute % 100, (unsigned)at.second % 100);
}

static bool is_unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void s3_encode(struct buf *out, struct str text, bool is_path)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_unreserved(c) || (is_path && c == '/')) {
            buf_add_char(out, (char)c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}

/* ---- the canonical request ---- */

static int compare_params(const void *a, const void *b)
{
    const struct s3_param *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->value, right->value);
}

/* By the bytes of the encoded text: the names of S3 are all unreserved, so it is the same. */
void s3_write_query(struct buf *out, const struct s3_call *call)
{
    struct s3_param sorted[S3_MAX_PARAMS];

    memcpy(sorted, call->query, sizeof sorted);
    qsort(sorted, (size_t)call->n_query, sizeof sorted[0], compare_params);
    for (int i = 0; i < call->n_query; i++) {
        buf_add_text(out, i > 0 ? "&" : "");
        s3_encode(out, str_of(sorted[i].name), false);
        buf_add_char(out, '=');
        s3_encode(out, str_of(sorted[i].value), false);
    }
}

/* The headers that are signed, sorted. */
struct signed_headers {
    struct s3_param list[S3_MAX_PARAMS + 3];
    int n;
};

static struct signed_headers collect_headers(const struct s3_call *call, const char *time)
{
    struct signed_headers all = { .list = { { "host", call->host } }, .n = 1 };

    if (time) {
        all.list[all.n++] = (struct s3_param){ "x-amz-content-sha256", call->payload };
        all.list[all.n++] = (struct s3_param){ "x-amz-date", time };
    }
    for (int i = 0; i < call->n_headers; i++) {
        all.list[all.n++] = call->headers[i];
    }
    qsort(all.list, (size_t)all.n, sizeof all.list[0], compare_params);
    return all;
}

static void write_header_names(struct buf *out, const struct signed_headers *headers)
{
    for (int i = 0; i < headers->n; i++) {
        buf_printf(out, "%s%s", i > 0 ? ";" : "", headers->list[i].name);
    }
}

static void write_canonical(struct buf *out, const struct s3_call *call,
                            const struct signed_headers *headers, const char *payload)
{
    buf_printf(out, "%s\n%s\n", call->method, call->path);
    s3_write_query(out, call);
    buf_add_char(out, '\n');
    for (int i = 0; i < headers->n; i++) {
        buf_printf(out, "%s:%s\n", headers->list[i].name, headers->list[i].value);
    }
    buf_add_char(out, '\n');
    write_header_names(out, headers);
    buf_printf(out, "\n%s", payload);
}

/* ---- the signature ---- */

/* "20130524/us-east-1/s3/aws4_request" */
static void write_scope(struct buf *out, const struct s3_keys *keys, const char *time)
{
    buf_printf(out, "%.*s/%s/s3/aws4_request", DATE_BYTES, time, keys->region);
}

static void chain(uint8_t key[CRYPTO_HASH_BYTES], struct str text)
{
    struct str as_text = { (const char *)key, CRYPTO_HASH_BYTES };
    uint8_t next[CRYPTO_HASH_BYTES];

    crypto_hmac_sha256(text, as_text, next);
    memcpy(key, next, sizeof next);
}

/* The signature of the canonical request, in hexadecimal. False without memory. */
static bool sign(struct arena *arena, const struct s3_keys *keys, struct str canonical,
                 const char *time, char out[CRYPTO_HEX_SIZE])
{
    uint8_t hash[CRYPTO_HASH_BYTES], key[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];
    struct buf text;
    const char *first = arena_printf(arena, "AWS4%s", keys->secret);

    buf_init(&text, arena, MAX_TEXT_BYTES);
    crypto_sha256(canonical, hash);
    crypto_hex(hash, sizeof hash, hex);
    buf_printf(&text, ALGORITHM "\n%s\n", time);
    write_scope(&text, keys, time);
    buf_printf(&text, "\n%s", hex);
    if (!first || text.is_broken) {
        return false;
    }
    crypto_hmac_sha256((struct str){ time, DATE_BYTES }, str_of(first), key);
    chain(key, str_of(keys->region));
    chain(key, STR("s3"));
    chain(key, STR("aws4_request"));
    chain(key, buf_str(&text));
    crypto_hex(key, sizeof key, out);
    return true;
}

/* NULL-terminated text of a buffer; NULL when it is broken or there is no memory. */
static const char *finish(struct buf *buf)
{
    buf_add_char(buf, '\0');
    return buf->is_broken ? NULL : buf->data;
}

const char *s3_authorization(struct arena *arena, const struct s3_keys *keys,
                             const struct s3_call *call)
{
    char time[S3_TIME_SIZE], signature[CRYPTO_HEX_SIZE];
    struct buf canonical, out;

    s3_time(call->time_us, time);
    const struct signed_headers headers = collect_headers(call, time);
    buf_init(&canonical, arena, MAX_TEXT_BYTES);
    buf_init(&out, arena, MAX_TEXT_BYTES);
    write_canonical(&canonical, call, &headers, call->payload);
    if (canonical.is_broken || !sign(arena, keys, buf_str(&canonical), time, signature)) {
        return NULL;
    }
    buf_printf(&out, ALGORITHM " Credential=%s/", keys->access);
    write_scope(&out, keys, time);
    buf_add_text(&out, ",SignedHeaders=");
    write_header_names(&out, &headers);
    buf_printf(&out, ",Signature=%s", signature);
    return finish(&out);
}

const char *s3_presign(struct arena *arena, const struct s3_keys *keys, const struct s3_call *call,
                       int expires_s)
{
    char time[S3_TIME_SIZE], signature[CRYPTO_HEX_SIZE];
    struct s3_call with = *call;
    struct buf canonical, scope, out;

    s3_time(call->time_us, time);
    buf_init(&scope, arena, MAX_TEXT_BYTES);
    buf_init(&canonical, arena, MAX_TEXT_BYTES);
    buf_init(&out, arena, MAX_TEXT_BYTES);
    buf_printf(&scope, "%s/", keys->access);
    write_scope(&scope, keys, time);
    const char *credential = finish(&scope);
    const char *expires = arena_printf(arena, "%d", expires_s);
    if (!credential || !expires || with.n_query > S3_MAX_PARAMS - 5) {
        return NULL;
    }
    with.query[with.n_query++] = (struct s3_param){ "X-Amz-Algorithm", ALGORITHM };
    with.query[with.n_query++] = (struct s3_param){ "X-Amz-Credential", credential };
    with.query[with.n_query++] = (struct s3_param){ "X-Amz-Date", time };
    with.query[with.n_query++] = (struct s3_param){ "X-Amz-Expires", expires };
    with.query[with.n_query++] = (struct s3_param){ "X-Amz-SignedHeaders", "host" };
    with.n_headers = 0;
    const struct signed_headers headers = collect_headers(&with, NULL);
    write_canonical(&canonical, &with, &headers, "UNSIGNED-PAYLOAD");
    if (canonical.is_broken || !sign(arena, keys, buf_str(&canonical), time, signature)) {
        return NULL;
    }
    buf_printf(&out, "%s?", call->path);
    s3_write_query(&out, &with);
    buf_printf(&out, "&X-Amz-Signature=%s", signature);
    return finish(&out);
}

struct str s3_signed_host(const char *scheme, struct str host)
{
    struct str port = strcmp(scheme, "https://") == 0 ? STR(":443") : STR(":80");

    if (host.len > port.len &&
        memcmp(host.ptr + host.len - port.len, port.ptr, port.len) == 0) {
        host.len -= port.len;
    }
    return host;
}
