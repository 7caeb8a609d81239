/* What of a request is kept in the ledger when it, or some of its items, are rejected: the items'
 * own text where the format says it, else the body, and all that is needed to make the request
 * again, without its credentials. */
#ifndef TIDEMARK_INGEST_REJECT_H
#define TIDEMARK_INGEST_REJECT_H

#include "auth/identity.h"
#include "ingest/format.h"
#include "ingest/ledger.h"

/* A request, and who it came from. */
struct reject_context {
    struct ingest_ledger *ledger;
    struct http_request *request;
    const struct identity *who;
    const struct ingest_format *format;
    int64_t time_us; /* of its arrival */
};

/* Keeps the items that the columns rejected. Without memory they only count as dropped. */
void ingest_reject_items(const struct reject_context *context,
                         const struct ingest_columns *columns);

/* Keeps the body, which could not be read as a whole for the failure recorded in request->op. */
void ingest_reject_body(const struct reject_context *context);

/* The text as the database takes it: other bytes than UTF-8 become question marks. */
struct str ingest_reject_line(struct arena *arena, struct str text);

/* The sentence of the recorded failure, as far as it is the sender's. */
const char *ingest_reject_reason(const struct op *op);

#endif
