/* The way in and out. The page says the same whether the e-mail or the password was wrong, and
 * leads on to a path of ours only. Who may log in is auth's business. */
#include "web/page.h"
#include "web/pages.h"

#include "auth/cookie.h"
#include "auth/login.h"
#include "auth/session.h"
#include "gen/templates.h"

#define MAX_SHOWN_EMAIL_BYTES 320

static void show(struct web *web, struct str email, struct str next, const char *error)
{
    bool is_shown = email.ptr != NULL && email.len <= MAX_SHOWN_EMAIL_BYTES;
    struct login_view view = {
        .page = page_view(web, "Log in", ""),
        .email = is_shown ? arena_copy(web->op->arena, email) : "",
        .next = login_next_path(web->op, next),
        .error = error,
    };
    page_is_html(web);
    tpl_page_login(&web->response->body, &view);
}

enum err page_login(struct web *web)
{
    struct str next = http_query(web->request, "next");
    if (web->who->kind == IDENTITY_PERSON) {
        http_redirect(web->response, login_next_path(web->op, next));
        return OK;
    }
    show(web, (struct str){ NULL, 0 }, next, NULL);
    return OK;
}

/* "Wait 2 minutes", in whole minutes from one on. */
static const char *wait_text(struct web *web, int wait_s)
{
    int minutes = (wait_s + 59) / 60;
    if (wait_s < 60) {
        return arena_printf(web->op->arena,
                            "Too many attempts. Wait %d second%s, then try again.", wait_s,
                            wait_s == 1 ? "" : "s");
    }
    return arena_printf(web->op->arena, "Too many attempts. Wait %d minute%s, then try again.",
                        minutes, minutes == 1 ? "" : "s");
}

static enum err refuse_for_now(struct web *web, int wait_s)
{
    const char *seconds = arena_printf(web->op->arena, "%d", wait_s);
    web->response->status = 429;
    if (seconds == NULL || !http_add_header(web->response, "Retry-After", seconds)) {
        return fail_memory(web->op);
    }
    show(web, web_form(web, "email"), web_form(web, "next"), wait_text(web, wait_s));
    return OK;
}

enum err page_login_post(struct web *web)
{
    struct login login = { .email = web_form(web, "email"),
                           .password = web_form(web, "password") };
    enum err err = login_attempt(web->tx, web->config, web->request, web->response, &login);
    if (err != OK) {
        return err;
    }
    if (login.outcome == LOGIN_WAIT) {
        return refuse_for_now(web, login.wait_s);
    }
    if (login.outcome == LOGIN_REFUSED) {
        web->response->status = 401;
        show(web, web_form(web, "email"), web_form(web, "next"),
             "The e-mail or the password is not right.");
        return OK;
    }
    http_redirect(web->response, login_next_path(web->op, web_form(web, "next")));
    return OK;
}

enum err page_logout_post(struct web *web)
{
    bool is_secure = cookie_is_secure(web->config, web->request);
    enum err err = session_logout(web->tx, web->request, web->response, is_secure);
    if (err == OK) {
        http_redirect(web->response, "/login");
    }
    return err;
}
