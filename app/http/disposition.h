/* Under which name an answer is to be saved. Called by handlers of files and of lists. */
#ifndef TIDEMARK_HTTP_DISPOSITION_H
#define TIDEMARK_HTTP_DISPOSITION_H

#include "base/arena.h"

/* The value of Content-Disposition for an attachment of any name (RFC 6266, RFC 8187), in the
 * arena; NULL without memory. */
const char *http_disposition(struct arena *arena, const char *name);

#endif
