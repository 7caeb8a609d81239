/* The way of a request from its head to its answer, the same for every address. */
#ifndef TIDEMARK_SERVE_DISPATCH_H
#define TIDEMARK_SERVE_DISPATCH_H

#include "base/config.h"
#include "http/fcgi.h"
#include "serve/route.h"

struct crowd;
struct db_conn;
struct db_pool;
struct ingest_metrics;
struct ingest_service;
struct maintenance;
struct metrics;
struct quotas;
struct store;
struct token_cache;

/* What one thread needs to answer requests. Borrows everything. */
struct dispatcher {
    const struct config *config;
    enum route_process process;
    struct arena *arena;  /* of this thread alone; reset after each request */
    struct arena *page_arena; /* the same for each page of a stream; NULL: routes do not stream */
    struct db_conn *conn; /* of this thread alone, or NULL: */
    struct db_conn *operator_conn; /* of the operator role, for operators' addresses; or NULL */
    struct db_pool *pool; /* connections are lent for a transaction each */
    struct token_cache *tokens;
    struct maintenance *maintenance; /* of the process; NULL: never looked at */
    struct metrics *metrics;
    struct ingest_service *ingest; /* this and the next two: NULL in the web process */
    const struct ingest_metrics *ingest_metrics;
    struct quotas *quotas; /* NULL: nobody has limits */
    struct store *store, *copy_store; /* of this thread; NULL: no route needs them */
    struct crowd *crowd; /* of those who send files; NULL: any number of them may */
};

/* Answers the request of `exchange`, ends the exchange and resets the arena. */
void dispatch_serve(struct dispatcher *dispatcher, struct fcgi_exchange *exchange);

/* The same without FastCGI, for tests: makes the answer, returns the route's index or -1. The
 * arena is not reset. */
int dispatch_answer(struct dispatcher *dispatcher, struct http_transport *transport,
                    struct http_response *response);

#endif
