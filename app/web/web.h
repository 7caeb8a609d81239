/* What a handler is given. The pipeline (serve/dispatch) has checked the route, the
 * credentials, the role and the CSRF token, opened a transaction bound to the tenant,
 * and will commit and send. A handler reads the request, calls domain functions, fills
 * the response. It never sees SQL or a connection. */
#ifndef TIDEMARK_WEB_WEB_H
#define TIDEMARK_WEB_WEB_H

#include "auth/identity.h"
#include "base/config.h"
#include "http/request.h"
#include "http/response.h"

struct cursor;
struct db_tx;
struct metrics;
struct passage;
struct store;

struct web;

/* How an answer of any length goes on: `next` puts the next page's bytes into the response's body
 * and says whether there are more. It is given a `web` of its own, whose arena is the page's; the
 * state lives in the request's. */
struct web_stream {
    enum err (*next)(struct web *web, void *state, bool *is_more); /* NULL: the answer is whole */
    void *state;
};

/* What a handler of a TX_OWN route does by itself: it takes the body as it comes, and sends as it
 * goes, with short transactions before, after and in between, none of them open meanwhile. */
struct web_own {
    /* Opens a transaction as web->tx, bound to who asks, whose credentials are looked at again
     * where that is some seconds ago. */
    enum err (*begin)(struct web *web, bool is_write);
    /* Commits it, or rolls it back where `err` is a failure, which it then returns. */
    enum err (*end)(struct web *web, enum err err);
    /* Sends bytes of the body (none: the response's head alone), and before the first ones the
     * head, which should say the length. ERR_UNAVAILABLE when the client is gone. */
    enum err (*send)(struct web *web, struct str bytes);
    struct passage *passage;
    struct store *store;      /* of this thread */
    struct store *copy_store; /* another on the same place, for what is read from the first */
};

struct web {
    struct op *op;
    struct http_request *request;
    struct http_response *response;
    struct db_tx *tx;               /* bound to who->tenant_id; NULL where the route has none */
    const struct identity *who;     /* never NULL */
    const struct config *config;
    size_t max_body;                /* bytes, of the route */
    const struct http_param *form;  /* decoded form fields of a POST page */
    int n_form;
    const struct metrics *metrics;  /* of this server, for serve/health alone */
    struct store *store;            /* where the archive is, of this thread; NULL: none is read */
    const struct web_own *own;      /* of TX_OWN routes; NULL of others */
    struct web_stream stream;       /* set by handlers of TX_STREAM routes whose answer goes on */
};

typedef enum err (*web_handler)(struct web *web);

/* A form field's value; ptr NULL when absent. */
struct str web_form(const struct web *web, const char *name);

/* ---- input: each fails with ERR_MALFORMED or ERR_INVALID and names the parameter ---- */

/* A text to filter by; ptr NULL when absent or empty. Never fails. */
struct str web_query_text(const struct web *web, const char *name);
/* `event`, the id of an event, in the arena; NULL when absent. */
enum err web_query_event(struct web *web, const char **out) MUST_CHECK;
/* The same of a text from elsewhere. */
enum err web_event_id(struct web *web, struct str text, const char **out) MUST_CHECK;
/* Whether it is a UUID's text, in letters of either case. */
bool web_is_uuid(struct str text);
/* `limit`, default LIST_LIMIT_DEFAULT, 1 to LIST_LIMIT_MAX. */
enum err web_query_limit(struct web *web, int *out) MUST_CHECK;

/* `from` (inclusive) and `to` (exclusive), without bounds where absent. ERR_INVALID when
 * `to` is before `from`. */
enum err web_query_span(struct web *web, int64_t *from_us, int64_t *to_us) MUST_CHECK;
/* A date such as "2026-11-20", in days since 1970; `fallback` when absent. */
enum err web_query_day(struct web *web, const char *name, int64_t fallback,
                       int64_t *day) MUST_CHECK;
/* `cursor`, a text that a list of this `kind` (enum cursor_kind) gave out; *found is false
 * when absent. */
enum err web_query_cursor(struct web *web, int kind, bool *found, struct cursor *out) MUST_CHECK;

/* Where this installation is reached, without a slash at the end, for links and commands to be
 * copied: as PUBLIC_URL says, else as the client said. In the arena. */
const char *web_base_url(const struct web *web);

/* ---- output ---- */

/* "/admin/devices/kitchen%2F1" of "/admin/devices/" and a key. NULL beyond the arena's cap. */
const char *web_path(struct arena *arena, const char *prefix, struct str part) MUST_CHECK;

/* Makes the answer a 201 with the address of what was made. */
enum err web_created(struct web *web, const char *prefix, struct str key) MUST_CHECK;

#endif
