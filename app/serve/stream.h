/* Answers of any length, after their first page. */
#ifndef TIDEMARK_SERVE_STREAM_H
#define TIDEMARK_SERVE_STREAM_H

#include "serve/passage.h"

/* Reads and sends what is left of the answer, page by page. False when the client is gone, or when
 * a page failed (which the log tells): the answer is not whole and must be cut. */
bool stream_send(struct passage *passage, struct fcgi_exchange *exchange) MUST_CHECK;

#endif
