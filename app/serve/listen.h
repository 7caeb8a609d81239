/* The listening unix sockets of `tidemark serve`. */
#ifndef TIDEMARK_SERVE_LISTEN_H
#define TIDEMARK_SERVE_LISTEN_H

#include "base/op.h"

/* Listens on a socket at `path` (replacing a dead one), non-blocking, for its user and group.
 * ERR_CONFLICT when another process answers there, ERR_UNAVAILABLE when it cannot be made. */
enum err listen_open(struct op *op, const char *path, int *out_fd) MUST_CHECK;

/* True when somebody listens at `path`. */
bool listen_is_answered(const char *path);

#endif
