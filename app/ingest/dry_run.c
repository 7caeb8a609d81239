/* The dry run: the database itself says what is new, what a duplicate, what refused, by what is
 * there when it is asked. Called by the service for ?dry_run=1. */
#include "ingest/dry_run.h"

#include "ingest/judge.h"
#include "ingest/lanes.h"

#define POOL_WAIT_MS 5000

/* ---- how many ---- */

/* A place that a request has. */
struct dry_run {
    struct dry_runs *runs;
    int32_t *place;
};

void dry_runs_init(struct dry_runs *runs)
{
    *runs = (struct dry_runs){ .tenants = { 0 } };
    (void)pthread_mutex_init(&runs->lock, NULL);
}

/* A place for one more of the tenant; NULL: there is none. */
static int32_t *take_place(struct dry_runs *runs, int32_t tenant_id)
{
    int32_t *place = NULL;

    (void)pthread_mutex_lock(&runs->lock);
    for (int i = 0; i < DRY_RUNS_AT_ONCE; i++) {
        if (runs->tenants[i] == tenant_id) {
            place = NULL;
            break;
        }
        place = runs->tenants[i] == 0 ? &runs->tenants[i] : place;
    }
    if (place) {
        *place = tenant_id;
    }
    (void)pthread_mutex_unlock(&runs->lock);
    return place;
}

static void leave_place(void *context)
{
    const struct dry_run *run = context;

    (void)pthread_mutex_lock(&run->runs->lock);
    *run->place = 0;
    (void)pthread_mutex_unlock(&run->runs->lock);
}

enum err dry_runs_enter(struct dry_runs *runs, struct op *op, int32_t tenant_id)
{
    if (!op_may_wait(op)) {
        return fail(op, ERR_UNAVAILABLE, "a dry run asks the database");
    }
    struct dry_run *run = arena_alloc(op->arena, sizeof *run);
    if (!run) {
        return fail_memory(op);
    }
    *run = (struct dry_run){ runs, take_place(runs, tenant_id) };
    if (!run->place) {
        return fail(op, ERR_UNAVAILABLE, "as many dry runs are under way as there may be");
    }
    return arena_on_reset(op->arena, leave_place, run) ? OK : fail_memory(op);
}

/* ---- one of them ---- */

static void free_arena(void *arena)
{
    arena_free(arena);
}

/* The names, which are as they were afterwards: who registers the same does not wait for long. */
static enum err resolve_names(const struct resolve *resolve, struct db_conn *conn)
{
    struct db_tx *tx;
    enum err err = db_begin(resolve->op, conn, DB_WRITE, resolve->tenant_id, &tx);

    if (!err) {
        err = ingest_resolve_in(resolve, tx);
        db_rollback(tx);
    }
    return err;
}

static enum err try_batch(const struct resolve *resolve, struct ingest_ticket *ticket,
                          struct db_conn *conn)
{
    struct op *op = resolve->op;
    struct arena *scratch = arena_new(REQUEST_ARENA_BYTES);
    struct ingest_batch *batch;

    if (!scratch || !arena_on_reset(op->arena, free_arena, scratch)) {
        return fail_memory(op);
    }
    enum err err = batch_gather(op, ticket, LANE_FAST, &batch);
    if (err) {
        return err;
    }
    batch->scratch = scratch;
    err = lanes_try(batch, conn, resolve->tenant_id);
    arena_reset(scratch);
    if (err && judge_write(err, batch->sqlstate) == WRITE_POISONED) {
        struct judge_failure failure = judge_request(batch->sqlstate);
        op_clear_fault(op);
        return fail(op, failure.code, "%s", failure.detail);
    }
    return err;
}

enum err ingest_dry_run(const struct resolve *resolve, struct ingest_ticket *ticket,
                        struct db_pool *pool)
{
    struct db_conn *conn;
    enum err err = db_pool_take(pool, resolve->op, POOL_WAIT_MS, &conn);

    if (err) {
        return err;
    }
    err = resolve_names(resolve, conn);
    if (!err) {
        err = try_batch(resolve, ticket, conn);
    }
    db_pool_give(pool, conn);
    return err;
}
