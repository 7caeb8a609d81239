/* The migration runner: from nothing, again, two at once, over a history that is newer, edited
 * or of another engine, as superuser and as owner; and the passwords that it leaves behind. */
#include "db_test.h"

#include "base/clock.h"
#include "db/migrate.h"
#include "db/private_url.h"
#include "gen/migrations.h"

#include <pthread.h>
#include <unistd.h>

static char home[] = "/tmp/tidemark-migrate-XXXXXX";

static struct config config_of(const struct db_test *test)
{
    return (struct config){ .home = home, .database_url = test->url };
}

static int count_of(struct db_test *test, struct db_conn *conn, const char *name, const char *sql)
{
    const struct db_query query = TEST_QUERY(name, sql, 0, 1);
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(test, conn, 0);
    int n = db_run(tx, &query, NULL, &rows) == OK ? db_int(rows, 0, 0) : -1;
    db_rollback(tx);
    return n;
}

static int history_count(struct db_test *test, struct db_conn *conn)
{
    return count_of(test, conn, "history_count",
                    "SELECT count(*)::int4 AS n FROM ops.migration_history");
}

/* The database as it was given: empty. */
static void empty_database(struct db_test *test, struct db_conn *conn)
{
    ok(db_test_do(test, conn, "empty", "DROP SCHEMA IF EXISTS core, api, ops CASCADE") == OK,
       "the database is empty: %s", test->op.fault.detail);
}

static void test_first(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    char text[8192];
    FILE *progress = fmemopen(text, sizeof text, "w");
    is_int(db_migrate(&test->op, &config, progress), OK, "an empty database is migrated: %s",
           test->op.fault.detail);
    fclose(progress);
    is_int(history_count(test, conn), (int64_t)db_migrations_count, "every migration is recorded");
    ok(strstr(text, db_migrations[0].name) && strstr(text, "the schema is at version"),
       "and reported");
    is_int(count_of(test, conn, "owners",
                    "SELECT count(*)::int4 AS n FROM pg_catalog.pg_class c"
                    " JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace"
                    " WHERE s.nspname IN ('core', 'api', 'ops')"
                    " AND pg_get_userbyid(c.relowner) NOT IN ('tidemark_owner', 'tidemark_door')"),
           0, "nothing belongs to the superuser who ran it");
    db_test_reset(test);
}

static void test_again(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    char text[8192] = "";
    FILE *progress = fmemopen(text, sizeof text, "w");
    int64_t started_us = clock_monotonic_us();
    is_int(db_migrate(&test->op, &config, progress), OK, "a second run succeeds: %s",
           test->op.fault.detail);
    int64_t taken_us = clock_monotonic_us() - started_us;
    fclose(progress);
    is_int(history_count(test, conn), (int64_t)db_migrations_count, "changes nothing");
    ok(!strstr(text, "migration ") && !strstr(text, "password"), "and says so: %s", text);
    ok(taken_us < 5 * US_PER_SECOND, "quickly (%d ms)", (int)(taken_us / 1000));
    db_test_reset(test);
}

/* Puts the history back as it was when it was saved. */
static void restore_history(struct db_test *test, struct db_conn *conn)
{
    ok(db_test_do(test, conn, "history_clear", "DELETE FROM ops.migration_history") == OK &&
           db_test_do(test, conn, "history_restore",
                      "INSERT INTO ops.migration_history SELECT * FROM public.saved") == OK,
       "the history is put right again");
}

static void test_status(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    is_int(db_migrate_status(&test->op, &config, out), OK, "the status of a migrated database");
    fclose(out);
    ok(strncmp(text, "0001\t", 5) == 0 && strstr(text, db_migrations[0].name) &&
           strstr(text, "Z\n") && !strstr(text, "pending"),
       "lists what was applied and when");
    ok(db_test_do(test, conn, "history_save",
                  "CREATE TABLE public.saved AS SELECT * FROM ops.migration_history") == OK &&
           db_test_do(test, conn, "forget_last",
                      "DELETE FROM ops.migration_history h"
                      " WHERE h.version = (SELECT max(version) FROM ops.migration_history)") == OK,
       "with the last migration missing");
    out = fmemopen(text, sizeof text, "w");
    ok(db_migrate_status(&test->op, &config, out) == OK && fclose(out) == 0 &&
           strstr(text, "\tpending\n"),
       "the status calls it pending");
    is_int(history_count(test, conn), (int64_t)db_migrations_count - 1, "and changes nothing");
    restore_history(test, conn);
    db_test_reset(test);
}

/* A history that the runner must not touch. */
static const struct {
    const char *name, *sql, *detail;
} refused[] = {
    { "edited", "UPDATE ops.migration_history SET sha256 = 'x' WHERE version = 2", "edited" },
    { "renamed", "UPDATE ops.migration_history SET name = 'other' WHERE version = 1", "edited" },
    { "newer",
      "INSERT INTO ops.migration_history VALUES (9999, 'future', 'x', 'postgres', now(), 1)",
      "9999_future" },
    { "gapped", "DELETE FROM ops.migration_history WHERE version = 1", "lacks migration 0001_" },
    { "of an unknown engine", "UPDATE ops.migration_history SET engine = 'oracle'", "oracle" },
};

static void test_refused(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    FILE *ignored = fopen("/dev/null", "w");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ok(db_test_do(test, conn, refused[i].name, refused[i].sql) == OK, "made one that is %s",
           refused[i].name);
        int n = history_count(test, conn);
        is_int(db_migrate(&test->op, &config, NULL), ERR_CONFLICT, "is refused");
        ok(strstr(test->op.fault.detail, refused[i].detail), "with its reason: %s",
           test->op.fault.detail);
        op_clear_fault(&test->op);
        is_int(db_migrate_status(&test->op, &config, ignored), ERR_CONFLICT, "by the status too");
        is_int(history_count(test, conn), n, "and left as it is");
        restore_history(test, conn);
        db_test_reset(test);
    }
    fclose(ignored);
}

static void test_engine(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    bool is_timescaledb = count_of(test, conn, "extension",
                                   "SELECT count(*)::int4 AS n FROM pg_catalog.pg_extension"
                                   " WHERE extname = 'timescaledb'") > 0;
    empty_database(test, conn);
    ok(db_migrate(&test->op, &config, NULL) == OK, "the engine is chosen");
    is_int(count_of(test, conn, "engine_count",
                    "SELECT count(*) FILTER (WHERE engine = 'timescaledb')::int4 AS n"
                    " FROM ops.migration_history"),
           is_timescaledb ? (int64_t)db_migrations_count : 0, "by what the server offers");
    const char *other = is_timescaledb ? "UPDATE ops.migration_history SET engine = 'postgres'"
                                       : "UPDATE ops.migration_history SET engine = 'timescaledb'";
    ok(db_test_do(test, conn, "engine_other", other) == OK, "a database made for the other one");
    is_int(db_migrate(&test->op, &config, NULL), is_timescaledb ? OK : ERR_CONFLICT,
           is_timescaledb ? "stays plain where TimescaleDB came later"
                          : "needs TimescaleDB from then on");
    db_test_reset(test);
}

/* ---- two at once ---- */

struct runner {
    struct db_test test;
    enum err outcome;
};

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct config config = config_of(&runner->test);
    runner->outcome = db_migrate(&runner->test.op, &config, NULL);
    if (runner->outcome) {
        diag("%s", runner->test.op.fault.detail);
    }
    return NULL;
}

static void test_concurrent(struct db_test *test, struct db_conn *conn)
{
    enum { N = 3 };
    struct runner runners[N];
    pthread_t threads[N];
    int n_good = 0;
    empty_database(test, conn);
    for (int i = 0; i < N; i++) {
        if (!db_test_open(&runners[i].test) ||
            pthread_create(&threads[i], NULL, run, &runners[i]) != 0) {
            printf("Bail out! no threads\n");
            exit(1);
        }
    }
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        n_good += runners[i].outcome == OK;
        db_test_close(&runners[i].test);
    }
    is_int(n_good, N, "of several runs at once one migrates and the others wait");
    is_int(history_count(test, conn), (int64_t)db_migrations_count, "and each migration ran once");
    db_test_reset(test);
}

/* ---- logins ---- */

/* Opens a transaction as the role and asks for the schema. */
static enum err check_as(struct db_test *test, const char *url)
{
    struct db_options options = { .url = url, .name = "test" };
    struct db_conn *conn = db_conn_new(&options);
    struct db_tx *tx;
    enum err err = db_begin(&test->op, conn, DB_READ, 0, &tx);
    if (!err) {
        err = db_schema_check(tx);
        db_rollback(tx);
    }
    db_conn_close(conn);
    return err;
}

/* Whether a login is let in at all. */
static bool is_let_in(struct db_test *test, const char *url)
{
    struct db_options options = { .url = url, .name = "test" };
    struct db_conn *conn = db_conn_new(&options);
    struct db_tx *tx;
    bool is_in = db_begin(&test->op, conn, DB_READ, 0, &tx) == OK;
    if (is_in) {
        db_rollback(tx);
    }
    db_conn_close(conn);
    return is_in;
}

static void test_logins(struct db_test *test, struct db_conn *conn)
{
    struct config config = config_of(test);
    const char *url;
    for (enum db_role role = DB_ROLE_WEB; role <= DB_ROLE_READ; role++) {
        ok(db_role_url(&test->op, &config, role, &url) == OK && check_as(test, url) == OK,
           "%s logs in and finds its schema: %s", db_role_name(role), test->op.fault.detail);
    }
    const char *backup;
    ok(db_role_url(&test->op, &config, DB_ROLE_BACKUP, &backup) == OK && is_let_in(test, backup),
       "tidemark_backup logs in: %s", test->op.fault.detail);
    ok(db_test_do(test, conn, "one_more",
                  "INSERT INTO ops.migration_history VALUES (9999, 'x', 'x', 'x', now(), 1)") == OK,
       "with a newer schema");
    is_int(check_as(test, url), ERR_UNAVAILABLE, "no role accepts it");
    ok(strstr(test->op.fault.detail, "9999"), "and says why: %s", test->op.fault.detail);
    ok(db_test_do(test, conn, "one_less",
                  "DELETE FROM ops.migration_history WHERE version = 9999") == OK,
       "back at ours");
    db_test_reset(test);
}

static void test_explicit_password(struct db_test *test)
{
    struct config config = config_of(test);
    const struct db_login given = { .user = "tidemark_web", .password = "given at 'last'" };
    const struct db_login pooler = { .user = "somebody", .password = "else" };
    ok(db_url_with_login(&test->op, test->url, &given, &config.database_web_url) == OK &&
           db_url_with_login(&test->op, test->url, &pooler, &config.database_ingest_url) == OK,
       "a URL of its own for a role");
    ok(db_migrate(&test->op, &config, NULL) == OK && check_as(test, config.database_web_url) == OK,
       "gives the role that password");
    config = config_of(test);
    const char *url;
    ok(db_migrate(&test->op, &config, NULL) == OK &&
           db_role_url(&test->op, &config, DB_ROLE_WEB, &url) == OK && check_as(test, url) == OK,
       "without it the kept one is set again");
    db_test_reset(test);
}

static void test_as_owner(struct db_test *test, struct db_conn *conn)
{
    const struct db_login owner = { .user = "tidemark_owner", .password = "owner" };
    const struct db_login web = { .user = "tidemark_web", .password = "web" };
    struct config config = config_of(test);
    ok(db_test_do(test, conn, "owner_password", "ALTER ROLE tidemark_owner PASSWORD 'owner'") == OK,
       "the owner has a password");
    ok(db_url_with_login(&test->op, test->url, &owner, &config.database_url) == OK &&
           db_migrate(&test->op, &config, NULL) == OK,
       "the owner migrates a migrated database: %s", test->op.fault.detail);
    empty_database(test, conn);
    ok(db_migrate(&test->op, &config, NULL) == OK, "and an empty one, once the roles are there: %s",
       test->op.fault.detail);
    ok(db_test_do(test, conn, "web_password", "ALTER ROLE tidemark_web PASSWORD 'web'") == OK &&
           db_url_with_login(&test->op, test->url, &web, &config.database_url) == OK,
       "another role with a password");
    is_int(db_migrate(&test->op, &config, NULL), ERR_FORBIDDEN, "may not migrate");
    db_test_reset(test);
}

static void clean(void)
{
    char path[128];
    for (enum db_role role = DB_ROLE_WEB; role <= DB_ROLE_BACKUP; role++) {
        snprintf(path, sizeof path, "%s/secrets/%s", home, db_role_name(role));
        remove(path);
    }
    snprintf(path, sizeof path, "%s/secrets", home);
    remove(path);
    rmdir(home);
}

int main(void)
{
    struct db_test test;
    if (!db_test_open(&test)) {
        return 0;
    }
    if (!mkdtemp(home)) {
        printf("Bail out! no folder\n");
        return 1;
    }
    struct db_conn *conn = db_test_conn(&test, 0);
    test_first(&test, conn);
    test_again(&test, conn);
    test_status(&test, conn);
    test_refused(&test, conn);
    test_concurrent(&test, conn);
    test_logins(&test, conn);
    test_explicit_password(&test);
    test_as_owner(&test, conn);
    test_engine(&test, conn);
    db_conn_close(conn);
    clean();
    db_test_close(&test);
    return done_testing();
}
