/* A row of the one list of URLs (routes.c): all that a reviewer asks of an address. */
#ifndef TIDEMARK_SERVE_ROUTE_H
#define TIDEMARK_SERVE_ROUTE_H

#include "http/request.h"
#include "web/web.h"

struct ingest_format; /* ingest/format.h */

/* Who may come in. Anybody else gets 401 without credentials, 403 with the wrong ones. */
enum route_access {
    ACCESS_PUBLIC,        /* anybody; credentials are not looked at */
    ACCESS_LOGIN,         /* anybody; who is logged in is known, else the login form's CSRF token */
    ACCESS_INGEST,        /* device and admin tokens */
    ACCESS_UPLOAD,        /* device and admin tokens, admins of the tenant */
    ACCESS_READ,          /* api and admin tokens, members of the tenant */
    ACCESS_ADMIN,         /* admin tokens, admins of the tenant */
    ACCESS_SHARE,         /* whoever has the link: its secret is the route's {secret} */
    ACCESS_PERSON,        /* anybody logged in */
    ACCESS_OPERATOR,      /* those who run the installation */
    ACCESS_OPERATOR_ADMIN /* those of them who may change it */
};

/* The transaction that the handler runs in, bound to the tenant; to none where the access is
 * public. TX_STREAM: as TX_READ, and the answer may go on for any length, each page of it read in a
 * short transaction of its own (stream.c). TX_OWN: none, the handler opens short ones as it goes,
 * and looks at a form by itself (own.c). */
enum route_tx { TX_NONE, TX_READ, TX_STREAM, TX_WRITE, TX_OWN };

enum route_process { PROCESS_WEB, PROCESS_INGEST, PROCESS_UPLOAD };

/* How failures are answered, and where credentials are looked for. */
enum route_style {
    STYLE_API, /* problem documents; headers, else the session with X-CSRF-Token */
    STYLE_PAGE /* HTML; the session alone; POST takes a form with `csrf` */
};

struct route {
    unsigned methods; /* set of enum http_method; GET answers HEAD too */
    const char *path; /* "/v1/devices/{key}" */
    enum route_access access;
    enum route_tx tx;
    size_t max_body; /* bytes */
    enum route_process process;
    enum route_style style;
    web_handler handler; /* NULL: the body is ingested */
    /* What is ingested; where a handler answers, the convention that it belongs to (credentials,
     * the shape of failures). NULL but for ingest. */
    const struct ingest_format *format;
};

/* The list, and how long it is (at most METRICS_MAX_ROUTES). */
extern const struct route ROUTES[];
extern const int N_ROUTES;

/* The row for a request of `process`, its {names} captured. NULL when none fits; then `*allowed`
 * is the set of methods that the path has (0: no such path). */
const struct route *route_find(enum route_process process, struct http_request *request,
                               unsigned *allowed);

/* "GET, HEAD, POST" for an Allow header, in the arena. NULL without room. */
const char *route_allow_list(struct arena *arena, unsigned methods);

#endif
