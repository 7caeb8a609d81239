/* What waits in a lane of the queue, a line for each tenant, and whose turn it is: batches are
 * formed from all lines in turn, so that a tenant that sends much waits behind itself alone. Not
 * locked: the queue's. */
#ifndef TIDEMARK_INGEST_TURNS_H
#define TIDEMARK_INGEST_TURNS_H

#include "ingest/ticket.h"

/* A power of two. Tenants whose numbers differ by a multiple of it share a line. */
#define TURN_LINES 1024

struct turn_line {
    struct ingest_ticket *first, **last; /* first come, first served */
    struct turn_line *next;              /* in the ring of those where somebody waits */
};

struct turns {
    struct turn_line *end; /* of the ring: its next is at turn; NULL: nobody waits */
    size_t n_lines;        /* in the ring */
    size_t n, n_rows;      /* tickets, and their rows */
    struct turn_line lines[TURN_LINES];
};

/* The line of a tenant. */
static inline size_t turn_line_of(int32_t tenant_id)
{
    return (size_t)(uint32_t)tenant_id & (TURN_LINES - 1);
}

/* Empty turns, in zeroed memory. */
void turns_init(struct turns *turns);

/* Puts a ticket at the end of its tenant's line. */
void turns_add(struct turns *turns, struct ingest_ticket *ticket);

/* Says of a ticket whether it may be taken now. */
typedef bool (*turn_test)(const void *context, const struct ingest_ticket *ticket);

/* True when the first of some line may be taken. */
bool turns_have(const struct turns *turns, turn_test may_go, const void *context);

/* Takes a batch, linked by `next`: from each line in turn some tickets, or a single large one,
 * as long as the batch's limits hold, `max_rows` and its bytes; one ticket at least. The next batch
 * begins where this one had no room left, so everybody's turn comes. NULL when turns_have is
 * false. */
struct ingest_ticket *turns_cut(struct turns *turns, turn_test may_go, const void *context,
                                size_t max_rows);

/* Rows that a ticket is in a batch: samples, and events. */
size_t turn_rows(const struct ingest_ticket *ticket);

#endif
