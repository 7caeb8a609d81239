/* The login itself; the page around it is web/page_login. */
#include "auth/login.h"

#include "auth/cookie.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/limits.h"
#include "domain/credential.h"

#define MAX_EMAIL_BYTES 320
#define MAX_NEXT_BYTES 2048

static enum err start_session(struct db_tx *tx, const struct config *config,
                              const struct http_request *request, struct http_response *response,
                              const char *email, const char *address, int64_t person_id)
{
    bool is_secure = cookie_is_secure(config, request);
    struct str old = session_secret(request, is_secure);
    uint8_t hash[CRYPTO_HASH_BYTES];
    enum err err = OK;

    if (old.len > 0) {
        crypto_sha256(old, hash);
        err = credential_session_end(tx, hash);
    }
    if (err == OK) {
        err = session_issue(request->op, response, is_secure, hash);
    }
    return err == OK ? credential_login_passed(tx, email, address, person_id, hash) : err;
}

enum err login_attempt(struct db_tx *tx, const struct config *config, const struct http_request *request,
                       struct http_response *response, struct str email, struct str password,
                       struct login_result *out)
{
    struct op *op = request->op;
    struct login_record record;
    struct str trimmed = str_trim(email);
    bool is_sane = trimmed.len <= MAX_EMAIL_BYTES && password.len <= MAX_PASSWORD_BYTES;
    const char *address = arena_copy(op->arena, request->remote_addr);
    const char *key = arena_copy(op->arena, is_sane ? trimmed : STR("too long"));

    *out = (struct login_result){ .outcome = LOGIN_REFUSED };
    if (!address || !key) {
        return fail_memory(op);
    }
    enum err err = credential_login_find(tx, key, address, &record);
    if (err != OK) {
        return err;
    }
    if (record.wait_s > 0) {
        *out = (struct login_result){ .outcome = LOGIN_WAIT, .wait_s = record.wait_s };
        return OK;
    }
    if (!is_sane || !password_fits(password, record.password_hash)) {
        return credential_login_failed(tx, key, address);
    }
    err = start_session(tx, config, request, response, key, address, record.person_id);
    if (err == OK) {
        out->outcome = LOGIN_PASSED;
    }
    return err;
}

const char *login_next_path(struct op *op, struct str next)
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
