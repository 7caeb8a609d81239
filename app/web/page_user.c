/* /admin/users/{id}: one member: the role, a password link, removal. */
#include "web/page_user.h"

#include "auth/access_link.h"
#include "gen/templates.h"
#include "web/by_id.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

static const char NO_MEMBER[] = "There is no such member.";

static const struct form_outcome outcomes[] = {
    { "saved", "The role is changed." },
};

static enum err open_page(struct web *web, struct member *member)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_MEMBER, &id);

    return err == OK ? member_find(web->tx, id, member) : err;
}

static enum err show(struct web *web, struct user_view *view, const struct member *member)
{
    view->role.is_label_unseen = true; /* the section's heading says it */
    int64_t now_us = clock_now_us();
    struct zone zone;
    enum err err = page_zone(web, now_us, &zone);

    if (err != OK) {
        return err;
    }
    view->member = user_row(web, &zone, now_us, member);
    view->page = page_view(web, view->member.name, "/admin/users");
    page_is_html(web);
    tpl_page_user(&web->response->body, view);
    return OK;
}

enum err page_user(struct web *web)
{
    struct user_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    struct member member;
    enum err err = open_page(web, &member);

    if (err != OK) {
        return err;
    }
    view.role = user_role_field(member.role);
    return show(web, &view, &member);
}

static enum err save_role(struct web *web, const struct member *member)
{
    struct user_view view = { .role = user_role_field(member->role) };

    bool is_taken = form_take(web, &view.role, 1);
    if (is_taken && member->is_last_admin && strcmp(view.role.value, "admin") != 0) {
        form_refuse(&view.role, 1, "role",
                    "This is the last admin. Make somebody else an admin first.");
    }
    if (!form_is_good(&view.role, 1)) {
        view.notice = form_rejected(web, &view.role, 1);
        return show(web, &view, member);
    }
    enum err err = member_change(web->tx, member->id, view.role.value);
    bool is_self_lowered =
        member->id == web->who->person_id && strcmp(view.role.value, "admin") != 0;
    if (err == OK && is_self_lowered) {
        http_redirect(web->response, "/"); /* the administration is closed from now on */
        return OK;
    }
    const char *path = web_path(web->op->arena, "/admin/users/", http_capture(web->request, "id"));
    return err == OK ? form_done(web, path, "saved") : err;
}

static enum err make_reset(struct web *web, const struct member *member)
{
    struct arena *arena = web->op->arena;
    struct user_view view = { .role = user_role_field(member->role) };
    char secret[ACCESS_LINK_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];

    access_link_make(secret, hash);
    enum err err = member_reset_add(web->tx, member->id, hash);
    if (err != OK) {
        return err;
    }
    view.secret = (struct secret_view){
        .heading = arena_printf(arena, "Send this link to %s", member->email),
        .text = arena_printf(arena, "%s/reset/%s", web_base_url(web), secret),
        .about = "It is shown this once. Whoever opens it can set the password, so send it to "
                 "that person alone.",
    };
    return show(web, &view, member);
}

static enum err remove_member(struct web *web, const struct member *member)
{
    bool is_erased = false;
    enum err err = member_remove(web->tx, member->id, &is_erased);

    if (err == OK && member->id == web->who->person_id) {
        http_redirect(web->response, "/");
        return OK;
    }
    return err == OK ? form_done(web, "/admin/users", is_erased ? "erased" : "removed") : err;
}

enum err page_user_post(struct web *web)
{
    struct str what = web_form(web, "do");
    struct member member;
    enum err err = open_page(web, &member);

    if (err != OK) {
        return err;
    }
    if (str_equal(what, STR("role"))) {
        return save_role(web, &member);
    }
    if (str_equal(what, STR("reset"))) {
        return make_reset(web, &member);
    }
    if (str_equal(what, STR("remove"))) {
        return remove_member(web, &member);
    }
    return fail(web->op, ERR_INVALID, "The form does not say what to do.");
}
