/* What emoncms's two formats share: the answers, which are its own to the byte. */
#ifndef TIDEMARK_INGEST_EMONCMS_H
#define TIDEMARK_INGEST_EMONCMS_H

#include "ingest/format.h"

/* `ok`, or {"success": true} where `fulljson` was sent, or the hash that the sender of an encrypted
 * body waits for; as a failure where anything was rejected:
 * a sender that reads `ok` forgets its readings. */
enum err emoncms_answer(struct http_request *request, const struct ingest_outcome *outcome,
                        struct http_response *response);

/* 200 {"success": false, "message": "…"} for bad data; 401 and words for a bad key; the status
 * that says so where the server cannot take it. */
void emoncms_answer_error(struct http_request *request, struct http_response *response);

#endif
