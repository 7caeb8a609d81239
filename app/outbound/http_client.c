/* An HTTP client over libcurl. Called by the demo's poster in serve/. */
#include "outbound/http_client.h"

#include "base/buf.h"

#include <curl/curl.h>

#define ANSWER_MAX_BYTES (64u << 10) /* beyond it an answer is cut: it is read by people */

bool http_client_open(struct http_client *client)
{
    client->handle = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
        client->handle = curl_easy_init();
    }
    return client->handle != NULL;
}

void http_client_close(struct http_client *client)
{
    curl_easy_cleanup(client->handle);
    curl_global_cleanup();
    client->handle = NULL;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    size_t len = size * count;
    size_t room = ANSWER_MAX_BYTES - body->len;
    buf_add(body, bytes, len < room ? len : room);
    return len;
}

/* The request's headers; NULL without memory. */
static struct curl_slist *make_headers(struct op *op, const struct http_client_request *request)
{
    const char *lines[2] = { arena_printf(op->arena, "Content-Type: %s", request->content_type) };
    int n = 1;
    if (request->bearer != NULL) {
        lines[n++] = arena_printf(op->arena, "Authorization: Bearer %s", request->bearer);
    }
    struct curl_slist *headers = NULL;
    for (int i = 0; i < n; i++) {
        struct curl_slist *longer = lines[i] ? curl_slist_append(headers, lines[i]) : NULL;
        if (longer == NULL) {
            curl_slist_free_all(headers);
            return NULL;
        }
        headers = longer;
    }
    return headers;
}

static void set_options(CURL *curl, const struct http_client_request *request,
                        struct curl_slist *headers, struct buf *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static void read_answer(CURL *curl, const struct buf *body, struct http_client_answer *out)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    *out = (struct http_client_answer){
        .status = (int)status,
        .retry_after_s = retry_after_s > 0 && retry_after_s < 86400 ? (int)retry_after_s : 0,
        .body = buf_str(body),
    };
}

enum err http_client_post(struct http_client *client, struct op *op,
                          const struct http_client_request *request,
                          struct http_client_answer *out)
{
    CURL *curl = client->handle;
    struct buf body;
    buf_init(&body, op->arena, ANSWER_MAX_BYTES);
    struct curl_slist *headers = make_headers(op, request);
    if (headers == NULL) {
        return fail_memory(op);
    }
    set_options(curl, request, headers, &body);
    CURLcode code = curl_easy_perform(curl);
    enum err err = OK;
    if (code != CURLE_OK) {
        err = fail(op, ERR_UNAVAILABLE, "%s: %s", request->url, curl_easy_strerror(code));
    } else {
        read_answer(curl, &body, out);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return err;
}
