/* The batches of the fast lane that are being written: which, how far, and what the time that they
 * take says of how large the next ones may be. Not locked: the queue's. */
#ifndef TIDEMARK_INGEST_AT_WORK_H
#define TIDEMARK_INGEST_AT_WORK_H

#include "ingest/ticket.h"

#define MAX_FAST_WRITERS 16

/* A batch that is being written. */
struct work {
    uint64_t batch; /* its number; 0: none */
    int64_t since_us;
    size_t n_rows, most_rows; /* that it has, and that it might have had */
    bool is_committing;       /* it waits for the disk alone */
};

struct at_work {
    uint64_t n_batches; /* so far: the last one's number */
    int64_t row_ns;     /* what a row of full batches takes, lately; 0: there was none yet */
    int n_committing;
    struct work works[MAX_FAST_WRITERS];
};

/* Numbers the batch of the tickets linked by `next`, which begins `now_us` (monotonic). At most
 * MAX_FAST_WRITERS are at work. */
void at_work_begin(struct at_work *at_work, struct ingest_ticket *batch, int64_t now_us);

/* The batch that the ticket begins is executed. True when that was not known. */
bool at_work_commit(struct at_work *at_work, const struct ingest_ticket *batch);

/* It is finished. */
void at_work_end(struct at_work *at_work, const struct ingest_ticket *batch);

/* True when every batch with a number up to `last` is finished. */
bool at_work_is_over(const struct at_work *at_work, uint64_t last);

/* How many rows the next batch may have. */
size_t at_work_most_rows(const struct at_work *at_work);

#endif
