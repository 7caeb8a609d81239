/* One request on its way: what the steps of dispatch hand to each other. */
#ifndef TIDEMARK_SERVE_PASSAGE_H
#define TIDEMARK_SERVE_PASSAGE_H

#include "auth/credential.h"
#include "db/db.h"
#include "http/form.h"
#include "ingest/service.h"
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
    bool is_counted;   /* against the limits of its token and tenant */
    bool is_operating; /* an operator's address, whose user was admitted */
    bool is_secure; /* cookies carry Secure and the __Host- prefix */
    struct ingest_notice notice; /* of a call that is not waited for; on_done NULL: it is */
    struct ingest_pending *pending; /* what ingest began; NULL: nothing */
    int64_t began_us;
    struct web_stream stream; /* how the answer goes on; next NULL: it is whole */
    struct fcgi_exchange *exchange; /* NULL: the answer is not sent from here */
    struct db_conn *own_conn; /* of the transaction that a handler opened */
    int64_t identified_us;    /* monotonic; when who asks was found out */
    bool is_head, has_sent;   /* the answer's headers alone; it has begun to leave */
    struct http_param *form;        /* of a page, in the arena; NULL: none was read */
    int n_form;
};

/* The passage of a request that just came, in the dispatcher's arena; its response is empty. NULL
 * without memory. */
struct passage *passage_new(struct dispatcher *dispatcher, struct http_transport *transport,
                            struct http_response *response);

/* The whole way up to the answer; a failure of any step ends it. */
enum err passage_run(struct passage *passage, struct http_transport *transport) MUST_CHECK;

/* The way of a request whose body is not there yet, up to where that is needed: OK when it is to be
 * taken, with room for it and nothing else done. Where nobody knows who sends it before the body is
 * read, the room is of what such senders share. With a failure and op.would_wait the operation must
 * not wait, and one that may can say. */
enum err passage_admit(struct passage *passage, struct http_transport *transport) MUST_CHECK;

/* What was begun, and is long work, will be begun anew by a thread: takes back what it did, and OK
 * where there is room for it until then. */
enum err passage_postpone(struct passage *passage) MUST_CHECK;

/* The second half of a call that was not waited for, once its notice was given. */
enum err passage_finish_ingest(struct passage *passage) MUST_CHECK;

/* Completes the answer: that of the failure `err`, headers, the log. */
void passage_conclude(struct passage *passage, enum err err);

/* The row of the list of URLs that it took, or -1; NULL is allowed. */
int passage_route_index(const struct passage *passage);

/* A connection with no transaction open, to be given back; the handler's one on an operator's
 * address is the operator role's. */
enum err passage_take(struct passage *passage, struct db_conn **conn) MUST_CHECK;
void passage_give(struct passage *passage, struct db_conn *conn);

/* Takes a connection and opens a transaction bound to `tenant_id` (0: none). */
enum err passage_begin(struct passage *passage, bool is_write, int32_t tenant_id, struct db_tx **tx,
                       struct db_conn **conn) MUST_CHECK;
/* Whether a reading that ended with `err` is done anew, in another transaction: where what it read
 * changed meanwhile. Then the response is what it was when it was `begun`. */
bool passage_reads_anew(struct passage *passage, enum err err, struct http_response *response,
                        const struct http_response *begun);
/* Commits (or, where `err` is a failure, rolls back) and gives the connection back. */
enum err passage_end(struct passage *passage, struct db_tx *tx, struct db_conn *conn,
                     enum err err) MUST_CHECK;

/* Names in a transaction who acts: a person by e-mail, a token by its number. */
enum err passage_bind_actor(struct passage *passage, struct db_tx *tx) MUST_CHECK;

/* The tenant that the handler's transactions are bound to; 0: none. */
int32_t passage_tenant(const struct passage *passage);

/* What every answer carries. */
void passage_add_headers(struct passage *passage);

/* What a handler is given, to fill `response`. */
struct web passage_web(struct passage *passage, struct http_response *response, struct db_tx *tx);

/* gate.c: credentials, role, CSRF. */

/* Finds out who is asking, where the route wants to know. */
enum err gate_identify(struct passage *passage) MUST_CHECK;
/* ERR_UNAUTHORIZED or ERR_FORBIDDEN for those whom the route is not for. */
enum err gate_admit(struct passage *passage) MUST_CHECK;
/* ERR_RATE_LIMITED, with Retry-After, beyond a limit of the token or its tenant. */
enum err gate_limit(struct passage *passage) MUST_CHECK;
/* Takes back that a post was counted: another thread will begin it anew. */
void gate_unlimit(struct passage *passage);
/* Reads a page's form, and refuses what was not sent by one of our own. */
enum err gate_check_form(struct passage *passage) MUST_CHECK;

/* own.c: runs a handler that opens its own transactions. */
enum err own_run(struct passage *passage) MUST_CHECK;

/* failure.c */

/* Turns the operation's failure into the answer that the route's style asks for. */
void failure_answer(struct passage *passage);

#endif
