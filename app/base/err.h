/* One enum for everything that can go wrong, and one table that says what each
 * code means to a client and to the log. */
#ifndef TIDEMARK_BASE_ERR_H
#define TIDEMARK_BASE_ERR_H

#include "base/log.h"

enum err {
    OK = 0,
    ERR_MALFORMED,       /* 400: cannot be understood */
    ERR_UNAUTHORIZED,    /* 401: no or no valid credentials */
    ERR_FORBIDDEN,       /* 403: credentials of the wrong kind */
    ERR_NOT_FOUND,       /* 404: not there, or not the caller's */
    ERR_METHOD,          /* 405 */
    ERR_NOT_ACCEPTABLE,  /* 406 */
    ERR_CONFLICT,        /* 409: contradicts what is stored */
    ERR_LENGTH_REQUIRED, /* 411 */
    ERR_PRECONDITION,    /* 412: it is not as the client's If-Match has it */
    ERR_TOO_LARGE,       /* 413: over a limit of size or count */
    ERR_MEDIA_TYPE,      /* 415: content type or encoding not known */
    ERR_INVALID,         /* 422: understood, but not valid */
    ERR_RATE_LIMITED,    /* 429: with Retry-After */
    ERR_INTERNAL,        /* 500: a fault of ours */
    ERR_UNAVAILABLE,     /* 503: database or queue cannot take it now; with Retry-After */
    ERR_MAINTENANCE,     /* 503: maintenance mode is on; with Retry-After */
    ERR_CHANGING,        /* 503: what it is about is being changed or removed; with Retry-After */
    ERR_DAMAGED,         /* 500: what is stored is damaged or missing */
    ERR_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The row of the table for one code. */
struct err_row {
    enum err code;
    int status;            /* HTTP status */
    const char *slug;      /* the problem document's type, e.g. "not-found" */
    const char *title;     /* the problem document's title */
    enum log_level level;  /* at which the failure is logged */
    bool is_detail_public; /* whether the detail may be shown to the client */
};

/* The row of a code; a code out of range gets that of ERR_INTERNAL. */
const struct err_row *err_row(enum err code);

/* True for what may pass by itself: the same asked again may be answered. */
bool err_may_pass(enum err code);

#endif
