/* The dry run: the database itself says what is new, what a duplicate, what refused, so that the
 * answer cannot differ from the real one's. Called by the service for ?dry_run=1. */
#include "ingest/dry_run.h"

#include "ingest/judge.h"
#include "ingest/lanes.h"

#define POOL_WAIT_MS 5000

static enum err try_in(const struct resolve *resolve, struct ingest_ticket *ticket,
                       struct db_tx *tx, struct ingest_batch **out)
{
    enum err err = ingest_resolve_in(resolve, tx);

    *out = NULL;
    if (!err && resolve->columns->n_events == 0) {
        return OK; /* refused as a whole */
    }
    if (!err) {
        err = batch_gather(resolve->op, ticket, LANE_FAST, out);
    }
    return err ? err : lanes_try(*out, tx);
}

/* Tries once. `out` gets the batch as far as it was gathered. */
static enum err try_once(const struct resolve *resolve, struct ingest_ticket *ticket,
                         struct db_conn *conn, struct ingest_batch **out)
{
    struct db_tx *tx;
    enum err err = db_begin(resolve->op, conn, DB_WRITE, resolve->tenant_id, &tx);

    if (!err) {
        err = try_in(resolve, ticket, tx, out);
        db_rollback(tx);
    }
    return err;
}

enum err ingest_dry_run(const struct resolve *resolve, struct ingest_ticket *ticket,
                        struct db_pool *pool)
{
    struct ingest_batch *batch = NULL;
    struct db_conn *conn;
    enum err err = db_pool_take(pool, resolve->op, POOL_WAIT_MS, &conn);

    if (err) {
        return err;
    }
    err = try_once(resolve, ticket, conn, &batch);
    if (batch && judge_write(err, batch->sqlstate) == WRITE_PARTITION) {
        /* partitions are no data: they are made for good */
        op_clear_fault(resolve->op);
        err = lanes_make_partitions(batch, conn);
        if (!err) {
            resolve_unlearn(resolve);
            err = try_once(resolve, ticket, conn, &batch);
        }
    }
    db_pool_give(pool, conn);
    if (err && batch && judge_write(err, batch->sqlstate) == WRITE_POISONED) {
        struct judge_failure failure = judge_request(batch->sqlstate);
        op_clear_fault(resolve->op);
        return fail(resolve->op, failure.code, "%s", failure.detail);
    }
    return err;
}
