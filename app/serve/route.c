/* Finding the row of a request in the list of URLs. Called by dispatch. */
#include "serve/route.h"

#include "base/buf.h"
#include "http/router.h"
#include "http/transport.h"

const struct route *route_find(enum route_process process, struct http_request *request,
                               unsigned *allowed)
{
    unsigned wanted = request->method == HTTP_HEAD ? HTTP_GET : request->method;

    *allowed = 0;
    for (int i = 0; i < N_ROUTES; i++) {
        const struct route *route = &ROUTES[i];
        /* what is ingested has its addresses for itself; others are shared by methods */
        if ((route->process == PROCESS_INGEST) != (process == PROCESS_INGEST) ||
            !http_path_matches(request, route->path)) {
            continue;
        }
        if (route->process == process && (route->methods & wanted)) {
            return route;
        }
        *allowed |= route->methods;
    }
    if (*allowed & HTTP_GET) {
        *allowed |= HTTP_HEAD;
    }
    return NULL;
}

const char *route_allow_list(struct arena *arena, unsigned methods)
{
    struct buf list;

    buf_init(&list, arena, 128);
    for (unsigned method = HTTP_GET; method < HTTP_OTHER; method <<= 1) {
        if (methods & method) {
            buf_add_text(&list, list.len > 0 ? ", " : "");
            buf_add_text(&list, http_method_name((enum http_method)method));
        }
    }
    buf_add_char(&list, '\0');
    return list.is_broken ? NULL : list.data;
}
