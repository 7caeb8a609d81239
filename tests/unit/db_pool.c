/* The pool: never more connections than it may have, those who wait are served or told in
 * time, and no transaction sees another's tenant, through a pooler neither. */
#include "db_test.h"

#include "base/clock.h"

#include <pthread.h>

#define POOL_MAX 3
#define THREADS 8
#define ROUNDS 100

static const struct db_query q_who =
    TEST_QUERY("who", "SELECT current_setting('tidemark.tenant_id', true) AS tenant", 0, 1);

static struct db_pool *new_pool(const struct db_test *test)
{
    struct db_options options = { .url = test->url,
                                  .name = "test",
                                  .is_prepared = !test->is_pooled };
    return db_pool_new(&options, POOL_MAX);
}

static void test_exhaustion(struct db_test *test)
{
    struct db_pool *pool = new_pool(test);
    struct db_conn *taken[POOL_MAX], *more;
    for (int i = 0; i < POOL_MAX; i++) {
        ok(db_pool_take(pool, &test->op, 0, &taken[i]) == OK, "connection %d is to be had", i + 1);
    }
    int64_t started_us = clock_monotonic_us();
    is_int(db_pool_take(pool, &test->op, 50, &more), ERR_UNAVAILABLE, "one more is not");
    int64_t waited_us = clock_monotonic_us() - started_us;
    ok(waited_us >= 50000 && waited_us < 5 * US_PER_SECOND, "after the wait that was allowed");
    op_clear_fault(&test->op);
    db_pool_give(pool, taken[1]);
    ok(db_pool_take(pool, &test->op, 0, &more) == OK && more == taken[1],
       "what is given back is to be had");
    struct db_tx *tx = db_test_begin(test, more, 9);
    db_pool_give(pool, more);
    ok(db_pool_take(pool, &test->op, 0, &more) == OK, "one given back within a transaction");
    tx = db_test_begin(test, more, 0);
    struct db_rows *rows;
    ok(db_run(tx, &q_who, NULL, &rows) == OK && db_text(rows, 0, 0)[0] == '\0',
       "is clean for the next one");
    db_rollback(tx);
    for (int i = 0; i < POOL_MAX; i++) {
        db_pool_give(pool, taken[i]);
    }
    db_pool_give(pool, NULL);
    db_pool_free(pool);
    db_pool_free(NULL);
    db_test_reset(test);
}

struct user {
    struct db_test test;
    struct db_pool *pool;
    int32_t tenant;
    int n_wrong, n_failed;
};

/* Takes, asks for its tenant, gives back; every third time it gives up halfway. */
static void *use(void *argument)
{
    struct user *user = argument;
    char expected[16];
    snprintf(expected, sizeof expected, "%d", (int)user->tenant);
    for (int i = 0; i < ROUNDS; i++) {
        struct db_conn *conn;
        struct db_tx *tx;
        struct db_rows *rows;
        if (db_pool_take(user->pool, &user->test.op, 10000, &conn) != OK) {
            user->n_failed++;
            return NULL;
        }
        tx = db_test_begin(&user->test, conn, user->tenant);
        if (db_run(tx, &q_who, NULL, &rows) != OK) {
            user->n_failed++;
        } else if (strcmp(db_text(rows, 0, 0), expected) != 0) {
            user->n_wrong++;
        }
        if (i % 3 == 0) {
            db_rollback(tx);
        } else if (db_commit(tx) != OK) {
            user->n_failed++;
        }
        db_pool_give(user->pool, conn);
        db_test_reset(&user->test);
    }
    return NULL;
}

static void test_threads(struct db_test *test)
{
    struct db_pool *pool = new_pool(test);
    struct user users[THREADS];
    pthread_t threads[THREADS];
    int n_started = 0, n_wrong = 0, n_failed = 0;
    for (int i = 0; i < THREADS; i++) {
        users[i] = (struct user){ .pool = pool, .tenant = i + 1 };
        if (db_test_open(&users[i].test) &&
            pthread_create(&threads[n_started], NULL, use, &users[i]) == 0) {
            n_started++;
        }
    }
    for (int i = 0; i < n_started; i++) {
        pthread_join(threads[i], NULL);
        n_wrong += users[i].n_wrong;
        n_failed += users[i].n_failed;
        db_test_close(&users[i].test);
    }
    is_int(n_started, THREADS, "more threads than connections share the pool");
    is_int(n_failed, 0, "each gets its turn");
    is_int(n_wrong, 0, "and only ever its own tenant");
    db_pool_free(pool);
    db_test_reset(test);
}

static void test_leaks(struct db_test *test)
{
    struct db_conn *conn = db_test_conn(test, 0);
    int n_leaked = 0;
    for (int i = 0; i < 20; i++) {
        struct db_rows *rows;
        struct db_tx *tx = db_test_begin(test, conn, 0);
        n_leaked += db_run(tx, &q_who, NULL, &rows) != OK || db_text(rows, 0, 0)[0] != '\0';
        db_rollback(tx);
    }
    is_int(n_leaked, 0, "a transaction for no tenant finds none left by others");
    db_conn_close(conn);
    db_test_reset(test);
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    test_exhaustion(&test);
    test_threads(&test);
    test_leaks(&test);
    db_test_close(&test);
    return done_testing();
}
