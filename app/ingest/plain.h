/* Answers of conventions that speak in plain words. */
#ifndef TIDEMARK_INGEST_PLAIN_H
#define TIDEMARK_INGEST_PLAIN_H

#include "http/response.h"

/* Makes the answer this text, as text/plain. */
void plain_answer(struct http_response *response, int status, const char *text);

/* Gives the answer the failure's status, with Retry-After where it is to be sent again, and no
 * body yet. */
void plain_failure(struct http_response *response, const struct op *op);

#endif
