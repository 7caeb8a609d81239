/* /v1/users and /v1/invites: the persons of a tenant. Nobody is made a member without asking:
 * POST answers with a link for the person to accept. */
#include "web/api_access.h"

#include "auth/access_link.h"
#include "domain/member.h"
#include "web/body.h"
#include "web/by_id.h"

#define MAX_EMAIL_BYTES 254

static const char NO_MEMBER[] = "There is no such member.";
static const char NO_INVITE[] = "There is no such invitation.";

static const char *const ROLES[] = { "viewer", "admin" };
#define N_ROLES 2

static const char *const MEMBER_COLUMNS[] = { "id",   "email",     "name",
                                              "role", "joined_at", "last_seen" };
#define N_MEMBER_COLUMNS ((int)(sizeof MEMBER_COLUMNS / sizeof *MEMBER_COLUMNS))

static const char *const INVITE_COLUMNS[] = { "id",         "email",      "role", "made_by",
                                              "created_at", "expires_at", "link" };
#define N_INVITE_COLUMNS ((int)(sizeof INVITE_COLUMNS / sizeof *INVITE_COLUMNS))

/* ---- members ---- */

static void write_member(struct list_writer *list, const struct member *member)
{
    list_item(list);
    list_int(list, member->id);
    list_text(list, member->email);
    list_text(list, member->name);
    list_text(list, member->role);
    by_id_time(list, member->joined_us);
    by_id_time(list, member->last_seen_us);
    list_end_item(list);
}

enum err api_users_list(struct web *web)
{
    int limit = 0;
    int64_t after = 0;
    struct member_list members;
    struct list_writer list;
    enum err err = by_id_span(web, CURSOR_MEMBERS, &limit, &after);

    if (err == OK) {
        err = member_list(web->tx, after, limit + 1, &members);
    }
    if (err == OK) {
        err = list_begin(&list, web, MEMBER_COLUMNS, N_MEMBER_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = members.n > limit ? limit : members.n;
    for (int i = 0; i < n; i++) {
        write_member(&list, &members.items[i]);
    }
    return by_id_end(&list, CURSOR_MEMBERS, members.n > limit ? members.items[n - 1].id : 0);
}

static enum err show_member(struct web *web, int64_t id)
{
    struct member member;
    struct list_writer item;
    enum err err = member_find(web->tx, id, &member);

    if (err == OK) {
        list_single(&item, web, MEMBER_COLUMNS, N_MEMBER_COLUMNS);
        write_member(&item, &member);
    }
    return err;
}

enum err api_users_show(struct web *web)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_MEMBER, &id);

    return err == OK ? show_member(web, id) : err;
}

enum err api_users_change(struct web *web)
{
    struct body body;
    struct member member;
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_MEMBER, &id);

    if (err == OK) {
        err = member_find(web->tx, id, &member);
    }
    if (err == OK) {
        err = body_read(web, &body);
    }
    if (err != OK) {
        return err;
    }
    int role = body_choice(&body, "role", ROLES, N_ROLES);
    err = body_finish(&body);
    if (err == OK && role >= 0) {
        err = member_change(web->tx, id, ROLES[role]);
    }
    return err == OK ? show_member(web, id) : err;
}

enum err api_users_remove(struct web *web)
{
    int64_t id = 0;
    bool is_erased = false;
    struct json_writer json;
    enum err err = by_id_capture(web, NO_MEMBER, &id);

    if (err == OK) {
        err = member_remove(web->tx, id, &is_erased);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "memberships");
    json_int(&json, 1);
    json_key(&json, "persons");
    json_int(&json, is_erased ? 1 : 0);
    json_close_object(&json);
    return OK;
}

enum err api_users_reset(struct web *web)
{
    char secret[ACCESS_LINK_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct json_writer json;
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_MEMBER, &id);

    access_link_make(secret, hash);
    if (err == OK) {
        err = member_reset_add(web->tx, id, hash);
    }
    const char *link = arena_printf(web->op->arena, "%s/reset/%s", web_base_url(web), secret);
    if (err == OK && !link) {
        err = fail_memory(web->op);
    }
    if (err != OK) {
        return err;
    }
    web->response->status = 201;
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "link");
    json_text(&json, link);
    json_close_object(&json);
    return OK;
}

/* ---- invitations ---- */

/* `link`: of the answer that shows it; else the item has no such member. */
static void write_invite(struct list_writer *list, const struct invite *invite, const char *link)
{
    list_item(list);
    list_int(list, invite->id);
    list_text(list, invite->email);
    list_text(list, invite->role);
    list_text(list, invite->made_by);
    by_id_time(list, invite->created_us);
    by_id_time(list, invite->expires_us);
    if (link) {
        list_text(list, link);
    }
    list_end_item(list);
}

enum err api_invites_list(struct web *web)
{
    int limit = 0;
    int64_t after = 0;
    struct invite_list invites;
    struct list_writer list;
    enum err err = by_id_span(web, CURSOR_INVITES, &limit, &after);

    if (err == OK) {
        err = invite_list(web->tx, after, limit + 1, &invites);
    }
    if (err == OK) {
        err = list_begin(&list, web, INVITE_COLUMNS, N_INVITE_COLUMNS - 1);
    }
    if (err != OK) {
        return err;
    }
    int n = invites.n > limit ? limit : invites.n;
    for (int i = 0; i < n; i++) {
        write_invite(&list, &invites.items[i], NULL);
    }
    return by_id_end(&list, CURSOR_INVITES, invites.n > limit ? invites.items[n - 1].id : 0);
}

static enum err show_invite(struct web *web, int64_t id, const char *link)
{
    struct invite invite;
    struct list_writer item;
    enum err err = invite_find(web->tx, id, &invite);

    if (err == OK) {
        list_single(&item, web, INVITE_COLUMNS, N_INVITE_COLUMNS);
        write_invite(&item, &invite, link);
    }
    return err;
}

enum err api_invites_show(struct web *web)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_INVITE, &id);

    return err == OK ? show_invite(web, id, NULL) : err;
}

enum err api_invites_withdraw(struct web *web)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_INVITE, &id);

    if (err == OK) {
        err = invite_withdraw(web->tx, id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

enum err api_users_invite(struct web *web)
{
    struct body body;
    char secret[ACCESS_LINK_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];
    int64_t id = 0;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    body_require(&body, "email");
    body_require(&body, "role");
    const char *email =
        arena_copy(web->op->arena, body_text(&body, "email", 3, MAX_EMAIL_BYTES));
    int role = body_choice(&body, "role", ROLES, N_ROLES);
    err = body_finish(&body);
    if (err != OK) {
        return err;
    }
    access_link_make(secret, hash);
    err = invite_add(web->tx, email, ROLES[role], hash, &id);
    if (err == OK) {
        err = by_id_created(web, "/v1/invites/", id);
    }
    const char *link = arena_printf(web->op->arena, "%s/invite/%s", web_base_url(web), secret);
    if (err == OK && !link) {
        err = fail_memory(web->op);
    }
    return err == OK ? show_invite(web, id, link) : err;
}
