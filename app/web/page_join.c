/* /invite/{secret} and /reset/{secret}: what the holder of a link may do before there is a
 * session. One form takes both the new person's name and password and a known one's password, so
 * that looking at a link does not tell who has an account. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

#include "auth/access_link.h"
#include "auth/cookie.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/session.h"
#include "domain/own.h"
#include "gen/templates.h"

enum { FIELD_NAME, FIELD_PASSWORD, N_FIELDS };
_Static_assert((int)N_FIELDS == JOIN_FIELDS, "the view has room for the fields");

static void link_hash(const struct web *web, uint8_t hash[CRYPTO_HASH_BYTES])
{
    access_link_hash(http_capture(web->request, "secret"), hash);
}

static enum err show(struct web *web, struct join_view *view)
{
    if (!http_add_header(web->response, "X-Robots-Tag", "noindex")) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < view->n_fields; i++) {
        bool is_password = strcmp(view->fields[i].type, "password") == 0;
        view->fields[i].value = is_password ? "" : view->fields[i].value;
    }
    view->page = page_view(web, view->heading, "");
    page_is_html(web);
    tpl_page_join(&web->response->body, view);
    return OK;
}

/* Instead of the form, where a link cannot be used: with the reason that `err` came with. */
static enum err show_dead(struct web *web, enum err err)
{
    struct join_view view = { .heading = "This link no longer works" };

    if (err != ERR_NOT_FOUND) {
        return err;
    }
    view.lead = arena_printf(web->op->arena, "%s Ask whoever sent it for another one.",
                             web->op->fault.detail);
    op_clear_fault(web->op);
    web->response->status = 404;
    return show(web, &view);
}

/* Shows the form again, with what is wrong. */
static enum err show_wrong(struct web *web, struct join_view *view)
{
    web->response->status = 422;
    return show(web, view);
}

static struct field_view password_field(const char *label, const char *hint)
{
    return (struct field_view){
        .name = "password", .label = label, .type = "password", .is_required = true,
        .max_bytes = MAX_PASSWORD_BYTES, .autocomplete = "new-password", .hint = hint,
    };
}

/* Whether a new password will do; else the sentence that says why stands beside it. */
static bool is_password_good(struct web *web, struct field_view *field, const char *email)
{
    struct op *op = web->op;

    if (!field->error && password_check(op, str_of(field->value), str_of(email)) != OK) {
        field->error = arena_copy(op->arena, str_of(op->fault.detail));
        op_clear_fault(op);
    }
    return !field->error;
}

static enum err hash_password(struct web *web, const struct field_view *field, const char **out)
{
    char encoded[CRYPTO_PASSWORD_SIZE];

    if (!crypto_password_hash(str_of(field->value), encoded)) {
        return fail(web->op, ERR_UNAVAILABLE, "no memory to hash the password");
    }
    *out = arena_copy(web->op->arena, str_of(encoded));
    return *out ? OK : fail_memory(web->op);
}

static enum err begin_session(struct web *web, const struct login *login, const char *tenant_slug)
{
    enum err err = login_start(web->tx, web->config, web->request, web->response, login,
                               tenant_slug);

    if (err == OK) {
        http_redirect(web->response, "/");
    }
    return err;
}

/* ---- invitations ---- */

static bool is_invited(const struct web *web, const struct own_invite *invite)
{
    return web->who->kind == IDENTITY_PERSON &&
           strcmp(web->who->person_email, invite->email) == 0;
}

/* A person by e-mail; that a token made the link is of no use to its reader. */
static const char *who_invites(struct arena *arena, const struct own_invite *invite)
{
    return strchr(invite->made_by, '@') ? arena_printf(arena, "%s invites you", invite->made_by)
                                        : "You are invited";
}

static struct join_view invite_view(const struct web *web, const struct own_invite *invite)
{
    struct arena *arena = web->op->arena;
    bool is_self = is_invited(web, invite);
    bool is_admin = strcmp(invite->role, "admin") == 0;
    struct join_view view = {
        .heading = arena_printf(arena, "Join %s", invite->tenant_name),
        .lead = arena_printf(arena, "%s to %s the readings of %s.", who_invites(arena, invite),
                             is_admin ? "see and manage" : "see", invite->tenant_name),
        .email = invite->email,
        .n_fields = is_self ? 0 : N_FIELDS,
        .button = arena_printf(arena, "Join %s", invite->tenant_name),
    };

    if (web->who->kind == IDENTITY_PERSON && !is_self) {
        view.other = web->who->person_email;
    }
    view.fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Your name", .type = "text", .max_bytes = OWN_MAX_NAME_BYTES,
        .autocomplete = "name", .hint = "Not needed where you have an account here already.",
    };
    view.fields[FIELD_PASSWORD] = password_field(
        "Password", "Choose one of at least 8 characters. Where you have an account here "
                    "already, enter its password.");
    return view;
}

/* The invitation of the address; ERR_NOT_FOUND where it cannot be used. */
static enum err find_invite(struct web *web, struct own_invite *invite)
{
    uint8_t hash[CRYPTO_HASH_BYTES];

    link_hash(web, hash);
    return own_invite_find(web->tx, hash, invite);
}

enum err page_invite(struct web *web)
{
    struct own_invite invite;
    enum err err = find_invite(web, &invite);

    if (err != OK) {
        return show_dead(web, err);
    }
    struct join_view view = invite_view(web, &invite);
    return show(web, &view);
}

static enum err accept_as_self(struct web *web, const struct own_invite *invite)
{
    bool is_secure = cookie_is_secure(web->config, web->request);
    int64_t person_id = web->who->person_id;
    uint8_t hash[CRYPTO_HASH_BYTES];

    link_hash(web, hash);
    enum err err = own_invite_accept(web->tx, hash, NULL, NULL, &person_id);
    if (err == OK) {
        err = session_switch(web->op, web->tx, session_secret(web->request, is_secure),
                             str_of(invite->tenant_slug));
    }
    if (err == OK) {
        http_redirect(web->response, "/");
    }
    return err;
}

/* The form's person: known, by the password, or new. `*is_good` is false where something is
 * wrong, which is then in the view. */
static enum err judge(struct web *web, struct join_view *view, struct login *login, bool *is_good)
{
    struct field_view *fields = view->fields;

    *is_good = form_take(web, fields, N_FIELDS);
    if (!*is_good) {
        return OK;
    }
    login->password = str_of(fields[FIELD_PASSWORD].value);
    enum err err = login_verify(web->tx, web->request, login);
    if (err != OK) {
        return err;
    }
    if (login->outcome == LOGIN_WAIT) {
        view->error = "Too many attempts. Try again a little later.";
    } else if (login->person_id != 0 && login->outcome != LOGIN_PASSED) {
        fields[FIELD_PASSWORD].error = "You have an account here already, with another password.";
    } else if (login->person_id == 0) {
        if (fields[FIELD_NAME].value[0] == '\0') {
            fields[FIELD_NAME].error = "This must be filled in.";
        }
        (void)is_password_good(web, &fields[FIELD_PASSWORD], view->email);
    }
    *is_good = !view->error && form_is_good(fields, N_FIELDS);
    return OK;
}

enum err page_invite_post(struct web *web)
{
    struct own_invite invite;
    uint8_t hash[CRYPTO_HASH_BYTES];
    const char *encoded = NULL;
    bool is_good = false;
    enum err err = find_invite(web, &invite);

    if (err != OK) {
        return show_dead(web, err);
    }
    if (is_invited(web, &invite)) {
        return accept_as_self(web, &invite);
    }
    struct join_view view = invite_view(web, &invite);
    struct login login = { .email = str_of(invite.email) };
    err = judge(web, &view, &login, &is_good);
    if (err == OK && !is_good) {
        return show_wrong(web, &view);
    }
    if (err == OK && login.person_id == 0) {
        err = hash_password(web, &view.fields[FIELD_PASSWORD], &encoded);
    }
    link_hash(web, hash);
    if (err == OK) {
        err = own_invite_accept(web->tx, hash, view.fields[FIELD_NAME].value, encoded,
                                &login.person_id);
    }
    return err == OK ? begin_session(web, &login, invite.tenant_slug) : err;
}

/* ---- passwords ---- */

static struct join_view reset_view(const struct web *web, const struct own_reset *reset)
{
    struct join_view view = {
        .heading = "Set a new password",
        .lead = arena_printf(web->op->arena, "For your account at %s.", reset->tenant_name),
        .email = reset->email,
        .n_fields = 1,
        .button = "Set the password",
    };

    if (web->who->kind == IDENTITY_PERSON && web->who->person_id != reset->person_id) {
        view.other = web->who->person_email;
    }
    view.fields[0] = password_field("New password", "At least 8 characters.");
    return view;
}

enum err page_reset(struct web *web)
{
    struct own_reset reset;
    uint8_t hash[CRYPTO_HASH_BYTES];

    link_hash(web, hash);
    enum err err = own_reset_find(web->tx, hash, &reset);
    if (err != OK) {
        return show_dead(web, err);
    }
    struct join_view view = reset_view(web, &reset);
    return show(web, &view);
}

enum err page_reset_post(struct web *web)
{
    struct own_reset reset;
    uint8_t hash[CRYPTO_HASH_BYTES];
    const char *encoded = NULL;

    link_hash(web, hash);
    enum err err = own_reset_find(web->tx, hash, &reset);
    if (err != OK) {
        return show_dead(web, err);
    }
    struct join_view view = reset_view(web, &reset);
    (void)form_take(web, view.fields, 1);
    if (!is_password_good(web, &view.fields[0], reset.email)) {
        return show_wrong(web, &view);
    }
    err = hash_password(web, &view.fields[0], &encoded);
    if (err == OK) {
        err = own_reset_use(web->tx, hash, encoded);
    }
    struct login login = { .email = str_of(reset.email), .person_id = reset.person_id };
    return err == OK ? begin_session(web, &login, NULL) : err;
}
