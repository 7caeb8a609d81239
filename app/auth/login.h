/* Logging in by e-mail and password. Throttled by e-mail and by address; says nothing, and takes
 * no other time, where the e-mail is nobody's. */
#ifndef TIDEMARK_AUTH_LOGIN_H
#define TIDEMARK_AUTH_LOGIN_H

#include "base/config.h"
#include "base/err.h"
#include "http/request.h"
#include "http/response.h"

struct db_tx;

enum login_outcome {
    LOGIN_PASSED,  /* the session's cookie is in the response */
    LOGIN_REFUSED, /* wrong e-mail or password; counted */
    LOGIN_WAIT     /* too many failures: not looked at; try again in wait_s */
};

/* A login form and what became of it. */
struct login {
    struct str email, password; /* as typed */
    enum login_outcome outcome;
    int wait_s;
    int64_t person_id; /* whose e-mail it is, whatever the outcome; 0: nobody's */
};

/* Checks e-mail and password without starting a session: of one who is asked for the password
 * again. Counts failures and waits like a login. */
enum err login_verify(struct db_tx *tx, const struct http_request *request,
                      struct login *login) MUST_CHECK;

/* Starts the session of login->person_id, whose e-mail is login->email and who has proved
 * to be that; a session that the request carries ends. It looks at `tenant_slug`, NULL: at the
 * person's first tenant. */
enum err login_start(struct db_tx *tx, const struct config *config,
                     const struct http_request *request, struct http_response *response,
                     const struct login *login, const char *tenant_slug) MUST_CHECK;

/* Tries a login in a transaction that may write and is bound to no tenant, and fills in its
 * outcome. A request that carries an older session ends it when the login passes. */
enum err login_attempt(struct db_tx *tx, const struct config *config,
                       const struct http_request *request, struct http_response *response,
                       struct login *login) MUST_CHECK;

/* What an address is counted as: an IPv6 one as its /64 network, for whoever has one address of it
 * has them all; IPv4, mapped ones too, as itself. In the op's arena; NULL without memory. */
const char *login_throttled_address(struct op *op, struct str address);

/* `next` where it is a path of ours, else "/". In the op's arena. */
const char *login_own_path(struct op *op, struct str next);
/* `next` where it is a path of ours that a browser can go to, else "/": a login form must not lead
 * elsewhere. In the op's arena. */
const char *login_next_path(struct op *op, struct str next);

#endif
