/* The body of a long answer, as FastCGI's records straight to the connection: as large as they
 * may be, where libfcgi would make twenty of a page. Called by http/fcgi, between libfcgi's head
 * and its end of the answer. */
#ifndef TIDEMARK_HTTP_FCGI_BODY_H
#define TIDEMARK_HTTP_FCGI_BODY_H

#include "base/str.h"

/* Sends it on a blocking connection, for the request of that number. False where the peer is gone,
 * or takes nothing for as long as the connection's timeout allows; some of it may have left. */
bool fcgi_body_send(int fd, int request_id, struct str body);

#endif
