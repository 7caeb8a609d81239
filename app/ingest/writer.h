/* The writers: threads that take batches from the queue's lanes and commit them. */
#ifndef TIDEMARK_INGEST_WRITER_H
#define TIDEMARK_INGEST_WRITER_H

#include "db/conn.h"
#include "ingest/flush.h"
#include "ingest/queue.h"
#include "ingest/series_cache.h"

#include <stdatomic.h>

struct ingest_writers;

/* Counted by the writers; read at any time. */
struct writer_counts {
    _Atomic uint64_t batches, rows_fast, rows_late, retries, poisoned;
};

/* What the writers work with; all of it outlives them. */
struct writer_parts {
    struct ingest_queue *queue;
    struct series_cache *cache;
    struct ingest_flush *flush;
    struct db_options db;
    int n_fast, n_late;
};

/* Starts the threads, each with a connection of its own. NULL without memory or threads. */
struct ingest_writers *ingest_writers_start(const struct writer_parts *parts);

/* Ends and frees them, once the queue is closed and drained. With `is_abandoning` they give up
 * what fails now instead of trying again. NULL is allowed. */
void ingest_writers_stop(struct ingest_writers *writers, bool is_abandoning);

/* What the writers have done so far, for the metrics; theirs. */
struct writer_counts *ingest_writers_counts(struct ingest_writers *writers);

#endif
