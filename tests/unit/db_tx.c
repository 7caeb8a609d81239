/* Transactions: bound to their tenant and to nothing beyond, honest at their end, alive again
 * after a lost connection; and what the database's failures are called. */
#include "db_test.h"

#include "base/clock.h"
#include "db/ask.h"

#include <pthread.h>

static const struct db_query q_tenant =
    TEST_QUERY("tenant",
               "SELECT current_setting('tidemark.tenant_id', true) AS tenant,"
               " current_setting('transaction_read_only') AS is_read_only, pg_backend_pid() AS pid,"
               " current_setting('statement_timeout') AS timeout",
               0, 4);

static void test_binding(struct db_test *test, struct db_conn *conn)
{
    static const struct {
        int32_t tenant;
        const char *text;
    } cases[] = {
        { 7, "7" }, { 0, "" }, { INT32_MAX, "2147483647" }, { -1, "" }, { 8, "8" },
    };
    struct db_rows *rows;
    struct db_tx *tx;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx = db_test_begin(test, conn, cases[i].tenant);
        if (ok(db_run(tx, &q_tenant, NULL, &rows) == OK, "a transaction for tenant %d opens",
               cases[i].tenant)) {
            is_str(db_text(rows, 0, 0), cases[i].text, "and is bound to '%s'", cases[i].text);
        }
        ok(db_commit(tx) == OK, "and commits");
    }
    tx = db_test_begin(test, conn, 0);
    ok(db_bind_tenant(tx, 12) == OK && db_run(tx, &q_tenant, NULL, &rows) == OK &&
           strcmp(db_text(rows, 0, 0), "12") == 0,
       "a tenant found inside binds the rest of the transaction");
    db_rollback(tx);
    ok(db_begin(&test->op, conn, DB_READ, 3, &tx) == OK &&
           db_run(tx, &q_tenant, NULL, &rows) == OK && strcmp(db_text(rows, 0, 1), "on") == 0 &&
           strcmp(db_text(rows, 0, 0), "3") == 0,
       "a reading transaction is read only");
    struct db_tx *second;
    is_int(db_begin(&test->op, conn, DB_READ, 0, &second), ERR_INTERNAL,
           "a connection has one transaction");
    db_rollback(tx);
    db_rollback(NULL);
    db_test_reset(test);
}

/* ---- failures ---- */

static const struct {
    const char *name, *sql, *sqlstate;
    enum err code;
    const char *detail; /* NULL: not looked at */
} failures[] = {
    { "unique", "INSERT INTO db_test.pair VALUES (1, 0)", "23505", ERR_CONFLICT, NULL },
    { "check", "INSERT INTO db_test.pair VALUES (3, -1)", "23514", ERR_INVALID, NULL },
    { "not_null", "INSERT INTO db_test.pair VALUES (3, NULL)", "23502", ERR_INVALID, NULL },
    { "division", "SELECT 1 / 0", "22012", ERR_INVALID, NULL },
    { "overflow", "SELECT 2147483647::int4 + 1::int4", "22003", ERR_INVALID, NULL },
    { "syntax", "SELEC 1", "42601", ERR_INTERNAL, NULL },
    { "no_table", "SELECT * FROM db_test.nothing", "42P01", ERR_INTERNAL, NULL },
    { "raise", "DO $$ BEGIN RAISE EXCEPTION 'said so'; END $$", "P0001", ERR_INVALID, "said so" },
    { "raise_22023", "DO $$ BEGIN RAISE 'no such zone' USING ERRCODE = '22023'; END $$", "22023",
      ERR_INVALID, "no such zone" },
    { "raise_404", "DO $$ BEGIN RAISE 'no such tenant' USING ERRCODE = 'TM404'; END $$", "TM404",
      ERR_NOT_FOUND, "no such tenant" },
    { "raise_403", "DO $$ BEGIN RAISE 'not yours' USING ERRCODE = 'TM403'; END $$", "TM403",
      ERR_FORBIDDEN, "not yours" },
    { "raise_409", "DO $$ BEGIN RAISE 'taken' USING ERRCODE = 'TM409'; END $$", "TM409",
      ERR_CONFLICT, "taken" },
    { "raise_422", "DO $$ BEGIN RAISE 'no zone' USING ERRCODE = 'TM422'; END $$", "TM422",
      ERR_INVALID, "no zone" },
    { "deadlock", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '40P01'; END $$", "40P01", ERR_UNAVAILABLE,
      NULL },
    { "serialization", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '40001'; END $$", "40001",
      ERR_UNAVAILABLE, NULL },
    { "lock", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '55P03'; END $$", "55P03", ERR_UNAVAILABLE,
      NULL },
    { "disk", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '53100'; END $$", "53100", ERR_UNAVAILABLE,
      NULL },
    { "slots", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '53300'; END $$", "53300", ERR_UNAVAILABLE,
      NULL },
    { "shutdown", "DO $$ BEGIN RAISE 'x' USING ERRCODE = '57P01'; END $$", "57P01", ERR_UNAVAILABLE,
      NULL },
};

static void test_failures(struct db_test *test, struct db_conn *conn)
{
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        const struct db_query query = TEST_QUERY(failures[i].name, failures[i].sql, 0, 0);
        struct db_tx *tx = db_test_begin(test, conn, 0);
        is_int(db_run(tx, &query, NULL, NULL), failures[i].code, "%s has its code",
               failures[i].name);
        is_str(db_sqlstate(tx), failures[i].sqlstate, "and its SQLSTATE");
        const char *detail = test->op.fault.detail;
        if (failures[i].detail) {
            is_str(detail, failures[i].detail, "and a client sees the function's own words");
        } else if (err_row(failures[i].code)->is_detail_public) {
            ok(!strstr(detail, "pair") && !strstr(detail, "constraint") &&
                   !strstr(detail, "SELECT"),
               "and a client sees nothing of the schema: %s", detail);
        }
        is_int(db_run(tx, &q_tenant, NULL, NULL), failures[i].code,
               "what follows in it fails alike");
        is_int(db_commit(tx), failures[i].code, "and it does not commit");
        db_test_reset(test);
    }
    ok(db_test_do(test, conn, "after", "SELECT 1") == OK,
       "the connection is good for the next transaction");
}

static void test_deferred(struct db_test *test, struct db_conn *conn)
{
    static const struct db_query late =
        TEST_QUERY("late", "INSERT INTO db_test.late VALUES (1), (1)", 0, 0);
    struct db_tx *tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &late, NULL, NULL) == OK, "a deferred constraint lets the statement pass");
    is_int(db_commit(tx), ERR_CONFLICT, "and fails the commit, which says so");
    db_test_reset(test);
}

static void test_rollback(struct db_test *test, struct db_conn *conn)
{
    static const struct db_query add =
        TEST_QUERY("add", "INSERT INTO db_test.pair VALUES (100, 1)", 0, 0);
    static const struct db_query count =
        TEST_QUERY("count", "SELECT count(*)::int4 AS n FROM db_test.pair WHERE a = 100", 0, 1);
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &add, NULL, NULL) == OK, "a row is written");
    db_rollback(tx);
    tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &count, NULL, &rows) == OK && db_int(rows, 0, 0) == 0,
       "and is gone after a rollback");
    db_rollback(tx);
    db_test_reset(test);
}

/* Transactions that end by how their work went. */
static void test_end(struct db_test *test, struct db_conn *conn)
{
    static const struct db_query good =
        TEST_QUERY("good", "INSERT INTO db_test.pair VALUES (200, 1)", 0, 0);
    static const struct db_query count =
        TEST_QUERY("pairs",
                   "SELECT count(*)::int4 AS n, current_setting('tidemark.tenant_id', true) AS t"
                   " FROM db_test.pair WHERE a = 200", 0, 2);
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(test, conn, 0);

    ok(db_run(tx, &good, NULL, NULL) == OK, "a row is written");
    is_int(db_end(tx, ERR_NOT_FOUND), ERR_NOT_FOUND, "work that failed ends as it did");
    ok(db_run_committed(&test->op, conn, 7, &count, NULL, &rows) == OK && db_int(rows, 0, 0) == 0 &&
           strcmp(db_text(rows, 0, 1), "7") == 0, "and leaves nothing, says one alone of tenant 7");
    tx = db_test_begin(test, conn, 0);
    is_int(db_end(tx, db_run(tx, &good, NULL, NULL)), OK, "work that went well");
    is_int(db_run_committed(&test->op, conn, 0, &good, NULL, NULL), ERR_CONFLICT, "is kept");
    ok(db_run_committed(&test->op, conn, 0, &count, NULL, &rows) == OK && db_int(rows, 0, 0) == 1,
       "and the next statement alone runs");
    db_test_reset(test);
}

static void test_timeout(struct db_test *test)
{
    static const struct db_query nap =
        TEST_QUERY("nap", "SELECT pg_sleep(20)::text AS nothing", 0, 1);
    struct db_conn *conn = db_test_conn(test, 50);
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_rows *rows;
    int64_t started_us = clock_monotonic_us();
    is_int(db_run(tx, &nap, NULL, NULL), ERR_UNAVAILABLE, "a statement over its time is ended");
    is_str(db_sqlstate(tx), "57014", "by the server");
    ok(clock_monotonic_us() - started_us < 5 * US_PER_SECOND, "in time");
    db_rollback(tx);
    db_test_reset(test);
    tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &q_tenant, NULL, &rows) == OK && strcmp(db_text(rows, 0, 3), "50ms") == 0,
       "the next transaction works under the same limit");
    db_rollback(tx);
    db_conn_close(conn);
    db_test_reset(test);
}

/* ---- lost connections ---- */

static int backend_of(struct db_test *test, struct db_tx *tx)
{
    struct db_rows *rows;
    return db_run(tx, &q_tenant, NULL, &rows) == OK ? db_int(rows, 0, 2)
                                                    : (ok(false, "%s", test->op.fault.detail), 0);
}

/* Ends another session and waits until it is gone. */
static void terminate(struct db_test *test, struct db_conn *killer, int pid)
{
    static const struct db_query kill =
        TEST_QUERY("kill", "SELECT pg_terminate_backend($1::int4, 5000) AS is_ended", 1, 1);
    struct db_args args;
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(test, killer, 0);
    db_args_init(&args, test->arena);
    db_arg_int(&args, pid);
    ok(db_run(tx, &kill, &args, &rows) == OK && db_bool(rows, 0, 0),
       "the session is ended from outside");
    ok(db_commit(tx) == OK, "by another one");
}

/* Between transactions: the caller does not notice. A pooler has other sessions behind an idle
 * connection, so there this does not apply. */
static void test_lost_idle(struct db_test *test, struct db_conn *conn, struct db_conn *killer)
{
    if (test->is_pooled) {
        return;
    }
    struct db_tx *tx = db_test_begin(test, conn, 0);
    int first = backend_of(test, tx);
    ok(db_commit(tx) == OK, "a connection is open and idle");
    terminate(test, killer, first);
    tx = db_test_begin(test, conn, 5);
    int second = backend_of(test, tx);
    ok(second != 0 && second != first, "the next transaction opens a new one");
    ok(test->op.fault.code == OK, "without a failure in its operation");
    ok(db_commit(tx) == OK, "and commits");
}

static void test_lost(struct db_test *test)
{
    struct db_conn *conn = db_test_conn(test, 0);
    struct db_conn *killer = db_test_conn(test, 0);
    test_lost_idle(test, conn, killer);
    struct db_tx *tx = db_test_begin(test, conn, 0);
    int pid = backend_of(test, tx);
    terminate(test, killer, pid);
    is_int(db_run(tx, &q_tenant, NULL, NULL), ERR_UNAVAILABLE,
           "lost within a transaction, the statement fails");
    is_int(db_commit(tx), ERR_UNAVAILABLE, "and so does the commit");
    db_test_reset(test);
    tx = db_test_begin(test, conn, 0);
    ok(backend_of(test, tx) != pid, "and the next transaction is on a new connection");
    terminate(test, killer, backend_of(test, tx));
    is_int(db_commit(tx), ERR_UNAVAILABLE, "a commit that cannot be sent is no success");
    db_conn_close(conn);
    db_conn_close(killer);
    db_test_reset(test);
}

static void test_unreachable(struct db_test *test)
{
    struct db_options options = { .url = "host=/nonexistent user=x dbname=x", .name = "test" };
    struct db_conn *conn = db_conn_new(&options);
    struct db_tx *tx;
    is_int(db_begin(&test->op, conn, DB_READ, 0, &tx), ERR_UNAVAILABLE,
           "a server that is not there is unavailable");
    ok(tx == NULL && !db_conn_is_open(conn), "and leaves no transaction");
    db_conn_close(conn);
    db_conn_close(NULL);
    db_test_reset(test);
}

/* ---- in one round trip ---- */

static const struct db_query q_put =
    TEST_QUERY("put", "INSERT INTO db_test.pair VALUES ($1::int4, $2::int4)", 2, 0);
static const struct db_query q_count = TEST_QUERY(
    "count_from",
    "SELECT count(*)::int4 AS n, current_setting('statement_timeout') AS timeout"
    " FROM db_test.pair WHERE a >= $1::int4",
    1, 2);

/* Puts (a, b) and counts what is from `from` on, in one transaction. */
static enum err transact(struct db_test *test, struct db_conn *conn, const int values[3],
                         struct db_rows **rows, char sqlstate[6])
{
    struct db_args put, count;
    const struct db_step steps[] = { { &q_put, &put, NULL }, { &q_count, &count, rows } };

    db_args_init(&put, test->arena);
    db_arg_int(&put, values[0]);
    db_arg_int(&put, values[1]);
    db_args_init(&count, test->arena);
    db_arg_int(&count, values[2]);
    return db_transact(&test->op, conn, steps, 2, sqlstate);
}

static void test_transact(struct db_test *test)
{
    static const struct {
        const char *name, *sqlstate;
        int values[3];
        enum err code;
        int n; /* rows from 1000 on */
    } cases[] = {
        { "statements that are good commit together", "", { 1000, 1, 1000 }, OK, 1 },
        { "  and again, when they are known by name", "", { 1001, 1, 1000 }, OK, 2 },
        { "a key twice is a conflict", "23505", { 1001, 1, 1000 }, ERR_CONFLICT, 2 },
        { "a check has its code", "23514", { 1002, -1, 1000 }, ERR_INVALID, 2 },
        { "after failures the connection is good", "", { 1003, 1, 1000 }, OK, 3 },
    };
    static const struct db_query is_settled =
        TEST_QUERY("settled", "SELECT 1 / (current_setting('statement_timeout') = '5s')::int", 0, 0);
    struct db_conn *conn = db_test_conn(test, 5000);
    char sqlstate[6];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct db_rows *rows = NULL;
        is_int(transact(test, conn, cases[i].values, &rows, sqlstate), cases[i].code, "%s",
               cases[i].name);
        is_str(sqlstate, cases[i].sqlstate, "  with its SQLSTATE");
        if (cases[i].code == OK) {
            is_int(db_int(rows, 0, 0), cases[i].n, "  what was asked for is there");
            is_str(db_text(rows, 0, 1), "5s", "  under the connection's limit");
        }
        db_test_reset(test);
    }
    is_int(db_run_alone(&test->op, conn, &is_settled, NULL) == OK, !test->is_pooled,
           "a session of our own keeps the limit, one behind a pooler is left as it was");
    db_test_reset(test);
    db_conn_close(conn);
}

static void test_transact_commit(struct db_test *test, struct db_conn *conn)
{
    static const struct db_query late =
        TEST_QUERY("late_again", "INSERT INTO db_test.late VALUES (7), (7)", 0, 0);
    const struct db_args none = { 0 };
    char sqlstate[6];

    is_int(db_transact(&test->op, conn, &(struct db_step){ &late, &none, NULL }, 1, sqlstate),
           ERR_CONFLICT, "what fails at the commit is no success");
    is_str(sqlstate, "23505", "and has its SQLSTATE");
    db_test_reset(test);
    is_int(db_transact(&test->op, conn, &(struct db_step){ &q_tenant, &none, NULL }, 1, sqlstate),
           OK, "the connection is good for the next one");
    db_test_reset(test);
}

static void test_transact_lost(struct db_test *test)
{
    struct db_options options = { .url = "host=/nonexistent user=x dbname=x", .name = "test" };
    struct db_conn *conn = db_test_conn(test, 0), *killer = db_test_conn(test, 0);
    struct db_conn *nowhere = db_conn_new(&options);
    const int values[] = { 2000, 1, 2000 };
    struct db_rows *rows;
    char sqlstate[6];

    struct db_tx *tx = db_test_begin(test, conn, 0);
    int pid = backend_of(test, tx);
    ok(db_commit(tx) == OK, "a connection");
    if (!test->is_pooled) {
        terminate(test, killer, pid);
        is_int(transact(test, conn, values, &rows, sqlstate), ERR_UNAVAILABLE, "lost, it fails");
        ok(sqlstate[0] != '\0', "with an SQLSTATE");
        db_test_reset(test);
    }
    is_int(transact(test, conn, values, &rows, sqlstate), OK, "the next one opens it again");
    is_int(transact(test, nowhere, values, &rows, sqlstate), ERR_UNAVAILABLE,
           "a server that is not there is unavailable");
    is_str(sqlstate, "", "without an SQLSTATE");
    db_conn_close(conn);
    db_conn_close(killer);
    db_conn_close(nowhere);
    db_test_reset(test);
}

/* ---- a real deadlock ---- */

struct rival {
    struct db_test test;
    int first, second;          /* rows to lock, in this order */
    pthread_barrier_t *barrier; /* both hold their first row */
    enum err outcome;
};

static enum err lock_row(struct rival *rival, struct db_tx *tx, int key)
{
    static const struct db_query lock =
        TEST_QUERY("lock_row",
                   "SELECT set_config('deadlock_timeout', '20ms', true) AS timeout, b FROM "
                   "db_test.pair WHERE a = $1::int4"
                   " FOR UPDATE",
                   1, 2);
    struct db_args args;
    db_args_init(&args, rival->test.arena);
    db_arg_int(&args, key);
    return db_run(tx, &lock, &args, NULL);
}

static void *fight(void *argument)
{
    struct rival *rival = argument;
    struct db_conn *conn = db_test_conn(&rival->test, 0);
    struct db_tx *tx = db_test_begin(&rival->test, conn, 0);
    rival->outcome = lock_row(rival, tx, rival->first);
    pthread_barrier_wait(rival->barrier);
    if (!rival->outcome) {
        rival->outcome = lock_row(rival, tx, rival->second);
    }
    db_rollback(tx);
    db_conn_close(conn);
    return NULL;
}

static void test_deadlock(struct db_test *test)
{
    pthread_barrier_t barrier;
    pthread_t threads[2];
    struct rival rivals[2];
    bool is_started = pthread_barrier_init(&barrier, NULL, 2) == 0;
    for (int i = 0; i < 2 && is_started; i++) {
        rivals[i] = (struct rival){ .first = 1 + i, .second = 2 - i, .barrier = &barrier };
        is_started = db_test_open(&rivals[i].test) &&
                     pthread_create(&threads[i], NULL, fight, &rivals[i]) == 0;
    }
    for (int i = 0; i < 2 && is_started; i++) {
        pthread_join(threads[i], NULL);
        db_test_close(&rivals[i].test);
    }
    ok(is_started && rivals[0].outcome + rivals[1].outcome == (int)ERR_UNAVAILABLE,
       "of two that deadlock one is told to try again, the other goes on");
    pthread_barrier_destroy(&barrier);
    db_test_reset(test);
}

/* ---- named statements ---- */

static void test_outdated_plan(struct db_test *test, struct db_conn *conn)
{
    static const struct db_query all =
        TEST_QUERY("all_shapes", "SELECT * FROM db_test.shape", 0, 0);
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &all, NULL, &rows) == OK, "a statement runs on a table");
    ok(db_commit(tx) == OK, "and is kept");
    ok(db_test_do(test, conn, "reshape", "ALTER TABLE db_test.shape ADD COLUMN b int") == OK,
       "a migration changes it");
    tx = db_test_begin(test, conn, 0);
    enum err err = db_run(tx, &all, NULL, &rows);
    ok(err == (test->is_prepared ? ERR_UNAVAILABLE : OK),
       "a kept statement may fail once, to be tried again");
    db_rollback(tx);
    db_test_reset(test);
    tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &all, NULL, &rows) == OK, "and works the next time");
    db_rollback(tx);
    db_test_reset(test);
}

static void make_schema(struct db_test *test, struct db_conn *conn)
{
    static const char *const steps[] = {
        "DROP SCHEMA IF EXISTS db_test CASCADE",
        "CREATE SCHEMA db_test",
        "CREATE TABLE db_test.pair (a int PRIMARY KEY, b int NOT NULL CHECK (b >= 0))",
        "CREATE TABLE db_test.late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TABLE db_test.shape (a int)",
        "INSERT INTO db_test.pair VALUES (1, 1), (2, 2)",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "step_%zu", i);
        if (db_test_do(test, conn, name, steps[i]) != OK) {
            printf("Bail out! %s\n", test->op.fault.detail);
            exit(1);
        }
    }
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    struct db_conn *conn = db_test_conn(&test, 0);
    make_schema(&test, conn);
    test_binding(&test, conn);
    test_failures(&test, conn);
    test_deferred(&test, conn);
    test_rollback(&test, conn);
    test_end(&test, conn);
    test_timeout(&test);
    test_lost(&test);
    test_unreachable(&test);
    test_transact(&test);
    test_transact_commit(&test, conn);
    test_transact_lost(&test);
    test_deadlock(&test);
    test_outdated_plan(&test, conn);
    db_conn_close(conn);
    db_test_close(&test);
    return done_testing();
}
