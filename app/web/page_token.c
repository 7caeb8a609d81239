/* /admin/tokens/{id}: one token: its facts, changing, a new secret, revoking. */
#include "web/page_token.h"

#include "base/clock.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/model_parts.h"
#include "web/by_id.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

static const char NO_TOKEN[] = "There is no such token.";

enum { FIELD_NAME, FIELD_EXPIRES, FIELD_BACKFILL, N_FIELDS };
_Static_assert((int)N_FIELDS == TOKEN_CHANGE_FIELDS, "the view has room for the fields");

static const struct form_outcome outcomes[] = {
    { "saved", "The token is changed." },
};

static const struct choice_view expiries[] = {
    { "keep", "As it is" },   { "never", "Never" },      { "7", "In 7 days" },
    { "30", "In 30 days" }, { "90", "In 90 days" }, { "365", "In a year" },
};

static const struct choice_view graces[] = {
    { "0", "At once" },        { "1", "In an hour" },    { "4", "In 4 hours" },
    { "12", "In 12 hours" }, { "24", "In 24 hours" },
};

static void list_fields(struct token_view *view, const struct token_item *token)
{
    view->fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .value = token->name,
        .is_required = true, .max_bytes = TOKENS_MAX_NAME_BYTES,
    };
    view->fields[FIELD_EXPIRES] = token_expiry_field();
    view->fields[FIELD_EXPIRES].value = "keep";
    view->fields[FIELD_EXPIRES].choices = expiries;
    view->fields[FIELD_EXPIRES].n_choices = sizeof expiries / sizeof *expiries;
    view->fields[FIELD_BACKFILL] = (struct field_view){
        .name = "backfill", .label = "May send readings of any age", .type = "checkbox",
        .value = token->is_backfill ? "1" : "",
    };
    view->n_fields = strcmp(token->kind, "api") == 0 ? FIELD_BACKFILL : N_FIELDS;
    view->grace = (struct field_view){
        .name = "grace", .label = "The old secret stops", .type = "select", .value = "1",
        .choices = graces, .n_choices = sizeof graces / sizeof *graces,
    };
}

static enum err show(struct web *web, struct token_view *view, const struct token_item *token)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct zone zone;
    enum err err = page_zone(web, now_us, &zone);

    if (err != OK) {
        return err;
    }
    view->token = token_line(arena, &zone, now_us, token);
    view->created = moment_view(arena, &zone, now_us, token->created_us);
    view->ended = moment_view(arena, &zone, now_us, token->revoked_us);
    view->is_encrypted = token->is_encrypted;
    view->is_revoked = token->revoked_us != TOKENS_NEVER;
    view->is_expired = !view->is_revoked && !token->is_active;
    if (token->old_until_us != TOKENS_NEVER) {
        view->old_until = format_moment(arena, &zone, token->old_until_us);
    }
    view->page = page_view(web, view->token.name, "/admin/tokens");
    page_is_html(web);
    tpl_page_token(&web->response->body, view);
    return OK;
}

/* The token of the address, and its page's view before anything was typed. */
static enum err open_page(struct web *web, struct token_view *view, struct token_item *token)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NO_TOKEN, &id);

    *view = (struct token_view){ .n_fields = 0 };
    if (err == OK) {
        err = tokens_find(web->tx, id, token);
    }
    if (err == OK) {
        list_fields(view, token);
    }
    return err;
}

enum err page_token(struct web *web)
{
    struct token_view view;
    struct token_item token;
    enum err err = open_page(web, &view, &token);

    if (err != OK) {
        return err;
    }
    view.notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes);
    return show(web, &view, &token);
}

static enum err save(struct web *web, struct token_view *view, struct token_item *token)
{
    if (!form_take(web, view->fields, view->n_fields)) {
        view->notice = form_rejected(web, view->fields, view->n_fields);
        return show(web, view, token);
    }
    struct str expires = str_of(view->fields[FIELD_EXPIRES].value);
    token->name = view->fields[FIELD_NAME].value;
    if (!str_equal(expires, STR("keep"))) {
        token->expires_us = token_expiry_of(expires, clock_now_us());
    }
    token->is_backfill = view->n_fields == N_FIELDS && view->fields[FIELD_BACKFILL].value[0] == '1';
    enum err err = tokens_change(web->tx, token);
    const char *path = web_path(web->op->arena, "/admin/tokens/", http_capture(web->request, "id"));
    return err == OK ? form_done(web, path, "saved") : err;
}

static enum err rotate(struct web *web, struct token_view *view, struct token_item *token)
{
    struct new_secret secret;
    long long hours = 0;

    if (!form_take(web, &view->grace, 1) || !str_to_int64(str_of(view->grace.value), &hours)) {
        view->notice = form_rejected(web, &view->grace, 1);
        return show(web, view, token);
    }
    new_secret_make(&secret, token->is_encrypted);
    enum err err = tokens_rotate(web->tx, token->id, secret.hash,
                                 arena_copy(web->op->arena, str_of(secret.prefix)), (int)hours);
    if (err == OK) {
        err = new_secret_keep(web, &secret, token->id);
    }
    if (err == OK) {
        err = tokens_find(web->tx, token->id, token);
    }
    if (err != OK) {
        return err;
    }
    view->secret = token_secret(web->op, &secret, token->id);
    view->secret.heading = "The new secret";
    return show(web, view, token);
}

enum err page_token_post(struct web *web)
{
    struct str what = web_form(web, "do");
    struct token_view view;
    struct token_item token;
    enum err err = open_page(web, &view, &token);

    if (err != OK) {
        return err;
    }
    if (str_equal(what, STR("save"))) {
        return save(web, &view, &token);
    }
    if (str_equal(what, STR("rotate"))) {
        return rotate(web, &view, &token);
    }
    if (str_equal(what, STR("revoke"))) {
        err = tokens_revoke(web->tx, token.id);
        return err == OK ? form_done(web, "/admin/tokens", "revoked") : err;
    }
    return fail(web->op, ERR_INVALID, "The form does not say what to do.");
}
