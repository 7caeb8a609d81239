/* One request on its way: what the steps of dispatch hand to each other. */
#ifndef TIDEMARK_SERVE_PASSAGE_H
#define TIDEMARK_SERVE_PASSAGE_H

#include "auth/credential.h"
#include "db/db.h"
#include "http/form.h"
#include "serve/dispatch.h"

struct db_tx;

struct passage {
    struct dispatcher *dispatcher;
    struct op op;
    struct http_request request;
    struct http_response *response;
    const struct route *route; /* NULL until found */
    unsigned allowed;          /* methods of the path, where the method was wrong */
    struct credential credential;
    struct identity who;
    bool is_operating; /* an operator's address, whose user was admitted */
    bool is_secure; /* cookies carry Secure and the __Host- prefix */
    struct web_stream stream; /* how the answer goes on; next NULL: it is whole */
    struct http_param form[MAX_FORM_FIELDS];
    int n_form;
};

/* Takes a connection and opens a transaction bound to `tenant_id` (0: none); the handler's one on
 * an operator's address is the operator role's. */
enum err passage_begin(struct passage *passage, bool is_write, int32_t tenant_id, struct db_tx **tx,
                       struct db_conn **conn) MUST_CHECK;
/* Commits (or, where `err` is a failure, rolls back) and gives the connection back. */
enum err passage_end(struct passage *passage, struct db_tx *tx, struct db_conn *conn,
                     enum err err) MUST_CHECK;

/* What a handler is given, to fill `response`. */
struct web passage_web(struct passage *passage, struct http_response *response, struct db_tx *tx);

/* gate.c: credentials, role, CSRF. */

/* Finds out who is asking, where the route wants to know. */
enum err gate_identify(struct passage *passage) MUST_CHECK;
/* ERR_UNAUTHORIZED or ERR_FORBIDDEN for those whom the route is not for. */
enum err gate_admit(struct passage *passage) MUST_CHECK;
/* Reads a page's form, and refuses what was not sent by one of our own. */
enum err gate_check_form(struct passage *passage) MUST_CHECK;

/* failure.c */

/* Turns the operation's failure into the answer that the route's style asks for. */
void failure_answer(struct passage *passage);

#endif
