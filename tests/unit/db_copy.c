/* Binary COPY: every field type, a hundred thousand rows, and what is left after a failure. */
#include "db_test.h"

#include "base/clock.h"
#include "db/copy.h"

#define MANY 100000
#define COPY_MAX_BYTES (32u << 20)

static const struct db_query q_copy = TEST_QUERY(
    "copy_in", "COPY db_test.copied (a, b, c, d, e, f, g) FROM STDIN (FORMAT binary)", 0, 0);
static const struct db_query q_sum = TEST_QUERY(
    "copy_sum",
    "SELECT count(*)::int4 AS n, sum(b)::int8 AS sum, max(d) AS latest, count(e)::int4 AS texts"
    " FROM db_test.copied",
    0, 4);
static const struct db_query q_row = TEST_QUERY(
    "copy_row", "SELECT a, b, c, d, e, f, g FROM db_test.copied WHERE a = $1::int4", 1, 7);

static const uint8_t uuid[16] = { 0x0f, 0x14, 0xd0, 0xab, 0x96, 0x05, 0x4a, 0x62,
                                  0xa9, 0xe4, 0x5e, 0xd2, 0x66, 0x88, 0x38, 0x9b };

static void add_row(struct buf *rows, int32_t key)
{
    db_copy_row(rows, 7);
    db_copy_int(rows, key);
    db_copy_int64(rows, INT64_C(10000000000) + key);
    db_copy_double(rows, key / 4.0);
    db_copy_time(rows, key * US_PER_SECOND);
    db_copy_str(rows, key % 2 ? STR("odd ⚡") : (struct str){ NULL, 0 });
    db_copy_jsonb(rows, STR("{\"k\": [1, 2]}"));
    db_copy_uuid(rows, key % 2 ? uuid : NULL);
}

static void test_rows(struct db_test *test, struct db_conn *conn)
{
    struct buf rows;
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_args args;
    struct db_rows *got;
    int64_t n = -1;
    buf_init(&rows, test->arena, COPY_MAX_BYTES);
    add_row(&rows, 1);
    add_row(&rows, 2);
    db_copy_row(&rows, 7);
    db_copy_int(&rows, 3);
    for (int i = 0; i < 6; i++) {
        db_copy_null(&rows);
    }
    ok(db_copy_send(tx, &q_copy, &rows, &n) == OK && n == 3, "rows of all types are stored: %s",
       test->op.fault.detail);
    db_args_init(&args, test->arena);
    db_arg_int(&args, 1);
    if (ok(db_run(tx, &q_row, &args, &got) == OK && db_count(got) == 1, "and found")) {
        is_int(db_int64(got, 0, 1), INT64_C(10000000001), "int8");
        is_double(db_double(got, 0, 2), 0.25, "float8");
        is_int(db_time(got, 0, 3), US_PER_SECOND, "timestamptz");
        is_str(db_text(got, 0, 4), "odd ⚡", "text");
        is_str(db_text(got, 0, 5), "{\"k\": [1, 2]}", "jsonb");
        is_str(db_text(got, 0, 6), "0f14d0ab-9605-4a62-a9e4-5ed26688389b", "uuid");
    }
    db_args_init(&args, test->arena);
    db_arg_int(&args, 2);
    ok(db_run(tx, &q_row, &args, &got) == OK && db_is_null(got, 0, 4) && db_is_null(got, 0, 6),
       "views without bytes and missing UUIDs are NULL");
    buf_clear(&rows);
    ok(db_copy_send(tx, &q_copy, &rows, &n) == OK && n == 0, "no rows at all are none stored");
    db_rollback(tx);
    db_test_reset(test);
}

static void test_many(struct db_test *test, struct db_conn *conn)
{
    struct buf rows;
    struct db_rows *got;
    int64_t n = 0;
    buf_init(&rows, test->arena, COPY_MAX_BYTES);
    for (int32_t i = 0; i < MANY; i++) {
        add_row(&rows, i);
    }
    struct db_tx *tx = db_test_begin(test, conn, 0);
    ok(db_copy_send(tx, &q_copy, &rows, &n) == OK && n == MANY, "100,000 rows are stored");
    ok(db_commit(tx) == OK, "and committed");
    tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &q_sum, NULL, &got) == OK && db_int(got, 0, 0) == MANY &&
           db_int64(got, 0, 1) == INT64_C(10000000000) * MANY + INT64_C(4999950000) &&
           db_time(got, 0, 2) == (MANY - 1) * US_PER_SECOND && db_int(got, 0, 3) == MANY / 2,
       "all of them, with their values");
    db_rollback(tx);
    db_test_reset(test);
}

/* A failing COPY leaves the connection usable and nothing stored. */
static void expect_failure(struct db_test *test, struct db_conn *conn, struct buf *rows,
                           enum err expected, const char *name)
{
    struct db_rows *got;
    int64_t n = -1;
    struct db_tx *tx = db_test_begin(test, conn, 0);
    is_int(db_copy_send(tx, &q_copy, rows, &n), expected, "%s", name);
    db_rollback(tx);
    tx = db_test_begin(test, conn, 0);
    ok(db_run(tx, &q_sum, NULL, &got) == OK && db_int(got, 0, 0) == MANY,
       "and leaves what was there, and the connection");
    db_rollback(tx);
    db_test_reset(test);
}

static void test_failures(struct db_test *test, struct db_conn *conn)
{
    struct buf rows;
    buf_init(&rows, test->arena, COPY_MAX_BYTES);
    for (int32_t i = 0; i < MANY; i++) {
        add_row(&rows, i == 0 ? 1 : MANY + i);
    }
    expect_failure(test, conn, &rows, ERR_CONFLICT, "a repeated key in the first of many rows");
    buf_init(&rows, test->arena, COPY_MAX_BYTES);
    db_copy_row(&rows, 2);
    db_copy_int(&rows, MANY);
    db_copy_int(&rows, MANY);
    expect_failure(test, conn, &rows, ERR_INVALID, "a row of the wrong shape");
    buf_init(&rows, test->arena, 64);
    add_row(&rows, MANY);
    expect_failure(test, conn, &rows, ERR_INTERNAL, "a buffer over its cap");
    static const struct db_query select = TEST_QUERY("no_copy", "SELECT 1 AS a", 0, 1);
    struct db_tx *tx = db_test_begin(test, conn, 0);
    buf_init(&rows, test->arena, COPY_MAX_BYTES);
    is_int(db_copy_send(tx, &select, &rows, NULL), ERR_INTERNAL, "a statement that is no COPY");
    db_rollback(tx);
    db_test_reset(test);
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    struct db_conn *conn = db_test_conn(&test, 0);
    ok(db_test_do(&test, conn, "drop", "DROP SCHEMA IF EXISTS db_test CASCADE") == OK &&
           db_test_do(&test, conn, "schema", "CREATE SCHEMA db_test") == OK &&
           db_test_do(&test, conn, "table",
                      "CREATE TABLE db_test.copied (a int PRIMARY KEY, b int8, c float8,"
                      " d timestamptz, e text, f jsonb, g uuid)") == OK,
       "a table to copy into");
    test_rows(&test, conn);
    test_many(&test, conn);
    test_failures(&test, conn);
    db_conn_close(conn);
    db_test_close(&test);
    return done_testing();
}
