/* The page of a failure. Called by failure.c for routes of STYLE_PAGE. */
#include "serve/problem_page.h"

#include "gen/templates.h"
#include "web/page.h"

void problem_page(struct http_response *response, const struct op *op, const struct identity *who)
{
    const struct err_row *row = err_row(op->fault.code);
    const struct web web = { .who = who };
    struct problem_view view = {
        .page = page_view(&web, row->title, ""),
        .status = row->status,
        .heading = row->title,
        .explanation = http_public_detail(op),
        .request_id = op->id,
        .is_retry = row->status == 429 || row->status >= 500,
    };

    buf_clear(&response->body);
    response->content_type = "text/html; charset=utf-8";
    tpl_page_problem(&response->body, &view);
}
