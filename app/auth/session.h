/* Sessions of browsers: the cookie, and who carries it. The cookie's secret is never stored,
 * only its hash. */
#ifndef TIDEMARK_AUTH_SESSION_H
#define TIDEMARK_AUTH_SESSION_H

#include "auth/identity.h"
#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

struct db_conn;
struct db_tx;

/* The secret that the request's cookie holds; empty when there is none. */
struct str session_secret(const struct http_request *request, bool is_secure);

/* Whose session it is; `who->kind` is IDENTITY_NONE when it is unknown or expired. Notes that it
 * was seen. In a transaction of its own, on a connection that has none open. */
enum err session_resolve(struct op *op, struct db_conn *conn, struct str secret,
                         struct identity *who) MUST_CHECK;

/* A new secret, its hash stored by the caller's `hash`, its cookie in the response. */
enum err session_issue(struct op *op, struct http_response *response, bool is_secure,
                       uint8_t hash[32]) MUST_CHECK;

/* Turns the request's session to another tenant of its person. ERR_NOT_FOUND where the person is
 * no member of it. */
enum err session_switch(struct op *op, struct db_tx *tx, struct str secret,
                        struct str tenant_slug) MUST_CHECK;

/* Ends the request's session, if any, and removes the cookie. */
enum err session_logout(struct db_tx *tx, const struct http_request *request,
                        struct http_response *response, bool is_secure) MUST_CHECK;

#endif
