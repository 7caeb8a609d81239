/* A file that comes in parts, for lines that do not hold: PUT with Content-Range. */
#ifndef TIDEMARK_TRANSFER_PARTS_H
#define TIDEMARK_TRANSFER_PARTS_H

#include "web/web.h"

/* Takes the part that the request's Content-Range says, or answers how much is there ("bytes *" and
 * the length). 202 with Range while parts are missing, 201 with the file after the last. */
enum err parts_put(struct web *web) MUST_CHECK;

#endif
