/* Who may pass: credentials, then the role that the route asks for, then the limits of a device's
 * token and tenant, then the proof that a form was ours. Called by dispatch, in this order. */
#include "serve/passage.h"

#include "auth/cookie.h"
#include "auth/csrf.h"
#include "auth/sealed.h"
#include "auth/session.h"
#include "auth/share.h"
#include "auth/token.h"
#include "base/clock.h"
#include "http/multipart.h"
#include "ingest/format.h"
#include "ingest/quota.h"

/* ---- credentials ---- */

static unsigned places_of(const struct route *route)
{
    if (route->access == ACCESS_PUBLIC || route->access == ACCESS_SHARE) {
        return 0;
    }
    if (route->style == STYLE_PAGE) {
        return CREDENTIAL_IN_COOKIE;
    }
    return route->format ? route->format->credentials
                         : CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_COOKIE;
}

static enum err identify_token(struct passage *passage)
{
    struct dispatcher *dispatcher = passage->dispatcher;
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct db_conn *conn;
    struct db_tx *tx;

    if (!token_is_plausible(passage->credential.secret)) {
        return OK;
    }
    token_hash(passage->credential.secret, hash);
    if (token_cache_find(dispatcher->tokens, &passage->op, hash, clock_monotonic_us(),
                         &passage->who)) {
        return OK;
    }
    enum err err = passage_begin(passage, true, 0, &tx, &conn);
    if (err == OK) {
        err = token_resolve(dispatcher->tokens, tx, hash, &passage->who);
        err = passage_end(passage, tx, conn, err);
    }
    return err;
}

/* Opens the body by the key of the token that is named; it is a form of that token's then. */
static enum err identify_sealed(struct passage *passage)
{
    struct credential *credential = &passage->credential;
    struct token_keys keys = { .n = 0 };
    char token[TOKEN_SIZE] = "";
    struct db_conn *conn;
    struct db_tx *tx;
    int64_t token_id;

    if (!sealed_read_name(credential->secret, &token_id)) {
        return OK;
    }
    enum err err = passage_begin(passage, false, 0, &tx, &conn);
    if (err == OK) {
        err = credential_token_keys(tx, token_id, &keys);
        err = passage_end(passage, tx, conn, err);
    }
    if (err == OK) {
        err = sealed_open(&passage->request, credential->secret, &keys, token);
    }
    if (err != OK || token[0] == '\0') {
        return err;
    }
    credential->secret = str_of(arena_copy(passage->op.arena, str_of(token)));
    return credential->secret.ptr ? identify_token(passage) : fail_memory(&passage->op);
}

static enum err identify_session(struct passage *passage)
{
    struct db_conn *conn;
    enum err err = passage_take(passage, &conn);

    if (err == OK) {
        err = session_resolve(&passage->op, conn, passage->credential.secret, &passage->who);
        passage_give(passage, conn);
    }
    return err;
}

static enum err identify_share(struct passage *passage)
{
    struct db_conn *conn;
    struct db_tx *tx;
    enum err err = passage_begin(passage, true, 0, &tx, &conn);

    if (err == OK) {
        err = share_resolve(tx, http_capture(&passage->request, "secret"), &passage->who);
        err = passage_end(passage, tx, conn, err);
    }
    return err;
}

enum err gate_identify(struct passage *passage)
{
    const struct route *route = passage->route;
    enum err err = OK;

    passage->is_secure = cookie_is_secure(passage->dispatcher->config, &passage->request);
    passage->credential = credential_find(&passage->request, places_of(route), passage->is_secure);
    if (route->access == ACCESS_SHARE) {
        err = identify_share(passage);
    } else if (passage->credential.kind == CREDENTIAL_TOKEN) {
        err = identify_token(passage);
    } else if (passage->credential.kind == CREDENTIAL_SEALED) {
        err = identify_sealed(passage);
    } else if (passage->credential.kind == CREDENTIAL_SESSION) {
        err = identify_session(passage);
    }
    if (err == OK && route->access == ACCESS_LOGIN && passage->who.kind == IDENTITY_NONE) {
        err = csrf_before_login(&passage->request, passage->response, passage->is_secure,
                                &passage->who.csrf);
    }
    return err;
}

/* ---- roles ---- */

static bool is_token(const struct identity *who)
{
    return who->kind == IDENTITY_DEVICE || who->kind == IDENTITY_API || who->kind == IDENTITY_ADMIN;
}

static bool is_admitted(enum route_access access, const struct identity *who)
{
    switch (access) {
    case ACCESS_PUBLIC:
    case ACCESS_LOGIN: return true;
    case ACCESS_INGEST: return who->kind == IDENTITY_DEVICE || who->kind == IDENTITY_ADMIN;
    case ACCESS_UPLOAD:
        return who->kind == IDENTITY_DEVICE || (who->tenant_id != 0 && who->role == ROLE_ADMIN);
    case ACCESS_READ: return who->tenant_id != 0 && who->role != ROLE_NONE;
    case ACCESS_ADMIN: return who->tenant_id != 0 && who->role == ROLE_ADMIN;
    case ACCESS_SHARE: return who->kind == IDENTITY_SHARE;
    case ACCESS_PERSON: return who->kind == IDENTITY_PERSON;
    case ACCESS_OPERATOR: return who->operator_role != OPERATOR_NONE;
    case ACCESS_OPERATOR_ADMIN: return who->operator_role == OPERATOR_ADMIN;
    }
    return false;
}

enum err gate_admit(struct passage *passage)
{
    const struct identity *who = &passage->who;

    if (is_admitted(passage->route->access, who)) {
        passage->is_operating = passage->route->access == ACCESS_OPERATOR ||
                                passage->route->access == ACCESS_OPERATOR_ADMIN;
        return OK;
    }
    if (passage->route->access == ACCESS_SHARE) {
        return fail(&passage->op, ERR_NOT_FOUND,
                    "This link has expired, was withdrawn, or was not copied whole.");
    }
    if (who->kind == IDENTITY_NONE) {
        bool is_shown = passage->credential.kind != CREDENTIAL_NONE;
        return fail(&passage->op, ERR_UNAUTHORIZED, "%s",
                    is_shown ? "The credentials are unknown, expired or revoked."
                             : "This address needs credentials.");
    }
    return fail(&passage->op, ERR_FORBIDDEN, "%s",
                is_token(who)         ? "A token of this kind may not do this."
                : who->tenant_id == 0 ? "You are a member of no tenant, or yours is suspended."
                                      : "Your role does not allow this.");
}

/* ---- limits ---- */

enum err gate_limit(struct passage *passage)
{
    struct quotas *quotas = passage->dispatcher->quotas;
    char seconds[16];
    int retry_s = 0;

    if (!quotas || passage->route->access != ACCESS_INGEST) {
        return OK;
    }
    enum err err = quotas_admit(quotas, &passage->op, &passage->who, clock_monotonic_us(),
                                clock_now_us(), &retry_s);
    if (err == OK) {
        passage->is_counted = true;
        return OK;
    }
    (void)snprintf(seconds, sizeof seconds, "%d", retry_s);
    (void)http_add_header(passage->response, "Retry-After", seconds);
    return err;
}

void gate_unlimit(struct passage *passage)
{
    if (passage->is_counted) {
        quotas_undo(passage->dispatcher->quotas, &passage->who);
    }
}

/* ---- forms ---- */

static bool is_safe_method(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD;
}

static enum err fail_form(struct passage *passage)
{
    return fail(&passage->op, ERR_FORBIDDEN,
                "This form is out of date. Go back, reload the page and try again.");
}

#define MAX_PARTS 16 /* of a form with a file */

/* Any bytes may be sent as the one field that handlers read as a file's: `file`. */
static bool is_file(const struct http_part *part)
{
    return part->file_name.ptr && str_equal(part->name, STR("file"));
}

/* A form with a file: all else is text as any field's, whatever its part says of itself. */
static enum err read_parts(struct passage *passage, struct str body)
{
    struct http_part parts[MAX_PARTS];
    enum err err = http_read_multipart(&passage->op, http_header(&passage->request, "Content-Type"),
                                       body, parts, MAX_PARTS, &passage->n_form);

    for (int i = 0; err == OK && i < passage->n_form; i++) {
        if (!str_is_utf8(parts[i].name) ||
            (!is_file(&parts[i]) && !str_is_utf8(parts[i].content))) {
            err = fail(&passage->op, ERR_MALFORMED, "form: must be UTF-8");
        }
        passage->form[i] = (struct http_param){ parts[i].name, parts[i].content };
    }
    passage->n_form = err == OK ? passage->n_form : 0;
    return err;
}

static enum err read_form(struct passage *passage)
{
    struct http_request *request = &passage->request;
    struct str body;

    bool has_parts = str_equal(request->content_type, STR("multipart/form-data"));
    if (!has_parts &&
        !str_equal(request->content_type, STR("application/x-www-form-urlencoded"))) {
        return fail(&passage->op, ERR_MEDIA_TYPE, "This address takes the form of its page.");
    }
    enum err err = http_read_body(request, passage->route->max_body, &body);
    if (err != OK) {
        return err;
    }
    passage->form = arena_array(passage->op.arena, MAX_PAGE_FIELDS, sizeof *passage->form);
    if (!passage->form) {
        return fail_memory(&passage->op);
    }
    return has_parts ? read_parts(passage, body)
                     : http_parse_form(&passage->op, "form", body, passage->form, MAX_PAGE_FIELDS,
                                       &passage->n_form);
}

enum err gate_check_form(struct passage *passage)
{
    struct http_request *request = &passage->request;
    const struct route *route = passage->route;

    if (is_safe_method(request->method)) {
        return OK;
    }
    if (route->style == STYLE_API) {
        /* a token is no ambient authority: only the cookie needs the proof */
        if (passage->who.kind == IDENTITY_PERSON &&
            !csrf_is_valid(passage->who.csrf, http_header(request, "X-CSRF-Token"))) {
            return fail_form(passage);
        }
        return OK;
    }
    if (csrf_is_cross_site(request)) {
        return fail_form(passage);
    }
    if (route->tx == TX_OWN) {
        return OK; /* the handler reads it as it comes, and looks at its `csrf` */
    }
    enum err err = read_form(passage);
    if (err != OK) {
        return err;
    }
    struct str shown = http_param_find(passage->form, passage->n_form, "csrf");
    return csrf_is_valid(passage->who.csrf, shown) ? OK : fail_form(passage);
}
