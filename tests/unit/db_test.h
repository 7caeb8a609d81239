/* What the tests of app/db share: the database they were given, an operation, connections.
 * TIDEMARK_TEST_DATABASE names a database that nobody else uses, by a superuser's URL;
 * tests/sql/db_layer.t makes one for each program. TIDEMARK_TEST_POOLER says that a pooler is in
 * between: one of transactions, then nothing is prepared by name; or one that keeps names. */
#ifndef TIDEMARK_TESTS_DB_TEST_H
#define TIDEMARK_TESTS_DB_TEST_H

#include "tap.h"

#include "base/crypto.h"
#include "db/conn.h"

#include <stdlib.h>

#define TEST_ARENA_BYTES (64u << 20)

/* A statement of a test, as the generator would compile it. */
#define TEST_QUERY(n, text, params, columns_)                                                   \
    {                                                                                           \
        .name = (n), .sql = (text), .roles = "super", .columns = NULL, .n_columns = (columns_), \
        .n_params = (params)                                                                    \
    }

struct db_test {
    const char *url;
    bool is_pooled, is_prepared;
    struct arena *arena;
    struct op op;
};

/* False, with the plan of a skipped program printed, when there is no database to test with. */
static inline bool db_test_open(struct db_test *test)
{
    test->url = getenv("TIDEMARK_TEST_DATABASE");
    const char *pooler = getenv("TIDEMARK_TEST_POOLER");
    test->is_pooled = pooler != NULL;
    test->is_prepared = !pooler || strcmp(pooler, "names") == 0;
    if (!test->url) {
        printf("1..0 # SKIP needs a database in TIDEMARK_TEST_DATABASE; tests/sql/db_layer.t gives "
               "it one\n");
        return false;
    }
    log_open(getenv("TIDEMARK_TEST_DEBUG") ? LOG_DEBUG : LOG_ERROR, LOG_LOGFMT, "test");
    test->arena = arena_new(TEST_ARENA_BYTES);
    if (!test->arena || !crypto_open()) {
        printf("Bail out! no memory, or no libsodium\n");
        exit(1);
    }
    op_init(&test->op, test->arena, "test");
    return true;
}

static inline void db_test_close(struct db_test *test)
{
    arena_free(test->arena);
}

/* Forgets failure and memory of what went before. */
static inline void db_test_reset(struct db_test *test)
{
    arena_reset(test->arena);
    op_init(&test->op, test->arena, "test");
}

/* A connection of the test's kind; `timeout_ms` 0: none. */
static inline struct db_conn *db_test_conn(const struct db_test *test, int timeout_ms)
{
    struct db_options options = { .url = test->url,
                                  .name = "test",
                                  .is_prepared = test->is_prepared,
                                  .statement_timeout_ms = timeout_ms };
    return db_conn_new(&options);
}

/* A writing transaction for `tenant_id`; the program ends when there is none. */
static inline struct db_tx *db_test_begin(struct db_test *test, struct db_conn *conn,
                                          int32_t tenant_id)
{
    struct db_tx *tx;
    if (db_begin(&test->op, conn, DB_WRITE, tenant_id, &tx) != OK) {
        printf("Bail out! %s\n", test->op.fault.detail);
        exit(1);
    }
    return tx;
}

/* Runs a statement without parameters in a transaction of its own. */
static inline enum err db_test_do(struct db_test *test, struct db_conn *conn, const char *name,
                                  const char *sql)
{
    const struct db_query query = TEST_QUERY(name, sql, 0, 0);

    return db_run_committed(&test->op, conn, 0, &query, NULL, NULL);
}

#endif
