/* When the archiver is due, by the runs that are written down: an interval after the last one that did
 * something, and ever later where they fail. tests/sql/archive_reach.t gives it a database. */
#include "db_test.h"

#include "base/clock.h"
#include "work/jobs.h"

#define NONE "SELECT 0, false, 'x' WHERE false"

static struct db_test test;
static struct db_conn *conn;

/* Runs of the job, by how many seconds ago they began and ended, and what is due then. */
static const struct {
    const char *name;
    const char *runs; /* ago, is_ok, detail */
    int every_h;
    bool is_due, is_bad_still;
} cases[] = {
    { "without a run", NONE, 24, true, false },
    { "without a run, where it is off", NONE, 0, false, false },
    { "an hour before its time", "VALUES (23 * 3600, true, 'days=0')", 24, false, false },
    { "when its time has come", "VALUES (24 * 3600 + 1, true, 'days=1')", 24, true, false },
    { "when its time has come, though it was looked at since",
      "VALUES (25 * 3600, true, 'days=1'), (1200, true, ''), (600, true, '')", 24, true, false },
    { "before its time, after it was looked at",
      "VALUES (23 * 3600, true, 'days=1'), (600, true, '')", 24, false, false },
    { "when it was off and is not any more", "VALUES (600, true, '')", 24, true, false },
    { "half a minute after one that failed", "VALUES (25 * 3600, true, 'days=1'), (31, false, 'x')", 24,
      true, false },
    { "before that", "VALUES (25 * 3600, true, 'days=1'), (20, false, 'x')", 24, false, true },
    { "within a minute after the second", "VALUES (90, false, 'x'), (50, false, 'x')", 24, false, true },
    { "a minute after the second", "VALUES (101, false, 'x'), (61, false, 'x')", 24, true, false },
    { "within eight minutes after the fifth",
      "VALUES (5000, false, 'x'), (4000, false, 'x'), (3000, false, 'x'), (2000, false, 'x'),"
      " (470, false, 'x')", 24, false, true },
    { "eight minutes after the fifth",
      "VALUES (5000, false, 'x'), (4000, false, 'x'), (3000, false, 'x'), (2000, false, 'x'),"
      " (481, false, 'x')", 24, true, false },
    { "within an hour after many", "SELECT 3590, false, 'x' FROM generate_series(1, 100)", 24,
      false, true },
    { "an hour after many", "SELECT 3601, false, 'x' FROM generate_series(1, 100)", 24, true, false },
    { "before its time, when one went well after those that failed",
      "VALUES (9000, false, 'x'), (8000, false, 'x'), (7200, true, 'days=2')", 24, false, false },
    { "an hour after the last that went well, where that is the interval",
      "VALUES (9000, false, 'x'), (3601, true, 'days=2')", 1, true, false },
};

static void put_runs(const char *runs)
{
    char sql[1000];

    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO ops.job_run (name, started_at, finished_at, is_ok, detail)"
                   " SELECT 'archive', now() - r.ago * interval '1 s',"
                   " now() - r.ago * interval '1 s', r.is_ok, r.detail"
                   " FROM (%s) r (ago, is_ok, detail)", runs);
    if (db_test_do(&test, conn, "forget", "DELETE FROM ops.job_run") != OK ||
        db_test_do(&test, conn, "put", sql) != OK) {
        printf("Bail out! %s\n", test.op.fault.detail);
        exit(1);
    }
    db_test_reset(&test);
}

int main(void)
{
    struct config config = { .archive_interval_hours = 0 };
    struct job_pass pass = { .op = &test.op, .config = &config };

    if (!db_test_open(&test)) {
        return 0;
    }
    conn = pass.conn = db_conn_new(&(struct db_options){ .url = test.url, .name = "test" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_due = !cases[i].is_due;
        config.archive_interval_hours = cases[i].every_h;
        pass.is_bad_still = false;
        put_runs(cases[i].runs);
        is_int(job_archive_due(&pass, &is_due), OK, "%s", cases[i].name);
        is_int(is_due, cases[i].is_due, "  it is%s due", cases[i].is_due ? "" : " not");
        is_int(pass.is_bad_still, cases[i].is_bad_still, "  what failed is%s still the last word",
               cases[i].is_bad_still ? "" : " not");
        db_test_reset(&test);
    }
    db_conn_close(conn);
    db_test_close(&test);
    return done_testing();
}
