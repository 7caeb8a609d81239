/* What PVOutput's formats share: whose readings they are, and its answers to the byte. */
#ifndef TIDEMARK_INGEST_PVOUTPUT_H
#define TIDEMARK_INGEST_PVOUTPUT_H

#include "ingest/format.h"

#define PVOUTPUT_SYSTEM_HEADER "X-Pvoutput-SystemId"
#define PVOUTPUT_SYSTEM_FIELD "sid" /* says the same, of the query or the form */

/* The device: a bound token's, else the system's id, the header's first; ptr NULL where neither
 * is there. */
struct str pvoutput_system(const struct http_request *request,
                           const struct ingest_columns *columns);

/* `success`, or "Bad request 400: …" where anything was rejected. */
enum err pvoutput_answer(struct http_request *request, const struct ingest_outcome *outcome,
                         struct http_response *response, const char *success);

/* "Unauthorized 401: Invalid API Key", "Bad request 400: …" and the like. */
void pvoutput_answer_error(struct http_request *request, struct http_response *response);

#endif
