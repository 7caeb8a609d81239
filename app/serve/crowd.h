/* Who sends files at this moment, so that nobody's transfers hold every thread of the upload
 * process. One for all of its threads. */
#ifndef TIDEMARK_SERVE_CROWD_H
#define TIDEMARK_SERVE_CROWD_H

#include "auth/identity.h"
#include "base/arena.h"
#include "base/op.h"

struct crowd;
struct crowd_place; /* of one transfer */

#define CROWD_RETRY_S 5 /* when one that was turned away may ask again */

/* For `threads` transfers at once, in the arena; NULL without memory. */
struct crowd *crowd_new(struct arena *arena, int threads);

/* Lets a transfer of `who` in. ERR_RATE_LIMITED where one token or person would have more than half
 * of the threads, or one tenant more than three quarters of them; one transfer each may have. */
enum err crowd_enter(struct crowd *crowd, struct op *op, const struct identity *who,
                     struct crowd_place **out) MUST_CHECK;
/* It has ended; NULL is allowed. */
void crowd_leave(struct crowd *crowd, struct crowd_place *place);

#endif
