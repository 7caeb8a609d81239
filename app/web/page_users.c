/* /admin/users: the members of a tenant, and invitations. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/page_user.h"
#include "web/pages_access.h"

#include "auth/access_link.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#include <inttypes.h>

#define MEMBERS_SHOWN 100
#define INVITES_SHOWN 100
#define MAX_EMAIL_BYTES 254

enum { FIELD_EMAIL, FIELD_ROLE, N_FIELDS };
_Static_assert((int)N_FIELDS == INVITE_FIELDS, "the view has room for the fields");

static const struct form_outcome outcomes[] = {
    { "withdrawn", "The invitation is withdrawn: its link no longer works." },
    { "removed", "The person is no longer a member." },
    { "erased", "The person is no longer a member, and the account is erased." },
};

struct field_view user_role_field(const char *role)
{
    static const struct choice_view roles[] = {
        { "viewer", "Viewer: sees everything" },
        { "admin", "Admin: may change it too" },
    };

    return (struct field_view){
        .name = "role", .label = "Role", .type = "select", .value = role, .choices = roles,
        .n_choices = sizeof roles / sizeof *roles,
    };
}

static void list_fields(struct field_view fields[N_FIELDS])
{
    fields[FIELD_EMAIL] = (struct field_view){
        .name = "email", .label = "E-mail", .type = "email", .is_required = true,
        .max_bytes = MAX_EMAIL_BYTES,
    };
    fields[FIELD_ROLE] = user_role_field("viewer");
}

static const char *role_word(const char *role)
{
    return strcmp(role, "admin") == 0 ? "Admin" : "Viewer";
}

struct member_row user_row(const struct web *web, const struct zone *zone, int64_t now_us,
                           const struct member *member)
{
    struct arena *arena = web->op->arena;

    return (struct member_row){
        .id = arena_printf(arena, "%" PRId64, member->id),
        .name = member->name[0] ? member->name : member->email,
        .email = member->email,
        .role = role_word(member->role),
        .joined = moment_view(arena, zone, now_us, member->joined_us),
        .last_seen = moment_view(arena, zone, now_us, member->last_seen_us),
        .is_self = member->id == web->who->person_id,
        .is_last_admin = member->is_last_admin,
        .may_reset = member->may_reset,
    };
}

static int64_t after_id(const struct web *web)
{
    long long id = 0;

    return str_to_int64(http_query(web->request, "after"), &id) && id > 0 ? id : 0;
}

static enum err add_members(struct web *web, const struct zone *zone, int64_t now_us,
                            struct users_view *view)
{
    struct member_list members;
    enum err err = member_list(web->tx, after_id(web), MEMBERS_SHOWN + 1, &members);

    if (err != OK) {
        return err;
    }
    int n = members.n > MEMBERS_SHOWN ? MEMBERS_SHOWN : members.n;
    struct member_row *rows = arena_array(web->op->arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = user_row(web, zone, now_us, &members.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager.first = after_id(web) > 0 ? "/admin/users" : NULL;
    if (members.n > n) {
        view->pager.next =
            arena_printf(web->op->arena, "/admin/users?after=%s", rows[n - 1].id);
    }
    return OK;
}

static enum err add_invites(struct web *web, const struct zone *zone, int64_t now_us,
                            struct users_view *view)
{
    struct arena *arena = web->op->arena;
    struct invite_list invites;
    enum err err = invite_list(web->tx, 0, INVITES_SHOWN, &invites);

    if (err != OK) {
        return err;
    }
    struct invite_row *rows = arena_array(arena, (size_t)invites.n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < invites.n; i++) {
        const struct invite *invite = &invites.items[i];
        rows[i] = (struct invite_row){
            .id = arena_printf(arena, "%" PRId64, invite->id),
            .email = invite->email,
            .role = role_word(invite->role),
            .made_by = invite->made_by,
            .expires = moment_view(arena, zone, now_us, invite->expires_us),
            .is_expired = invite->expires_us <= now_us,
        };
    }
    view->invites = rows;
    view->n_invites = invites.n;
    return OK;
}

static enum err show(struct web *web, struct users_view *view)
{
    int64_t now_us = clock_now_us();
    struct zone zone;
    enum err err = page_zone(web, now_us, &zone);

    if (err == OK) {
        err = add_members(web, &zone, now_us, view);
    }
    if (err == OK) {
        err = add_invites(web, &zone, now_us, view);
    }
    if (err != OK) {
        return err;
    }
    view->page = page_view(web, "People", "/admin/users");
    page_is_html(web);
    tpl_page_users(&web->response->body, view);
    return OK;
}

enum err page_users(struct web *web)
{
    struct users_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };

    list_fields(view.fields);
    return show(web, &view);
}

/* What the database would refuse, while a page can still be shown. */
static enum err check_email(struct web *web, struct field_view *fields)
{
    bool is_email = false, is_member = false;
    const char *email = fields[FIELD_EMAIL].value;

    if (fields[FIELD_EMAIL].error) {
        return OK;
    }
    enum err err = invite_check(web->tx, email, &is_email, &is_member);
    if (err != OK) {
        return err;
    }
    if (!is_email) {
        form_refuse(fields, N_FIELDS, "email", "This is not an e-mail address.");
    } else if (is_member) {
        form_refuse(fields, N_FIELDS, "email", "This person is a member already.");
    }
    return OK;
}

static enum err invite(struct web *web, struct users_view *view)
{
    struct arena *arena = web->op->arena;
    char secret[ACCESS_LINK_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];
    int64_t id = 0;

    (void)form_take(web, view->fields, N_FIELDS);
    enum err err = check_email(web, view->fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view->fields, N_FIELDS)) {
        view->notice = form_rejected(web, view->fields, N_FIELDS);
        return show(web, view);
    }
    access_link_make(secret, hash);
    const char *email = view->fields[FIELD_EMAIL].value;
    err = invite_add(web->tx, email, view->fields[FIELD_ROLE].value, hash, &id);
    if (err != OK) {
        return err;
    }
    view->secret = (struct secret_view){
        .heading = arena_printf(arena, "Send this link to %s", email),
        .text = arena_printf(arena, "%s/invite/%s", web_base_url(web), secret),
        .about = "It is shown this once. Whoever opens it first becomes the member, so send it "
                 "to that person alone.",
    };
    list_fields(view->fields);
    return show(web, view);
}

enum err page_users_post(struct web *web)
{
    struct str what = web_form(web, "do");
    struct users_view view = { .n_rows = 0 };
    long long id = 0;

    list_fields(view.fields);
    if (str_equal(what, STR("invite"))) {
        return invite(web, &view);
    }
    if (!str_equal(what, STR("withdraw"))) {
        return fail(web->op, ERR_INVALID, "The form does not say what to do.");
    }
    if (!str_to_int64(web_form(web, "id"), &id)) {
        return fail(web->op, ERR_NOT_FOUND, "There is no such invitation.");
    }
    enum err err = invite_withdraw(web->tx, id);
    return err == OK ? form_done(web, "/admin/users", "withdrawn") : err;
}
