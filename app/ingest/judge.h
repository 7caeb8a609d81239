/* What a failed write means: a bad moment, a bad request, or something to be done first. And
 * how to find the bad request among many. Pure. */
#ifndef TIDEMARK_INGEST_JUDGE_H
#define TIDEMARK_INGEST_JUDGE_H

#include "ingest/ticket.h"

enum write_verdict {
    WRITE_DONE,
    WRITE_RETRY,       /* deadlock, serialization, lost connection, no room: try again */
    WRITE_LATE,        /* a sample is there already: another process was quicker */
    WRITE_PARTITION,   /* a partition may be missing */
    WRITE_REFUSED,     /* the database is not what we expect: nothing can be written now */
    WRITE_POISONED     /* something in the batch cannot be written */
};

/* The verdict on an attempt that ended with `err` and this SQLSTATE ("" when the database said
 * none, as with a lost connection). */
enum write_verdict judge_write(enum err err, const char *sqlstate);

/* The failure of a single request that cannot be written. */
struct judge_failure {
    enum err code;
    const char *detail;
};
struct judge_failure judge_request(const char *sqlstate);

/* Runs `attempt` on all tickets (linked by `next`, restored afterwards); while it answers
 * WRITE_POISONED, on halves of them, down to one, which `give_up` then ends. `attempt` ends its
 * tickets itself for every other answer. */
struct judge_bisect {
    enum write_verdict (*attempt)(void *context, struct ingest_ticket *tickets);
    void (*give_up)(void *context, struct ingest_ticket *ticket);
    void *context;
};
void judge_bisect(const struct judge_bisect *bisect, struct ingest_ticket *tickets);

#endif
