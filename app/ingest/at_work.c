/* Bookkeeping of batches at work; few, so that they are looked through. Called by the queue, under
 * its mutex. */
#include "ingest/at_work.h"

#include "base/clock.h"
#include "ingest/turns.h"

#define SLOWEST_ROW_NS (BATCH_MAX_US * 1000 / BATCH_LEAST_ROWS) /* batches get no smaller */

static size_t rows_of(const struct ingest_ticket *batch)
{
    size_t n = 0;

    for (; batch; batch = batch->next) {
        n += turn_rows(batch);
    }
    return n;
}

/* The work of that number, 0: room for one; NULL: there is none. */
static struct work *work_of(struct at_work *at_work, uint64_t batch)
{
    for (int i = 0; i < MAX_FAST_WRITERS; i++) {
        if (at_work->works[i].batch == batch) {
            return &at_work->works[i];
        }
    }
    return NULL;
}

/* How long a batch took says how large the next ones may be, where it was at least half as large as
 * it might have been: of smaller ones the commit is the greater part. */
static void learn_pace(struct at_work *at_work, const struct work *work)
{
    int64_t took_us = clock_monotonic_us() - work->since_us;
    size_t half = work->most_rows / 2;

    if (work->n_rows >= (half < BATCH_LEAST_ROWS ? half : BATCH_LEAST_ROWS)) {
        int64_t row_ns = took_us * 1000 / (int64_t)work->n_rows;
        row_ns = at_work->row_ns ? (at_work->row_ns * 3 + row_ns) / 4 : row_ns;
        at_work->row_ns = row_ns < SLOWEST_ROW_NS ? row_ns : SLOWEST_ROW_NS;
    }
}

size_t at_work_most_rows(const struct at_work *at_work)
{
    int64_t row_ns = at_work->row_ns;
    size_t rows = row_ns ? BATCH_MAX_US * 1000 / (size_t)(row_ns + 1) : BATCH_MAX_ROWS;

    return rows < BATCH_LEAST_ROWS ? BATCH_LEAST_ROWS
         : rows > BATCH_MAX_ROWS   ? BATCH_MAX_ROWS
                                   : rows;
}

void at_work_begin(struct at_work *at_work, struct ingest_ticket *batch, int64_t now_us)
{
    struct work *work = work_of(at_work, 0);

    batch->batch = ++at_work->n_batches;
    if (work) {
        *work = (struct work){ .batch = batch->batch, .since_us = now_us, .n_rows = rows_of(batch),
                               .most_rows = at_work_most_rows(at_work) };
    }
}

bool at_work_commit(struct at_work *at_work, const struct ingest_ticket *batch)
{
    struct work *work = work_of(at_work, batch->batch);

    if (!work || work->is_committing) {
        return false;
    }
    work->is_committing = true;
    at_work->n_committing++;
    return true;
}

void at_work_end(struct at_work *at_work, const struct ingest_ticket *batch)
{
    struct work *work = work_of(at_work, batch->batch);

    if (!work) {
        return;
    }
    if (!batch->is_held_up) {
        learn_pace(at_work, work);
    }
    at_work->n_committing -= work->is_committing;
    *work = (struct work){ 0 };
}

bool at_work_is_over(const struct at_work *at_work, uint64_t last)
{
    for (int i = 0; i < MAX_FAST_WRITERS; i++) {
        if (at_work->works[i].batch && at_work->works[i].batch <= last) {
            return false;
        }
    }
    return true;
}
