/* Form tokens. Checked by serve/dispatch before any page's POST reaches its handler; shown by
 * templates as the hidden field `csrf`. */
#include "auth/csrf.h"

#include "auth/cookie.h"

#define LOGIN_COOKIE "tidemark_login"
#define LOGIN_COOKIE_BYTES 24
#define LOGIN_COOKIE_SECONDS 3600
#define MAX_COOKIE_BYTES 64

void csrf_token(struct str secret, char out[CSRF_SIZE])
{
    uint8_t hash[CSRF_BYTES];

    /* keyed with the secret: who knows the token learns nothing of the session */
    crypto_blake2b(STR("tidemark form token"), secret, hash, sizeof hash);
    crypto_base64url(hash, sizeof hash, out);
}

bool csrf_is_valid(const char *expected, struct str shown)
{
    return expected && shown.ptr && strlen(expected) == shown.len &&
           crypto_equal(expected, shown.ptr, shown.len);
}

bool csrf_is_cross_site(const struct http_request *request)
{
    return str_equal_nocase(http_header(request, "Sec-Fetch-Site"), STR("cross-site"));
}

enum err csrf_before_login(const struct http_request *request, struct http_response *response,
                           bool is_secure, const char **out)
{
    struct op *op = request->op;
    struct str secret = cookie_read(request, LOGIN_COOKIE, is_secure);
    char fresh[CRYPTO_BASE64URL_SIZE(LOGIN_COOKIE_BYTES)];
    char token[CSRF_SIZE];

    if (secret.len < 16 || secret.len > MAX_COOKIE_BYTES) {
        uint8_t random[LOGIN_COOKIE_BYTES];
        crypto_random(random, sizeof random);
        crypto_base64url(random, sizeof random, fresh);
        secret = str_of(fresh);
        if (!cookie_write(response, LOGIN_COOKIE, fresh, is_secure, LOGIN_COOKIE_SECONDS)) {
            return fail_memory(op);
        }
    }
    csrf_token(secret, token);
    *out = arena_copy(op->arena, str_of(token));
    return *out ? OK : fail_memory(op);
}
