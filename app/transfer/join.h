/* Joining the parts of a file into the object that becomes visible. For parts.c alone. */
#ifndef TIDEMARK_TRANSFER_JOIN_H
#define TIDEMARK_TRANSFER_JOIN_H

#include "transfer/receive.h"

/* Joins all parts of the file, `total` bytes that are there, and makes it visible: file->written.
 * On a failure they stay, and the last one may be sent again. ERR_CONFLICT when it was made visible
 * or given up meanwhile, or the store has lost a part, which *received says then; ERR_CHANGING
 * while another attempt is at it. */
enum err join_parts(struct web *web, struct receiving *file, int64_t total,
                    int64_t *received) MUST_CHECK;

/* ERR_CHANGING, with Retry-After: another attempt is at it. */
enum err join_busy(struct web *web) MUST_CHECK;

/* Forgets an attempt, of a part or to join them, in a transaction of its own; where that fails, the
 * file's end takes it. The operation's failure stays as it is. */
void join_abandon(struct web *web, const char *file_id, const struct upload_part_begun *begun);

#endif
