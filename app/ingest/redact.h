/* What must not be kept of a request: its own token, with or without the prefix, any other token of
 * ours, and fields of a form that conventions show credentials in. Called by reject. */
#ifndef TIDEMARK_INGEST_REDACT_H
#define TIDEMARK_INGEST_REDACT_H

#include "ingest/format.h"

struct redact {
    struct arena *arena;
    struct str key;  /* the request's own token behind its prefix; len 0: none was found */
    unsigned places; /* where its convention shows credentials */
    bool is_form, is_multipart; /* its body is a form, of the one kind or the other */
};

/* Of an authenticated request. */
struct redact redact_of(struct http_request *request, const struct ingest_format *format);

/* True where the parameter may hold a credential. */
bool redact_is_credential(const struct redact *redact, struct str name, struct str value);

/* The first `max` bytes of a text, with an x for each character of a token; "" without memory. */
struct str redact_item(const struct redact *redact, struct str text, size_t max);

/* The same of a body; of a form also the values that are credentials by their names, or hold a
 * token behind escapes. */
struct str redact_body(const struct redact *redact, struct str body, size_t max);

#endif
