/* The overview: what a tenant's place uses and generates, and its devices. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "gen/templates.h"
#include "view/model_overview.h"

/* Where this installation is reached, for the commands of the first steps: as the settings say,
 * else as the browser said. */
static const char *base_url(struct web *web)
{
    if (web->config->public_url != NULL) {
        return web->config->public_url;
    }
    struct str host = http_header(web->request, "Host");
    bool is_sane = host.len > 0 && host.len <= 255;
    for (size_t i = 0; is_sane && i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        is_sane = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  strchr(".-:[]", c) != NULL;
    }
    if (!is_sane) {
        return "http://127.0.0.1:8080";
    }
    return arena_printf(web->op->arena, "%s://%.*s", web->request->is_https ? "https" : "http",
                        (int)host.len, host.ptr);
}

enum err page_overview(struct web *web)
{
    /* Some 10 KB: too much for a stack of many frames. */
    struct overview *overview = arena_alloc(web->op->arena, sizeof *overview);
    if (overview == NULL) {
        return fail_memory(web->op);
    }
    enum err err = overview_load(web->tx, web->who->tenant_timezone, clock_now_us(), overview);
    if (err != OK) {
        return err;
    }
    struct overview_view view;
    if (!overview_view(web->op->arena, overview, &view)) {
        return fail_memory(web->op);
    }
    view.page = page_view(web, "Overview", "/");
    view.base_url = base_url(web);
    view.tenant_slug = web->who->tenant_slug;
    page_is_html(web);
    tpl_page_overview(&web->response->body, &view);
    return OK;
}
