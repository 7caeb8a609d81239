/* Connections shared by the threads of a process. Answers for who waits and for how many
 * there are; opening and reopening is the connection's own business (conn.c). The one given
 * back last is taken first, so that few stay busy and the rest idle. */
#include "db/pq.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct db_pool {
    struct arena *arena;
    struct db_options options;
    pthread_mutex_t mutex;
    pthread_cond_t given; /* a connection was given back */
    struct db_conn *idle; /* list of idle ones, the latest first */
    int n, max;           /* described so far, and at most */
};

static bool init_locks(struct db_pool *pool)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    /* a wait must not grow or shrink when somebody sets the clock */
    bool is_good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                   pthread_cond_init(&pool->given, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_good && pthread_mutex_init(&pool->mutex, NULL) == 0;
}

struct db_pool *db_pool_new(const struct db_options *options, int max)
{
    struct arena *arena = arena_new(sizeof(struct db_pool) + 256);
    if (!arena) {
        return NULL;
    }
    struct db_pool *pool = arena_alloc(arena, sizeof *pool);
    if (!pool || !init_locks(pool)) {
        arena_free(arena);
        return NULL;
    }
    pool->arena = arena;
    pool->options = *options;
    pool->max = max;
    return pool;
}

void db_pool_free(struct db_pool *pool)
{
    if (!pool) {
        return;
    }
    while (pool->idle) {
        struct db_conn *conn = pool->idle;
        pool->idle = conn->next_free;
        db_conn_close(conn);
    }
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->given);
    arena_free(pool->arena);
}

static struct timespec deadline_after(int wait_ms)
{
    int64_t at_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    return (struct timespec){ .tv_sec = at_us / US_PER_SECOND,
                              .tv_nsec = at_us % US_PER_SECOND * 1000 };
}

/* Under the mutex: an idle connection, or a new one while there may be more, else NULL. */
static struct db_conn *take_now(struct db_pool *pool)
{
    struct db_conn *conn = pool->idle;
    if (conn) {
        pool->idle = conn->next_free;
        return conn;
    }
    if (pool->n < pool->max && (conn = db_conn_new(&pool->options)) != NULL) {
        pool->n++;
    }
    return conn;
}

enum err db_pool_take(struct db_pool *pool, struct op *op, int wait_ms, struct db_conn **out)
{
    struct timespec deadline = deadline_after(wait_ms);
    int waited = 0;

    *out = NULL;
    if (!op_may_wait(op)) {
        return fail(op, ERR_UNAVAILABLE, "not without waiting");
    }
    pthread_mutex_lock(&pool->mutex);
    struct db_conn *conn = take_now(pool);
    while (!conn && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&pool->given, &pool->mutex, &deadline);
        conn = take_now(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
    *out = conn;
    return conn ? OK : fail(op, ERR_UNAVAILABLE, "all %d database connections are busy", pool->max);
}

void db_pool_give(struct db_pool *pool, struct db_conn *conn)
{
    if (!conn) {
        return;
    }
    db_rollback(&conn->tx); /* whoever comes next must not meet an open one */
    pthread_mutex_lock(&pool->mutex);
    conn->next_free = pool->idle;
    pool->idle = conn;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->mutex);
}
