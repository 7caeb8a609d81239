/* Measures the installation: the database's size and traffic by its own statistics, our
 * processes by /proc (those of this machine that run this binary). Kept as system
 * metrics for the operator's page. */
#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"
#include "work/jobs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#define MAX_MEASURES 16

struct measures {
    struct str names[MAX_MEASURES];
    double values[MAX_MEASURES];
    size_t n;
};

static void add(struct measures *measures, struct str name, double value)
{
    if (measures->n < MAX_MEASURES && isfinite(value)) {
        measures->names[measures->n] = name;
        measures->values[measures->n++] = value;
    }
}

/* The proportional set size of a process in KiB: shared pages are divided among those who
 * share them, so that sizes add up. 0 for one that ended meanwhile. */
static long long process_pss_kib(const char *pid)
{
    char path[64];
    char line[256];
    long long kib = 0;
    snprintf(path, sizeof path, "/proc/%.20s/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        struct str rest = str_of(line);
        if (str_starts_with(rest, STR("Pss:"))) {
            str_cut(&rest, ':');
            rest = str_trim(rest);
            if (!str_to_int64(str_cut(&rest, ' '), &kib)) {
                kib = 0;
            }
            break;
        }
    }
    fclose(file);
    return kib;
}

static bool runs_this_binary(const char *pid, const struct stat *self)
{
    char path[64];
    struct stat other;
    snprintf(path, sizeof path, "/proc/%.20s/exe", pid);
    return stat(path, &other) == 0 && other.st_dev == self->st_dev && other.st_ino == self->st_ino;
}

static void measure_processes(struct measures *measures)
{
    struct stat self;
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return;
    }
    int n = 0;
    long long pss_kib = 0;
    bool is_known = stat("/proc/self/exe", &self) == 0;
    struct dirent *entry;
    while (is_known && (entry = readdir(proc)) != NULL) {
        bool is_pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
        if (is_pid && runs_this_binary(entry->d_name, &self)) {
            n++;
            pss_kib += process_pss_kib(entry->d_name);
        }
    }
    closedir(proc);
    if (is_known) {
        add(measures, STR("processes"), n);
        add(measures, STR("process_pss_bytes"), (double)pss_kib * 1024);
    }
}

/* Rates need two passes, and a counter that was not reset between them. */
static void add_rates(struct measures *measures, struct metrics_memory *last,
                      struct metrics_memory now)
{
    double seconds = (double)(now.time_us - last->time_us) / 1e6;
    bool is_continued = last->time_us != 0 && now.rows_written >= last->rows_written &&
                        now.commits >= last->commits && seconds > 0;
    if (is_continued && now.samples >= last->samples && now.events >= last->events) {
        add(measures, STR("samples_per_s"), (double)(now.samples - last->samples) / seconds);
        add(measures, STR("events_per_s"), (double)(now.events - last->events) / seconds);
    }
    if (is_continued) {
        add(measures, STR("database_rows_per_s"),
            (double)(now.rows_written - last->rows_written) / seconds);
        add(measures, STR("database_commits_per_s"),
            (double)(now.commits - last->commits) / seconds);
    }
    *last = now;
}

static enum err measure_database(struct job_pass *pass, struct db_tx *tx,
                                 struct measures *measures)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_job_database_stats, NULL, &rows);
    if (err != OK || db_count(rows) == 0) {
        return err;
    }
    add(measures, STR("database_bytes"), (double)db_int64(rows, 0, JOB_DATABASE_STATS_SIZE_BYTES));
    add(measures, STR("database_connections"),
        (double)db_int64(rows, 0, JOB_DATABASE_STATS_CONNECTIONS));
    struct metrics_memory now = {
        .time_us = clock_monotonic_us(),
        .rows_written = db_int64(rows, 0, JOB_DATABASE_STATS_ROWS_WRITTEN),
        .commits = db_int64(rows, 0, JOB_DATABASE_STATS_COMMITS),
        .samples = db_int64(rows, 0, JOB_DATABASE_STATS_SAMPLES),
        .events = db_int64(rows, 0, JOB_DATABASE_STATS_EVENTS),
    };
    add_rates(measures, pass->metrics, now);
    return OK;
}

static enum err store(struct job_pass *pass, struct db_tx *tx, const struct measures *measures)
{
    struct db_args args;
    db_args_init(&args, pass->op->arena);
    db_arg_str_array(&args, measures->names, measures->n);
    db_arg_double_array(&args, measures->values, measures->n);
    return db_run(tx, &q_job_system_metric_add, &args, NULL);
}

enum err job_metrics(struct job_pass *pass)
{
    struct measures measures = { .n = 0 };
    struct db_tx *tx;
    measure_processes(&measures);
    enum err err = db_begin(pass->op, pass->conn, DB_WRITE, 0, &tx);
    if (err != OK) {
        return err;
    }
    err = measure_database(pass, tx, &measures);
    if (err == OK) {
        err = store(pass, tx, &measures);
    }
    snprintf(pass->detail, sizeof pass->detail, "measures=%zu", measures.n);
    return db_end(tx, err);
}
