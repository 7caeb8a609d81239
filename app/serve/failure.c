/* Failures as answers: problem documents for programs, pages or the way to the login form for
 * people. Called by dispatch alone, with the failure in the passage's operation. */
#include "serve/passage.h"

#include "ingest/format.h"
#include "serve/problem_page.h"

/* Every byte but the plain ones of a path and query as %XX; "?next=" takes it whole. */
static void add_escaped(struct buf *out, struct str text)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("-._~/", c) != NULL;
        if (is_plain && c != '\0') {
            buf_add_char(out, (char)c);
        } else {
            char escape[3] = { '%', HEX[c >> 4], HEX[c & 15] };
            buf_add(out, escape, sizeof escape);
        }
    }
}

static void redirect_to_login(struct passage *passage)
{
    const struct http_request *request = &passage->request;
    struct buf location;

    buf_init(&location, passage->op.arena, 8192);
    buf_add_text(&location, "/login");
    if ((request->method == HTTP_GET || request->method == HTTP_HEAD) && request->n_segments > 0) {
        buf_add_text(&location, "?next=");
        add_escaped(&location, request->target);
    }
    buf_add_char(&location, '\0');
    http_redirect(passage->response, location.is_broken ? "/login" : location.data);
}

/* An address that is not ours is a page's to whoever asks for HTML, but below the API. */
static bool is_for_people(const struct passage *passage)
{
    struct str path = passage->request.path;
    struct str accept;

    if (passage->route) {
        return passage->route->style == STYLE_PAGE;
    }
    if (passage->dispatcher->process == PROCESS_INGEST || str_starts_with(path, STR("/v1/")) ||
        str_starts_with(path, STR("/api/"))) {
        return false;
    }
    accept = http_header(&passage->request, "Accept");
    while (accept.ptr) {
        struct str range = str_cut(&accept, ',');
        if (str_equal_nocase(str_trim(str_cut(&range, ';')), STR("text/html"))) {
            return true;
        }
    }
    return false;
}

static void add_failure_headers(struct passage *passage)
{
    enum err code = passage->op.fault.code;

    if (code == ERR_UNAUTHORIZED) {
        (void)http_add_header(passage->response, "WWW-Authenticate", "Bearer realm=\"tidemark\"");
    }
    if (code == ERR_METHOD) {
        const char *allow = route_allow_list(passage->op.arena, passage->allowed);
        (void)http_add_header(passage->response, "Allow", allow);
    }
}

/* An operator who is a member of no tenant, at a tenant's page: theirs is another. */
static bool is_operator_astray(const struct passage *passage)
{
    const struct route *route = passage->route;
    const struct identity *who = &passage->who;

    return route && route->style == STYLE_PAGE && route->methods == HTTP_GET &&
           (route->access == ACCESS_READ || route->access == ACCESS_ADMIN) &&
           passage->op.fault.code == ERR_FORBIDDEN && who->kind == IDENTITY_PERSON &&
           who->tenant_id == 0 && who->operator_role != OPERATOR_NONE;
}

void failure_answer(struct passage *passage)
{
    bool is_page = is_for_people(passage);

    op_log_fault(&passage->op);
    add_failure_headers(passage);
    if (is_page && passage->op.fault.code == ERR_UNAUTHORIZED) {
        redirect_to_login(passage);
        return;
    }
    if (is_operator_astray(passage)) {
        http_redirect(passage->response, "/operator");
        return;
    }
    if (passage->route && passage->route->format) {
        passage->route->format->answer_error(&passage->request, passage->response);
        return;
    }
    http_problem(passage->response, &passage->op, passage->request.path);
    if (is_page) {
        const struct web web = {
            .op = &passage->op,
            .request = &passage->request,
            .response = passage->response,
            .who = &passage->who,
            .config = passage->dispatcher->config,
        };
        problem_page(&web);
    }
}
