/* The switches in the pages' frame: another tenant, another theme. */
#include "web/page.h"
#include "web/pages_access.h"

#include "auth/cookie.h"
#include "auth/login.h"
#include "auth/session.h"

#define THEME_COOKIE_SECONDS (INT64_C(365) * 86400)

enum err page_switch_post(struct web *web)
{
    bool is_secure = cookie_is_secure(web->config, web->request);
    struct str secret = session_secret(web->request, is_secure);
    enum err err = session_switch(web->op, web->tx, secret, web_form(web, "tenant"));

    if (err == OK) {
        http_redirect(web->response, "/"); /* where we were need not exist there */
    }
    return err;
}

enum err page_theme_post(struct web *web)
{
    struct str wanted = web_form(web, "theme");
    bool is_secure = cookie_is_secure(web->config, web->request);
    bool is_light = str_equal(wanted, STR("light"));
    bool is_auto = str_equal(wanted, STR("auto"));

    if (!is_light && !is_auto && !str_equal(wanted, STR("dark"))) {
        return fail(web->op, ERR_INVALID, "A theme is light, dark or auto.");
    }
    if (!cookie_write(web->response, "theme", is_auto ? "" : is_light ? "light" : "dark",
                      is_secure, is_auto ? 0 : THEME_COOKIE_SECONDS)) {
        return fail_memory(web->op);
    }
    http_redirect(web->response, login_own_path(web->op, web_form(web, "next")));
    return OK;
}
