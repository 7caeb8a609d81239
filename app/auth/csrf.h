/* Proof that a form was ours. A logged-in person's form token is a keyed hash of the session's
 * secret, so it needs no storage. The login form, before any session, is bound to a cookie of
 * its own (double submit). */
#ifndef TIDEMARK_AUTH_CSRF_H
#define TIDEMARK_AUTH_CSRF_H

#include "base/crypto.h"
#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

#define CSRF_BYTES 24
#define CSRF_SIZE CRYPTO_BASE64URL_SIZE(CSRF_BYTES)

/* The form token of a session's (or the login cookie's) secret. */
void csrf_token(struct str secret, char out[CSRF_SIZE]);

/* True when `shown` is that token; in constant time. `expected` may be NULL (never true). */
bool csrf_is_valid(const char *expected, struct str shown);

/* True when the browser says that another site's page caused the request. */
bool csrf_is_cross_site(const struct http_request *request);

/* The login form's token in the op's arena, bound to a cookie that is set where it is missing. */
enum err csrf_before_login(const struct http_request *request, struct http_response *response,
                           bool is_secure, const char **out) MUST_CHECK;

#endif
