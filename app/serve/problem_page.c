/* The page of a failure. Called by failure.c for routes of STYLE_PAGE. */
#include "serve/problem_page.h"

#include "gen/templates.h"
#include "web/page.h"

/* What happened, in the words of people. */
static const char *heading(const struct err_row *row)
{
    switch (row->status) {
    case 403: return "This is not open to you";
    case 404: return "There is nothing here";
    case 429: return "A little slower, please";
    case 500: return "Something broke on our side";
    case 503: return "Tidemark cannot answer just now";
    default: return row->title;
    }
}

/* The API's detail of a 404 names what was looked for; a page's reader typed an address. */
static const char *explanation(const struct op *op)
{
    if (op->fault.code == ERR_NOT_FOUND) {
        return "The address may be mistyped, or what it named was removed.";
    }
    return http_public_detail(op);
}

void problem_page(const struct web *web)
{
    const struct op *op = web->op;
    struct http_response *response = web->response;
    const struct err_row *row = err_row(op->fault.code);
    struct problem_view view = {
        .page = page_view(web, row->title, ""),
        .status = row->status,
        .heading = heading(row),
        .explanation = explanation(op),
        .request_id = op->id,
        .is_retry = row->status == 429 || row->status >= 500,
    };

    buf_clear(&response->body);
    response->content_type = "text/html; charset=utf-8";
    tpl_page_problem(&response->body, &view);
}
