/* Single requests over libcurl. Called by objects/s3. */
#include "outbound/exchange.h"

#include "base/buf.h"

#include <curl/curl.h>

#define CONNECT_TIMEOUT_MS 5000L
#define STALL_SECONDS 30L              /* without a byte either way */
#define TRANSFER_BUFFER_BYTES (256L << 10) /* fewer calls of the system than the default's 16 KiB */

/* One exchange while it runs. */
struct running {
    CURL *curl;
    struct op *op;
    const struct exchange_request *request;
    struct buf body; /* kept */
    enum err err;    /* what ended it from within */
};

bool exchange_open(struct exchange_client *client, const char *ca_file)
{
    *client = (struct exchange_client){ .ca_file = ca_file };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
        client->handle = curl_easy_init();
    }
    return client->handle != NULL;
}

void exchange_close(struct exchange_client *client)
{
    curl_easy_cleanup(client->handle);
    curl_global_cleanup();
    client->handle = NULL;
}

static bool is_for_sink(const struct running *running)
{
    long status = 0;

    curl_easy_getinfo(running->curl, CURLINFO_RESPONSE_CODE, &status);
    return running->request->sink && status == running->request->sink_status;
}

static size_t take_body(const char *bytes, size_t size, size_t count, void *context)
{
    struct running *running = context;
    struct str piece = { bytes, size * count };

    if (is_for_sink(running)) {
        running->err = running->request->sink(running->request->context, running->op, piece);
    } else {
        buf_add_str(&running->body, piece);
        if (running->body.is_broken) {
            running->err = fail(running->op, ERR_INTERNAL, "%s: the answer is too long",
                                running->request->url);
        }
    }
    return running->err == OK ? piece.len : 0;
}

/* NULL without memory. */
static struct curl_slist *make_headers(const struct exchange_request *request)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:"); /* nothing is waited for */

    for (int i = 0; headers && i < request->n_headers; i++) {
        struct curl_slist *longer = curl_slist_append(headers, request->headers[i]);
        if (!longer) {
            curl_slist_free_all(headers);
        }
        headers = longer;
    }
    return headers;
}

/* libcurl keeps its connections over a reset. */
static void set_options(const struct exchange_client *client, struct running *running,
                        struct curl_slist *headers)
{
    const struct exchange_request *request = running->request;
    CURL *curl = running->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request->body.ptr) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, TRANSFER_BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, TRANSFER_BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_FILETIME, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, running);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (client->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
    }
}

static void read_answer(const struct running *running, struct exchange_answer *out)
{
    long status = 0;
    curl_off_t length = -1, modified_s = -1, retry_after_s = 0;

    curl_easy_getinfo(running->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(running->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(running->curl, CURLINFO_FILETIME_T, &modified_s);
    curl_easy_getinfo(running->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
    *out = (struct exchange_answer){
        .status = (int)status,
        .content_length = length,
        .modified_s = modified_s,
        .retry_after_s = retry_after_s > 0 && retry_after_s < 86400 ? (int)retry_after_s : 0,
        .body = buf_str(&running->body),
    };
}

/* A failure of TLS that the same asked again will meet again. */
static bool is_mistrust(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_CERTPROBLEM || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_URL_MALFORMAT;
}

enum err exchange_run(struct exchange_client *client, struct op *op,
                      const struct exchange_request *request, struct exchange_answer *out)
{
    struct running running = { .curl = client->handle, .op = op, .request = request };
    char why[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = make_headers(request);

    *out = (struct exchange_answer){ .content_length = -1, .modified_s = -1 };
    if (!headers) {
        return fail_memory(op);
    }
    buf_init(&running.body, op->arena, request->max_body);
    set_options(client, &running, headers);
    curl_easy_setopt(running.curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = curl_easy_perform(running.curl);
    read_answer(&running, out);
    curl_easy_setopt(running.curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(running.curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    if (running.err != OK) {
        return running.err;
    }
    return code == CURLE_OK
               ? OK
               : fail(op, is_mistrust(code) ? ERR_INTERNAL : ERR_UNAVAILABLE, "%.*s: %s",
                      (int)strcspn(request->url, "?"), request->url,
                      why[0] ? why : curl_easy_strerror(code));
}

const char *exchange_header(struct exchange_client *client, struct op *op, const char *name)
{
    struct curl_header *header = NULL;

    return curl_easy_header(client->handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? arena_copy(op->arena, str_of(header->value))
               : NULL;
}
