/* The login itself; the page around it is web/page_login. */
#include "auth/login.h"

#include "auth/cookie.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/limits.h"
#include "domain/credential.h"

#include <arpa/inet.h>

#define MAX_EMAIL_BYTES 320
#define MAX_NEXT_BYTES 2048
#define IPV6_NETWORK_BYTES 8 /* a /64: the least that a provider gives to one customer */

/* What the attempt is counted by. */
struct attempt {
    const char *email, *address;
};

const char *login_throttled_address(struct op *op, struct str address)
{
    const char *text = arena_copy(op->arena, address);
    char shown[INET6_ADDRSTRLEN];
    struct in6_addr network;

    if (!text || inet_pton(AF_INET6, text, &network) != 1) {
        return text;
    }
    if (IN6_IS_ADDR_V4MAPPED(&network)) {
        const void *ipv4 = network.s6_addr + sizeof network - sizeof(struct in_addr);
        return inet_ntop(AF_INET, ipv4, shown, sizeof shown)
                   ? arena_copy(op->arena, str_of(shown))
                   : text;
    }
    memset(network.s6_addr + IPV6_NETWORK_BYTES, 0, sizeof network - IPV6_NETWORK_BYTES);
    return inet_ntop(AF_INET6, &network, shown, sizeof shown)
               ? arena_printf(op->arena, "%s/64", shown)
               : text;
}

/* ERR_INTERNAL without memory. */
static enum err attempt_init(const struct http_request *request, struct str email,
                             struct attempt *out)
{
    struct op *op = request->op;
    struct str trimmed = str_trim(email);
    bool is_sane = trimmed.len <= MAX_EMAIL_BYTES;

    out->email = arena_copy(op->arena, is_sane ? trimmed : STR("too long"));
    out->address = login_throttled_address(op, request->remote_addr);
    return out->email && out->address ? OK : fail_memory(op);
}

enum err login_start(struct db_tx *tx, const struct config *config,
                     const struct http_request *request, struct http_response *response,
                     const struct login *login, const char *tenant_slug)
{
    bool is_secure = cookie_is_secure(config, request);
    struct str old = session_secret(request, is_secure);
    struct attempt attempt;
    uint8_t hash[CRYPTO_HASH_BYTES];
    bool is_switched = false;
    enum err err = attempt_init(request, login->email, &attempt);

    if (err == OK && old.len > 0) {
        crypto_sha256(old, hash);
        err = credential_session_end(tx, hash);
    }
    if (err == OK) {
        err = session_issue(request->op, response, is_secure, hash);
    }
    if (err == OK) {
        err = credential_login_passed(tx, attempt.email, attempt.address, login->person_id, hash);
    }
    if (err == OK && tenant_slug) {
        err = credential_session_switch(tx, hash, tenant_slug, &is_switched);
    }
    return err;
}

enum err login_verify(struct db_tx *tx, const struct http_request *request, struct login *login)
{
    struct login_record record;
    struct attempt attempt;
    enum err err = attempt_init(request, login->email, &attempt);

    login->outcome = LOGIN_REFUSED;
    if (err == OK) {
        err = credential_login_find(tx, attempt.email, attempt.address, &record);
    }
    if (err != OK) {
        return err;
    }
    login->person_id = record.person_id;
    if (record.wait_s > 0) {
        login->outcome = LOGIN_WAIT;
        login->wait_s = record.wait_s;
        return OK;
    }
    if (login->password.len > MAX_PASSWORD_BYTES ||
        !password_fits(login->password, record.password_hash)) {
        return credential_login_failed(tx, attempt.email, attempt.address);
    }
    login->outcome = LOGIN_PASSED;
    return OK;
}

enum err login_attempt(struct db_tx *tx, const struct config *config,
                       const struct http_request *request, struct http_response *response,
                       struct login *login)
{
    enum err err = login_verify(tx, request, login);

    if (err == OK && login->outcome == LOGIN_PASSED) {
        err = login_start(tx, config, request, response, login, NULL);
    }
    return err;
}

/* Addresses that take a form alone: nobody can be sent there. */
static bool is_form_only(struct str path)
{
    static const char *const PATHS[] = { "/login", "/logout", "/switch", "/theme" };
    struct str bare = { path.ptr, 0 };

    while (bare.len < path.len && path.ptr[bare.len] != '?' && path.ptr[bare.len] != '#') {
        bare.len++;
    }
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        if (str_equal(bare, str_of(PATHS[i]))) {
            return true;
        }
    }
    return false;
}

const char *login_own_path(struct op *op, struct str next)
{
    bool is_ours = next.len > 0 && next.len <= MAX_NEXT_BYTES && next.ptr[0] == '/' &&
                   !(next.len > 1 && (next.ptr[1] == '/' || next.ptr[1] == '\\'));

    for (size_t i = 0; is_ours && i < next.len; i++) {
        unsigned char c = (unsigned char)next.ptr[i];
        is_ours = c > 0x20 && c < 0x7f && c != '\\'; /* browsers drop tabs and line ends */
    }
    const char *path = is_ours ? arena_copy(op->arena, next) : NULL;
    return path ? path : "/";
}

const char *login_next_path(struct op *op, struct str next)
{
    return is_form_only(next) ? "/" : login_own_path(op, next);
}
