/* FastCGI over one listening socket: which connection has a request, its variables and body,
 * the answer, and what becomes of the connection. The only place that sees libfcgi.
 *
 * Connections that wait for their next request are watched, not waited on: they hold no
 * thread, so a drain is never blocked and there may be more of them than threads. */
#ifndef TIDEMARK_HTTP_FCGI_H
#define TIDEMARK_HTTP_FCGI_H

#include "http/response.h"
#include "http/transport.h"

struct fcgi_server;
struct fcgi_exchange; /* a connection with the request it carries now */

enum fcgi_next {
    FCGI_NEXT_REQUEST,
    FCGI_NEXT_STOP,  /* `stop_fd` became readable */
    FCGI_NEXT_FAILED /* the listening socket is of no use */
};

/* Serves `listen_fd` (non-blocking) until `stop_fd` is readable, keeping at most
 * `max_connections` open. Once per process. NULL (and a line in the log) on failure. */
struct fcgi_server *fcgi_server_new(int listen_fd, int stop_fd, int max_connections);

/* Has `may_take(context)` asked before a new connection is taken. False: another process will
 * take it, or it is asked again some milliseconds later. Before the first request. */
void fcgi_server_set_gate(struct fcgi_server *server, bool (*may_take)(const void *context),
                          const void *context);

/* Has a body end as one that was cut short when `pace_us` of waiting for it have brought less than
 * `pace_bytes`. Before the first request. */
void fcgi_server_set_pace(struct fcgi_server *server, int64_t pace_us, int64_t pace_bytes);

/* Closes all connections. No exchange may be in flight. */
void fcgi_server_free(struct fcgi_server *server);

/* Waits for the next request. Several threads may wait at once. */
enum fcgi_next fcgi_server_next(struct fcgi_server *server, struct fcgi_exchange **out);

/* The request's variables and body; lives until fcgi_finish. */
struct http_transport *fcgi_transport(struct fcgi_exchange *exchange);

/* Sends the whole answer. `is_head`: its headers only. False when the client is gone. */
bool fcgi_send(struct fcgi_exchange *exchange, const struct http_response *response, bool is_head);

/* Sends more of a body whose answer was streamed. Waits for a slow reader. False when the client is
 * gone. */
bool fcgi_send_more(struct fcgi_exchange *exchange, struct str bytes);

/* True once the process was asked to stop: what runs may finish, but not go on for ever. */
bool fcgi_is_stopping(const struct fcgi_exchange *exchange);

/* Ends the exchange: drops what is left of the body, and keeps or closes the connection. */
void fcgi_finish(struct fcgi_exchange *exchange);

/* Ends an exchange whose answer cannot be completed: closes the connection without the record that
 * ends an answer, so that the client sees a body cut short and none that looks whole. */
void fcgi_cut(struct fcgi_exchange *exchange);

#endif
