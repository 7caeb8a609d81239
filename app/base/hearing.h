/* Whether what was asked for a while ago may still be believed: a cache that is told of changes
 * knows when it last heard of all of them. Times are monotonic microseconds. Not locked: its
 * cache's. */
#ifndef TIDEMARK_BASE_HEARING_H
#define TIDEMARK_BASE_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hearing {
    int64_t heard_us; /* all changes until then are known; INT64_MIN: nothing is heard */
    int64_t since_us; /* of what was asked for from then on */
    int64_t told_us;  /* when there was one last */
};

/* Nothing is heard yet. */
void hearing_init(struct hearing *hearing);

/* There are changes, which are forgotten next: who asked before keeps nothing any more. */
void hearing_tell(struct hearing *hearing);

/* All that was committed before `began_us` was told. */
void hearing_note(struct hearing *hearing, int64_t began_us);

/* The changes were not to be had, or not all of them. */
void hearing_lose(struct hearing *hearing);

/* True while changes are heard of. */
bool hearing_is_on(const struct hearing *hearing);

/* True when a change of what was asked for then would be known by `now_us`, but for one of the
 * last NAME_CACHE_AGE_MS. */
bool hearing_covers(const struct hearing *hearing, int64_t asked_us, int64_t now_us);

/* True for an answer that was asked for after all changes that are known. */
bool hearing_may_keep(const struct hearing *hearing, int64_t asked_us);

/* The age at which an answer is to be asked for anew, less up to half of it by a number: what was
 * asked for together, as after a start, need not all be asked for again at one moment. */
int64_t hearing_age_us(int64_t age_ms, uint64_t number);

#endif
