/* What a request shows to be let in: a token in one of the places that conventions use, or a
 * session's cookie. Only finds it; whether it is any good is token's and session's business. */
#ifndef TIDEMARK_AUTH_CREDENTIAL_H
#define TIDEMARK_AUTH_CREDENTIAL_H

#include "base/err.h"
#include "http/request.h"

enum credential_kind {
    CREDENTIAL_NONE,
    CREDENTIAL_TOKEN,
    CREDENTIAL_SESSION,
    CREDENTIAL_SEALED,  /* the header of auth/sealed.h, which says whose the body is */
    CREDENTIAL_NONSENSE /* something was shown that can be neither */
};

struct credential {
    enum credential_kind kind;
    struct str secret; /* as shown, bounded; in the operation's arena or the request */
};

/* Where a route looks, as a set. */
enum credential_place {
    CREDENTIAL_IN_HEADERS = 1, /* Authorization: Bearer, Token, Basic; X-API-Key */
    CREDENTIAL_IN_COOKIE = 2,  /* the session's */
    CREDENTIAL_IN_INFLUX = 4,  /* `p` of the query; of the headers, as ESPHome has it */
    CREDENTIAL_IN_EMONCMS = 8, /* `apikey` or `devicekey` of the query or the form; 32 characters
                                * there or in a header are a token without its prefix; a body
                                * that is encrypted */
    CREDENTIAL_IN_PVOUTPUT = 16, /* X-Pvoutput-Apikey; `key` of the query or the form */
    CREDENTIAL_IN_PATH = 32      /* the route's {token} */
};

/* The first credential found in `places`. A header wins over the cookie, so that a script in a
 * browser's profile is judged by what it says. `is_secure` chooses the cookie's name. Places in a
 * form read the request's body, once (http_read_form), as far as http_stranger_cap lets them. */
struct credential credential_find(struct http_request *request, unsigned places, bool is_secure);

#endif
