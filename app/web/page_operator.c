/* /operator: tenants, ingest rate, storage and compression, jobs, slow statements. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/installation.h"
#include "gen/templates.h"
#include "view/model_operator.h"

/* All tenants of an installation go on its page up to here; the API has them page by page. */
#define TENANTS_SHOWN 1000

static const struct form_outcome outcomes[] = {
    { "erased", "The tenant and all that belonged to it are erased." },
};

enum err page_operator(struct web *web)
{
    int64_t now_us = clock_now_us();
    struct installation facts;
    struct usage_list tenants;
    struct operator_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
        .may_change = web->who->operator_role == OPERATOR_ADMIN,
    };
    enum err err = installation_load(web->tx, now_us, &facts);

    if (err == OK) {
        err = usage_list(web->tx, (struct str){ NULL, 0 }, TENANTS_SHOWN, &tenants);
    }
    if (err != OK) {
        return err;
    }
    if (!operator_view(web->op->arena, &facts, &tenants, now_us, &view)) {
        return fail_memory(web->op);
    }
    view.page = page_view(web, "Installation", "/operator");
    view.version = facts.engine;
    page_is_html(web);
    tpl_page_operator(&web->response->body, &view);
    return OK;
}
