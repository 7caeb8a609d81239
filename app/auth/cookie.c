/* Cookies. A `__Host-` cookie cannot be set by a neighbouring host or over plain http; at home
 * without https the prefix is not to be had. Called by session and csrf. */
#include "auth/cookie.h"

#define SECURE_PREFIX "__Host-"

bool cookie_is_secure(const struct config *config, const struct http_request *request)
{
    if (config->public_url) {
        struct str scheme = { config->public_url, strcspn(config->public_url, ":") };
        return str_equal_nocase(scheme, STR("https"));
    }
    return request->is_https;
}

struct str cookie_read(const struct http_request *request, const char *name, bool is_secure)
{
    char full[64];

    (void)snprintf(full, sizeof full, "%s%s", is_secure ? SECURE_PREFIX : "", name);
    return http_cookie(request, full);
}

bool cookie_write(struct http_response *response, const char *name, const char *value,
                  bool is_secure, int64_t seconds)
{
    const char *text =
        arena_printf(response->arena, "%s%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
                     is_secure ? SECURE_PREFIX : "", name, value, (long long)seconds,
                     is_secure ? "; Secure" : "");
    return text && http_add_header(response, "Set-Cookie", text);
}
