/* Parameters and columns: every type goes to the server and comes back the same, extremes,
 * empty ones and NULLs included, by name and unnamed. */
#include "db_test.h"

#include <math.h>

/* STR is an expression, and no initializer of a table. */
#define VIEW(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const struct db_query q_scalars =
    TEST_QUERY("scalars",
               "SELECT $1::text AS a, $2::int4 AS b, $3::int8 AS c, $4::float8 AS d, $5::bool AS e,"
               " $6::timestamptz AS f, $7::bytea AS g, $8::text AS h",
               8, 8);

struct scalars {
    const char *name;
    const char *text;
    int32_t small;
    int64_t wide;
    double real;
    bool truth;
    int64_t time_us;
    const char *bytes;
    size_t n_bytes;
    struct str view;
};

static const struct scalars scalar_cases[] = {
    { "ordinary values", "Zähler ⚡", 42, 1234567890123, 229.9, true, INT64_C(1795176000250000),
      "\0\1\377", 3, VIEW("sicht") },
    { "zeros and empty texts", "", 0, 0, 0.0, false, 0, "", 0, VIEW("") },
    { "the smallest numbers", "-", INT32_MIN, INT64_MIN, -1e308, false, INT64_C(-62135596800000000),
      "\0", 1, VIEW(" ") },
    { "the largest numbers", "+", INT32_MAX, INT64_MAX, 1.7976931348623157e308, true,
      INT64_C(253402300799999999), "\\x", 2, VIEW("'; --") },
    { "the least numbers and the epoch of PostgreSQL", "\\", -1, -1, 5e-324, true,
      INT64_C(946684800000000), "\n", 1, VIEW("\"") },
    { "the infinities", "∞", 1, 1, INFINITY, true, INT64_MAX, "a", 1, VIEW("x") },
    { "the negative infinities", "∞", 1, 1, -INFINITY, true, INT64_MIN, "a", 1, VIEW("x") },
    { "a negative zero", "0", 1, 1, -0.0, true, -1, "a", 1, VIEW("x") },
};

static void add_scalars(struct db_args *args, const struct scalars *c)
{
    db_arg_text(args, c->text);
    db_arg_int(args, c->small);
    db_arg_int64(args, c->wide);
    db_arg_double(args, c->real);
    db_arg_bool(args, c->truth);
    db_arg_time(args, c->time_us);
    db_arg_bytes(args, c->bytes, c->n_bytes);
    db_arg_str(args, c->view);
}

static bool has_scalars(const struct db_rows *rows, const struct scalars *c)
{
    struct str bytes = { c->bytes, c->n_bytes };
    double real = db_double(rows, 0, 3);
    return strcmp(db_text(rows, 0, 0), c->text) == 0 && db_int(rows, 0, 1) == c->small &&
           db_int64(rows, 0, 2) == c->wide && memcmp(&real, &c->real, sizeof real) == 0 &&
           db_bool(rows, 0, 4) == c->truth && db_time(rows, 0, 5) == c->time_us &&
           str_equal(db_str(rows, 0, 6), bytes) && str_equal(db_str(rows, 0, 7), c->view);
}

static void test_scalars(struct db_test *test, struct db_conn *conn)
{
    for (size_t i = 0; i < sizeof scalar_cases / sizeof scalar_cases[0]; i++) {
        struct db_tx *tx = db_test_begin(test, conn, 0);
        struct db_args args;
        struct db_rows *rows = NULL;
        db_args_init(&args, test->arena);
        add_scalars(&args, &scalar_cases[i]);
        struct db_args copy = args; /* a copied list must not point into the first one */
        memset(&args, 0xee, sizeof args);
        enum err err = db_run(tx, &q_scalars, &copy, &rows);
        ok(err == OK && has_scalars(rows, &scalar_cases[i]), "%s come back the same",
           scalar_cases[i].name);
        ok(db_commit(tx) == OK, "  and are committed");
        db_test_reset(test);
    }
}

static void test_nulls(struct db_test *test, struct db_conn *conn)
{
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_args args;
    struct db_rows *rows;
    bool is_all_null = true;
    db_args_init(&args, test->arena);
    for (int i = 0; i < 8; i++) {
        db_arg_null(&args);
    }
    if (ok(db_run(tx, &q_scalars, &args, &rows) == OK, "untyped NULLs are taken for every type")) {
        for (int i = 0; i < 8; i++) {
            is_all_null = is_all_null && db_is_null(rows, 0, i);
        }
        ok(is_all_null, "and come back as NULL");
        ok(db_text(rows, 0, 0) == NULL && db_str(rows, 0, 7).ptr == NULL &&
               db_int(rows, 0, 1) == 0 && db_int64(rows, 0, 2) == 0 &&
               isnan(db_double(rows, 0, 3)) && !db_bool(rows, 0, 4) && db_time(rows, 0, 5) == 0 &&
               db_str(rows, 0, 6).ptr == NULL,
           "NULL reads as NULL, 0, NaN, false");
    }
    db_args_init(&args, test->arena);
    add_scalars(&args, &scalar_cases[0]);
    ok(db_run(tx, &q_scalars, &args, &rows) == OK && has_scalars(rows, &scalar_cases[0]),
       "the same statement takes values again");
    db_args_init(&args, test->arena);
    db_arg_text(&args, NULL);
    db_arg_int64(&args, 7); /* int8 where int4 went before */
    db_arg_int(&args, 8);
    db_arg_null(&args);
    db_arg_null(&args);
    db_arg_null(&args);
    db_arg_null(&args);
    db_arg_str(&args, (struct str){ NULL, 0 });
    ok(db_run(tx, &q_scalars, &args, &rows) == OK && db_int(rows, 0, 1) == 7 &&
           db_int64(rows, 0, 2) == 8 && db_is_null(rows, 0, 0) && db_is_null(rows, 0, 7),
       "a call with other types than the statement was prepared with is right too");
    db_rollback(tx);
    db_test_reset(test);
}

static const struct db_query q_arrays = TEST_QUERY(
    "arrays",
    "SELECT array_to_string($1::int4[], ',') AS a, array_to_string($2::int8[], ',') AS b,"
    " array_to_string($3::float8[], ',') AS c,"
    " (SELECT string_agg(extract(epoch FROM t)::numeric(30, 6)::text, ',') FROM "
    "unnest($4::timestamptz[]) t) AS d,"
    " array_to_string($5::text[], ',', '<null>') AS e, cardinality($5::text[]) AS n",
    5, 6);

static void test_arrays(struct db_test *test, struct db_conn *conn)
{
    static const int32_t ints[] = { 1, 0, -1, INT32_MIN, INT32_MAX };
    static const int64_t wides[] = { INT64_MIN, INT64_MAX, 0 };
    static const double reals[] = { 0.1, -1e300, 5e-324 };
    static const int64_t times[] = { 0, 1500000, INT64_C(-1) };
    static const struct str texts[] = { VIEW("a"), VIEW(""), { NULL, 0 }, VIEW("ä,\"{}") };
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_args args;
    struct db_rows *rows;
    db_args_init(&args, test->arena);
    db_arg_int_array(&args, ints, 5);
    db_arg_int64_array(&args, wides, 3);
    db_arg_double_array(&args, reals, 3);
    db_arg_time_array(&args, times, 3);
    db_arg_str_array(&args, texts, 4);
    if (ok(db_run(tx, &q_arrays, &args, &rows) == OK, "arrays are taken: %s",
           test->op.fault.detail)) {
        is_str(db_text(rows, 0, 0), "1,0,-1,-2147483648,2147483647", "int4[]");
        is_str(db_text(rows, 0, 1), "-9223372036854775808,9223372036854775807,0", "int8[]");
        is_str(db_text(rows, 0, 2), "0.1,-1e+300,5e-324", "float8[]");
        is_str(db_text(rows, 0, 3), "0.000000,1.500000,-0.000001", "timestamptz[]");
        is_str(db_text(rows, 0, 4), "a,,<null>,ä,\"{}",
               "text[] with a NULL, an empty and a quoted one");
    }
    db_args_init(&args, test->arena);
    db_arg_int_array(&args, NULL, 0);
    db_arg_int64_array(&args, NULL, 0);
    db_arg_double_array(&args, NULL, 0);
    db_arg_time_array(&args, NULL, 0);
    db_arg_str_array(&args, NULL, 0);
    ok(db_run(tx, &q_arrays, &args, &rows) == OK && db_int(rows, 0, 5) == 0,
       "empty arrays are empty, not NULL");
    db_rollback(tx);
    db_test_reset(test);
}

static const struct db_query q_long_array =
    TEST_QUERY("long_array",
               "SELECT count(*)::int4 AS n, sum(a)::int8 AS sum, sum(b)::float8 AS total,"
               " extract(epoch FROM max(t))::int8 AS latest"
               " FROM unnest($1::int8[], $2::float8[], $3::timestamptz[]) AS u (a, b, t)",
               3, 4);

static void test_long_arrays(struct db_test *test, struct db_conn *conn)
{
    enum { N = 65536 };
    int64_t *wides = arena_array(test->arena, N, sizeof *wides);
    double *reals = arena_array(test->arena, N, sizeof *reals);
    int64_t *times = arena_array(test->arena, N, sizeof *times);
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_args args;
    struct db_rows *rows;
    for (int i = 0; wides && reals && times && i < N; i++) {
        wides[i] = i;
        reals[i] = 0.5;
        times[i] = i * INT64_C(1000000);
    }
    db_args_init(&args, test->arena);
    db_arg_int64_array(&args, wides, N);
    db_arg_double_array(&args, reals, N);
    db_arg_time_array(&args, times, N);
    ok(db_run(tx, &q_long_array, &args, &rows) == OK && db_int(rows, 0, 0) == N &&
           db_int64(rows, 0, 1) == INT64_C(2147450880) && db_int64(rows, 0, 3) == N - 1,
       "arrays of a whole ingest batch arrive whole");
    ok(db_double(rows, 0, 2) > 32767.9 && db_double(rows, 0, 2) < 32768.1, "with their values");
    db_rollback(tx);
    db_test_reset(test);
}

static const struct db_query q_kinds =
    TEST_QUERY("kinds",
               "SELECT '7'::int2 AS a, 'x'::varchar AS b, '{\"a\": 1}'::jsonb AS c,"
               " '0f14d0ab-9605-4a62-a9e4-5ed26688389b'::uuid AS d, 'n'::name AS e, 1.5::float4 AS "
               "f, '{ }'::json AS g,"
               " 26::oid AS h",
               0, 8);

static void test_kinds(struct db_test *test, struct db_conn *conn)
{
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_rows *rows;
    if (ok(db_run(tx, &q_kinds, NULL, &rows) == OK, "other types of columns are read")) {
        is_int(db_int(rows, 0, 0), 7, "int2");
        is_int(db_int64(rows, 0, 0), 7, "int2 as a wide one");
        is_str(db_text(rows, 0, 1), "x", "varchar");
        is_str(db_text(rows, 0, 2), "{\"a\": 1}", "jsonb as text");
        is_view(db_str(rows, 0, 2), "{\"a\": 1}", "jsonb as a view");
        is_str(db_text(rows, 0, 3), "0f14d0ab-9605-4a62-a9e4-5ed26688389b", "uuid as text");
        is_view(db_str(rows, 0, 3), "0f14d0ab-9605-4a62-a9e4-5ed26688389b", "uuid as a view");
        is_str(db_text(rows, 0, 4), "n", "name");
        is_double(db_double(rows, 0, 5), 1.5, "float4");
        is_str(db_text(rows, 0, 6), "{ }", "json");
        is_int(db_int64(rows, 0, 7), 26, "oid");
    }
    db_rollback(tx);
    db_test_reset(test);
}

static const struct db_query q_lists =
    TEST_QUERY("lists",
               "SELECT '{7,-9223372036854775808}'::int8[] AS a,"
               " ARRAY['1970-01-01 00:00:01+00', 'infinity']::timestamptz[] AS b,"
               " '{}'::int8[] AS c, NULL::int8[] AS d, '{1,NULL}'::int8[] AS e, '{{1},{2}}'::int8[] AS f,"
               " '{1}'::int4[] AS g, '{1}'::float8[] AS h",
               0, 8);

static void test_lists(struct db_test *test, struct db_conn *conn)
{
    struct db_tx *tx = db_test_begin(test, conn, 0);
    struct db_rows *rows;
    struct db_int64_list list;
    if (ok(db_run(tx, &q_lists, NULL, &rows) == OK, "columns that are arrays")) {
        ok(db_int64_list(tx, rows, 0, 0, &list) == OK && list.n == 2 && list.items[0] == 7 &&
               list.items[1] == INT64_MIN,
           "int8[]");
        ok(db_int64_list(tx, rows, 0, 1, &list) == OK && list.n == 2 &&
               list.items[0] == 1000000 && list.items[1] == INT64_MAX,
           "timestamptz[]");
        ok(db_int64_list(tx, rows, 0, 2, &list) == OK && list.n == 0, "an empty one");
        ok(db_int64_list(tx, rows, 0, 3, &list) == OK && list.n == 0, "NULL");
        for (int i = 4; i < 8; i++) {
            is_int(db_int64_list(tx, rows, 0, i, &list), ERR_INTERNAL, "column %d is no such list", i);
            op_clear_fault(&test->op);
        }
    }
    db_rollback(tx);
    db_test_reset(test);
}

static const struct db_query q_echo = TEST_QUERY("echo", "SELECT $1::text AS a", 1, 1);

static void test_refusals(struct db_test *test, struct db_conn *conn)
{
    static const struct {
        const char *name;
        struct str value;
    } cases[] = {
        { "a NUL in a text is refused, never cut", VIEW("a\0b") },
        { "bytes that are not UTF-8 are refused", VIEW("\xff\xfe") },
    };
    struct db_args args;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct db_tx *tx = db_test_begin(test, conn, 0);
        db_args_init(&args, test->arena);
        db_arg_str(&args, cases[i].value);
        is_int(db_run(tx, &q_echo, &args, NULL), ERR_INVALID, "%s", cases[i].name);
        db_rollback(tx);
        db_test_reset(test);
    }
    struct db_tx *tx = db_test_begin(test, conn, 0);
    is_int(db_run(tx, &q_echo, NULL, NULL), ERR_INTERNAL, "too few arguments are a fault of ours");
    op_clear_fault(&test->op);
    db_args_init(&args, test->arena);
    for (int i = 0; i <= DB_MAX_PARAMS; i++) {
        db_arg_int(&args, i);
    }
    ok(args.is_broken, "more arguments than there can be break the list");
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
    test_scalars(&test, conn);
    test_nulls(&test, conn);
    test_arrays(&test, conn);
    test_long_arrays(&test, conn);
    test_kinds(&test, conn);
    test_lists(&test, conn);
    test_refusals(&test, conn);
    db_conn_close(conn);
    db_test_close(&test);
    return done_testing();
}
