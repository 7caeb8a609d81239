/* The overview: what a tenant's place uses and generates, and its devices. */
#include "web/overview_costs.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "gen/templates.h"
#include "view/model_overview.h"

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
    err = overview_costs(web, &view.costs);
    if (err != OK) {
        return err;
    }
    view.page = page_view(web, "Overview", "/");
    view.base_url = web_base_url(web);
    view.tenant_slug = web->who->tenant_slug;
    page_is_html(web);
    tpl_page_overview(&web->response->body, &view);
    return OK;
}
