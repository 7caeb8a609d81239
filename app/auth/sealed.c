/* Opening of emoncms's encrypted form: what was right and what was wrong take the same way, and
 * are answered alike, so that no answer helps to find out what a request that was heard says. */
#include "auth/sealed.h"

#include "base/buf.h"
#include "http/form.h"
#include "http/inflate.h"

#define PACKED "aes128cbcgz"
#define PLAIN "aes128cbc"
#define FORM "application/x-www-form-urlencoded"
#define RECEIPT_SIZE 45 /* base64 of a SHA-256, with its padding and NUL */

bool sealed_is(const struct http_request *request)
{
    return str_equal(request->content_type, STR(PLAIN)) ||
           str_equal(request->content_type, STR(PACKED));
}

bool sealed_read_name(struct str authorization, int64_t *out_token_id)
{
    long long id = 0;

    if (!str_to_int64(str_trim(str_cut(&authorization, ':')), &id) || id <= 0) {
        return false;
    }
    *out_token_id = id;
    return true;
}

/* Base64 of either alphabet, with or without padding. False for any other text. */
static bool decode(struct arena *arena, struct str text, struct str *out)
{
    char *url = arena_copy(arena, str_trim(text));
    size_t len = url ? strlen(url) : 0, n = 0;
    uint8_t *bytes = arena_alloc(arena, len + 1);

    if (!url || !bytes) {
        return false;
    }
    while (len > 0 && url[len - 1] == '=') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        url[i] = url[i] == '+' ? '-' : url[i] == '/' ? '_' : url[i];
    }
    bool is_read = crypto_base64url_decode((struct str){ url, len }, bytes, len, &n);
    *out = (struct str){ (const char *)bytes, n };
    return is_read;
}

/* How many bytes of the last block are padding (PKCS #7); 0 where that is not what they are. */
static size_t padding_of(const uint8_t *bytes, size_t len)
{
    size_t n = bytes[len - 1];
    unsigned wrong = n == 0 || n > CRYPTO_AES_BYTES;

    for (size_t i = 1; i <= CRYPTO_AES_BYTES; i++) {
        wrong |= i <= n && bytes[len - i] != n;
    }
    return wrong ? 0 : n;
}

/* What is left with this key; its HMAC tells whether it is anything. */
static bool open_with(const uint8_t *key, struct str sealed, uint8_t *plain, struct str *out)
{
    const size_t len = sealed.len - CRYPTO_AES_BYTES;
    const struct str text = { sealed.ptr + CRYPTO_AES_BYTES, len };

    if (!crypto_aes128_cbc_open(key, (const uint8_t *)sealed.ptr, text, plain)) {
        return false;
    }
    *out = (struct str){ (const char *)plain, len - padding_of(plain, len) };
    return true;
}

static bool is_authentic(const uint8_t *key, struct str plain, struct str said)
{
    uint8_t mac[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];

    crypto_hmac_sha256(plain, (struct str){ (const char *)key, CRYPTO_AES_BYTES }, mac);
    crypto_hex(mac, sizeof mac, hex);
    return said.len == CRYPTO_HEX_SIZE - 1 && crypto_equal(said.ptr, hex, said.len);
}

/* emoncms knows no escapes here: what would be taken for one is escaped. */
static enum err become_form(struct http_request *request, struct str plain)
{
    struct buf form;

    buf_init(&form, request->op->arena, 3 * plain.len + 1);
    for (size_t i = 0; i < plain.len; i++) {
        if (plain.ptr[i] == '%') {
            buf_add_text(&form, "%25");
        } else if (plain.ptr[i] == '+') {
            buf_add_text(&form, "%2B");
        } else {
            buf_add_char(&form, plain.ptr[i]);
        }
    }
    if (form.is_broken) {
        return fail_memory(request->op);
    }
    request->body = buf_str(&form);
    request->is_body_read = true;
    request->content_type = STR(FORM);
    request->target = request->path;
    request->n_query = 0;
    request->n_captures = 0;
    return OK;
}

static enum err be_opened(struct http_request *request, struct str plain)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char *receipt = arena_alloc(request->op->arena, RECEIPT_SIZE);

    if (!receipt) {
        return fail_memory(request->op);
    }
    crypto_sha256(plain, hash);
    crypto_base64url(hash, sizeof hash, receipt);
    receipt[RECEIPT_SIZE - 2] = '=';
    receipt[RECEIPT_SIZE - 1] = '\0';
    request->receipt = receipt;
    if (str_equal(request->content_type, STR(PACKED))) {
        enum err err = http_inflate(request->op, plain, INFLATE_DEFLATE, MAX_INGEST_BODY_BYTES,
                                    &plain);
        if (err) {
            return err;
        }
    }
    return become_form(request, plain);
}

enum err sealed_open(struct http_request *request, struct str authorization,
                     const struct token_keys *keys, char token[TOKEN_SIZE])
{
    struct arena *arena = request->op->arena;
    struct str body, sealed, plain;
    enum err err = http_read_decoded_body(request, http_stranger_cap(request), &body);

    token[0] = '\0';
    (void)str_cut(&authorization, ':');
    if (err) {
        return err;
    }
    if (!decode(arena, body, &sealed) || sealed.len < 2 * CRYPTO_AES_BYTES ||
        sealed.len % CRYPTO_AES_BYTES != 0) {
        return OK;
    }
    uint8_t *bytes = arena_alloc(arena, sealed.len);
    if (!bytes) {
        return fail_memory(request->op);
    }
    for (int i = 0; i < keys->n; i++) {
        if (open_with(keys->keys[i], sealed, bytes, &plain) &&
            is_authentic(keys->keys[i], plain, str_trim(authorization))) {
            token_of_key(keys->keys[i], token);
            return be_opened(request, plain);
        }
    }
    return OK;
}
