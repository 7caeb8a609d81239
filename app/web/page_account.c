/* /account: a person's own name, password and sessions. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

#include "auth/cookie.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/session.h"
#include "domain/own.h"
#include "gen/templates.h"
#include "view/model_parts.h"

enum { FIELD_CURRENT, FIELD_NEW, N_PASSWORDS };
_Static_assert((int)N_PASSWORDS == PASSWORD_FIELDS, "the view has room for the fields");

static const struct form_outcome outcomes[] = {
    { "name", "The name is saved." },
    { "password", "The password is changed; you are logged out everywhere else." },
    { "sessions", "You are logged out everywhere else." },
};

static void session_hash(const struct web *web, uint8_t hash[CRYPTO_HASH_BYTES])
{
    bool is_secure = cookie_is_secure(web->config, web->request);

    crypto_sha256(session_secret(web->request, is_secure), hash);
}

static void list_fields(const struct web *web, struct account_view *view)
{
    view->name = (struct field_view){
        .name = "name", .label = "What others see", .type = "text",
        .value = web->who->person_name, .max_bytes = OWN_MAX_NAME_BYTES,
        .autocomplete = "name", .hint = "Leave it empty to show your e-mail.",
    };
    view->passwords[FIELD_CURRENT] = (struct field_view){
        .name = "current", .label = "Current password", .type = "password", .is_required = true,
        .max_bytes = MAX_PASSWORD_BYTES, .autocomplete = "current-password",
    };
    view->passwords[FIELD_NEW] = (struct field_view){
        .name = "password", .label = "New password", .type = "password", .is_required = true,
        .max_bytes = MAX_PASSWORD_BYTES, .autocomplete = "new-password",
        .hint = "At least 8 characters.",
    };
}

static enum err add_sessions(struct web *web, struct account_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    const struct own_session *sessions;
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct zone zone;
    int n = 0;

    session_hash(web, hash);
    enum err err = own_sessions(web->tx, hash, &sessions, &n);
    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    struct session_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = (struct session_row){
            .created = moment_view(arena, &zone, now_us, sessions[i].created_us),
            .last_seen = moment_view(arena, &zone, now_us, sessions[i].last_seen_us),
            .tenant = sessions[i].tenant_name,
            .is_this = sessions[i].is_this,
        };
    }
    view->sessions = rows;
    view->n_sessions = n;
    return OK;
}

static enum err show(struct web *web, struct account_view *view)
{
    enum err err = add_sessions(web, view);

    if (err != OK) {
        return err;
    }
    /* no password goes back into a page */
    view->passwords[FIELD_CURRENT].value = view->passwords[FIELD_NEW].value = "";
    view->email = web->who->person_email;
    view->page = page_view(web, "Your account", "/account");
    page_is_html(web);
    tpl_page_account(&web->response->body, view);
    return OK;
}

enum err page_account(struct web *web)
{
    struct account_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };

    list_fields(web, &view);
    return show(web, &view);
}

static enum err save_name(struct web *web, struct account_view *view)
{
    uint8_t hash[CRYPTO_HASH_BYTES];

    if (!form_take(web, &view->name, 1)) {
        view->notice = form_rejected(web, &view->name, 1);
        return show(web, view);
    }
    session_hash(web, hash);
    enum err err = own_name_set(web->tx, hash, view->name.value);
    return err == OK ? form_done(web, "/account", "name") : err;
}

/* Whether the new password will do; else the sentence that says why stands beside it. */
static void check_new(struct web *web, struct field_view *fields)
{
    struct op *op = web->op;

    if (!fields[FIELD_NEW].error && password_check(op, str_of(fields[FIELD_NEW].value),
                                                   str_of(web->who->person_email)) != OK) {
        form_refuse(fields, N_PASSWORDS, "password",
                    arena_copy(op->arena, str_of(op->fault.detail)));
        op_clear_fault(op);
    }
}

/* Asks for the old password as a login does: guesses are counted. */
static enum err check_current(struct web *web, struct field_view *fields)
{
    struct login login = {
        .email = str_of(web->who->person_email),
        .password = str_of(fields[FIELD_CURRENT].value),
    };

    if (!form_is_good(fields, N_PASSWORDS)) {
        return OK;
    }
    enum err err = login_verify(web->tx, web->request, &login);
    if (err == OK && login.outcome != LOGIN_PASSED) {
        form_refuse(fields, N_PASSWORDS, "current",
                    login.outcome == LOGIN_WAIT ? "Too many attempts. Try again a little later."
                                                : "This is not your password.");
    }
    return err;
}

static enum err change_password(struct web *web, struct account_view *view)
{
    struct field_view *fields = view->passwords;
    uint8_t hash[CRYPTO_HASH_BYTES];
    char encoded[CRYPTO_PASSWORD_SIZE];

    (void)form_take(web, fields, N_PASSWORDS);
    check_new(web, fields);
    enum err err = check_current(web, fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(fields, N_PASSWORDS)) {
        view->notice = form_rejected(web, fields, N_PASSWORDS);
        return show(web, view);
    }
    if (!crypto_password_hash(str_of(fields[FIELD_NEW].value), encoded)) {
        return fail(web->op, ERR_UNAVAILABLE, "no memory to hash the password");
    }
    session_hash(web, hash);
    err = own_password_set(web->tx, hash, encoded);
    return err == OK ? form_done(web, "/account", "password") : err;
}

enum err page_account_post(struct web *web)
{
    struct str what = web_form(web, "do");
    struct account_view view = { .n_sessions = 0 };
    uint8_t hash[CRYPTO_HASH_BYTES];

    list_fields(web, &view);
    if (str_equal(what, STR("name"))) {
        return save_name(web, &view);
    }
    if (str_equal(what, STR("password"))) {
        return change_password(web, &view);
    }
    if (!str_equal(what, STR("sessions"))) {
        return fail(web->op, ERR_INVALID, "The form does not say what to do.");
    }
    session_hash(web, hash);
    enum err err = own_sessions_end(web->tx, hash);
    return err == OK ? form_done(web, "/account", "sessions") : err;
}
