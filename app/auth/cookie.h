/* The application's cookies: names, prefix and attributes in one place. */
#ifndef TIDEMARK_AUTH_COOKIE_H
#define TIDEMARK_AUTH_COOKIE_H

#include "base/config.h"
#include "http/request.h"
#include "http/response.h"

/* Whether cookies are Secure with the __Host- prefix: where PUBLIC_URL is https, or, without
 * one, where this request came by https. */
bool cookie_is_secure(const struct config *config, const struct http_request *request);

/* The cookie's value; empty when absent. */
struct str cookie_read(const struct http_request *request, const char *name, bool is_secure);

/* Sets it for `seconds` (0: removes it), HttpOnly and SameSite=Lax. False without room. */
bool cookie_write(struct http_response *response, const char *name, const char *value,
                  bool is_secure, int64_t seconds);

#endif
