/* Statements that are asked together: each has its answer, one failure is the failure of all; one
 * alone has a transaction of its own and outlives a lost connection. */
#include "db_test.h"

#include "db/ask.h"

static const struct db_query q_where =
    TEST_QUERY("where", "SELECT current_setting('tidemark.tenant_id', true) AS tenant,"
                        " current_setting('transaction_read_only') AS is_read_only,"
                        " pg_backend_pid() AS pid",
               0, 3);
static const struct db_query q_twice =
    TEST_QUERY("twice", "SELECT 2 * $1::int4 AS twice, $2::text AS text", 2, 2);
static const struct db_query q_broken = TEST_QUERY("broken_ask", "SELECT 1 / 0 AS a", 0, 1);

static const struct db_query q_moment =
    TEST_QUERY("moment", "SELECT clock_timestamp()::text || repeat('x', $1::int4) AS at", 1, 1);
static const struct db_query q_other_moment =
    TEST_QUERY("other_moment", "SELECT '' || clock_timestamp()::text || repeat('x', $1::int4) AS at", 1, 1);

static void set_twice(struct db_test *test, struct db_ask *ask, int value)
{
    db_ask_init(ask, &test->op, &q_twice);
    db_arg_int(&ask->args, value);
    db_arg_null(&ask->args);
}

static void test_together(struct db_test *test, struct db_conn *conn)
{
    struct db_tx *tx = db_test_begin(test, conn, 7);
    struct db_ask asks[3] = { { .query = &q_where }, { .query = NULL }, { .query = &q_where } };
    struct db_rows *rows;

    for (int i = 1; i <= 2; i++) {
        set_twice(test, &asks[1], i);
        is_int(db_ask_all(tx, asks, 3), OK, "several statements are asked together, time %d", i);
        ok(strcmp(db_text(asks[0].rows, 0, 0), "7") == 0 &&
               strcmp(db_text(asks[2].rows, 0, 0), "7") == 0,
           "in the transaction and its tenant");
        ok(db_int(asks[1].rows, 0, 0) == 2 * i && db_text(asks[1].rows, 0, 1) == NULL,
           "and each has its answer");
        ok(db_run(tx, &q_where, NULL, &rows) == OK, "others are asked one by one in between");
    }
    asks[1].args.n = 0;
    is_int(db_ask_all(tx, asks, 3), ERR_INTERNAL, "one without its arguments is a fault");
    db_rollback(tx);
    db_test_reset(test);
}

/* When the server answered; of `len` bytes more. */
static const char *moment(struct db_test *test, struct db_tx *tx, const struct db_query *query,
                          int len, const char *stamp)
{
    struct db_ask ask;

    db_ask_init(&ask, &test->op, query);
    db_arg_int(&ask.args, len);
    ask.stamp = stamp;
    ok(db_ask_all(tx, &ask, 1) == OK, "asked with %d bytes and stamp %s", len,
       stamp ? stamp : "none");
    return db_text(ask.rows, 0, 0);
}

static void test_kept(struct db_test *test, struct db_conn *conn)
{
    struct arena *own = arena_new(1 << 20);
    struct db_tx *tx = db_test_begin(test, conn, 7);
    const char *first = arena_copy(own, str_of(moment(test, tx, &q_moment, 0, "7 a")));

    is_str(moment(test, tx, &q_moment, 0, "7 a"), first, "an answer with a stamp is given again");
    ok(strcmp(moment(test, tx, &q_moment, 0, "7 b"), first) != 0, "not for another stamp");
    ok(strcmp(moment(test, tx, &q_moment, 1, "7 a"), first) != 0, "nor for other arguments");
    ok(strcmp(moment(test, tx, &q_other_moment, 0, "7 a"), first) != 0, "nor another statement");
    ok(strcmp(moment(test, tx, &q_moment, 0, NULL), first) != 0, "nor without a stamp");
    db_rollback(tx);
    db_test_reset(test);
    tx = db_test_begin(test, conn, 7);
    is_str(moment(test, tx, &q_moment, 0, "7 a"), first, "it outlives its transaction");

    const char *large = moment(test, tx, &q_moment, 1 << 20, "7 a");
    for (int i = 2; i <= 9; i++) {
        (void)moment(test, tx, &q_moment, (1 << 20) + i, "7 a");
    }
    ok(strlen(large) > 1 << 20, "what had to make room can be read to the operation's end");
    ok(strcmp(moment(test, tx, &q_moment, 0, "7 a"), first) != 0,
       "what was not asked for the longest has made room");
    const char *huge = moment(test, tx, &q_moment, 3 << 20, "7 a");
    ok(strcmp(moment(test, tx, &q_moment, 3 << 20, "7 a"), huge) != 0,
       "what would fill a quarter of the room is not kept");
    ok(db_commit(tx) == OK, "the transaction is as any other");
    db_test_reset(test);
    arena_free(own);
}

static void test_failure(struct db_test *test, struct db_conn *conn)
{
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_ask asks[3] = { { .query = &q_where }, { .query = &q_broken }, { .query = &q_where } };

    is_int(db_ask_all(tx, asks, 3), ERR_INVALID, "one that fails is the failure of all");
    is_str(db_sqlstate(tx), "22012", "with its SQLSTATE");
    is_int(db_ask_all(tx, asks, 1), ERR_INVALID, "after which nothing more runs");
    db_rollback(tx);
    db_test_reset(test);
    tx = db_test_begin(test, conn, 0);
    is_int(db_ask_all(tx, asks, 1), OK, "but in the next transaction");
    ok(db_commit(tx) == OK, "which commits");
    db_test_reset(test);
}

static void terminate(struct db_test *test, int pid)
{
    static const struct db_query kill =
        TEST_QUERY("kill", "SELECT pg_terminate_backend($1::int4, 5000) AS is_ended", 1, 1);
    struct db_conn *killer = db_test_conn(test, 0);
    struct db_ask ask = { .query = &kill };

    db_args_init(&ask.args, test->arena);
    db_arg_int(&ask.args, pid);
    ok(db_ask_alone(&test->op, killer, &ask) == OK && db_bool(ask.rows, 0, 0),
       "the session is ended from outside");
    db_conn_close(killer);
}

static void test_alone(struct db_test *test, struct db_conn *conn)
{
    struct db_ask ask = { .query = &q_where }, broken = { .query = &q_broken };

    ok(db_ask_alone(&test->op, conn, &ask) == OK && strcmp(db_text(ask.rows, 0, 0), "") == 0 &&
           strcmp(db_text(ask.rows, 0, 1), "off") == 0,
       "a statement alone is bound to no tenant, and may write");
    int pid = db_int(ask.rows, 0, 2);
    if (!test->is_pooled) {
        terminate(test, pid);
        ok(db_ask_alone(&test->op, conn, &ask) == OK && db_int(ask.rows, 0, 2) != pid,
           "a connection that was lost is opened again on the way");
        ok(test->op.fault.code == OK, "and nobody hears of it");
    }
    is_int(db_ask_alone(&test->op, conn, &broken), ERR_INVALID, "a failure is one");
    db_test_reset(test);
}

static void count_commit(void *context)
{
    int *n = context;

    ++*n;
}

static void test_told(struct db_test *test)
{
    struct db_conn *conn = db_test_conn(test, 0);
    struct db_ask ask = { .query = &q_where }, broken = { .query = &q_broken };
    int n_told = 0;

    db_conn_tell_commit(conn, count_commit, &n_told);
    is_int(db_ask_alone(&test->op, conn, &ask), OK, "of a statement alone that commits");
    is_int(n_told, 1, "  who asked for it is told");
    is_int(db_ask_alone(&test->op, conn, &broken), ERR_INVALID, "of one that fails");
    is_int(n_told, 1, "  nobody is");
    db_test_reset(test);
    is_int(db_ask_alone(&test->op, conn, &ask), OK, "and the connection goes on");
    db_conn_close(conn);
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    struct db_conn *conn = db_test_conn(&test, 0);
    test_together(&test, conn);
    test_kept(&test, conn);
    test_failure(&test, conn);
    test_alone(&test, conn);
    test_told(&test);
    db_conn_close(conn);
    db_test_close(&test);
    return done_testing();
}
