/* The installation as its operators watch it: what tenants send, storage, the worker's jobs, slow
 * statements. Over the operator role's connection; no tenant's readings. Texts live in the
 * operation's arena, times are in µs, INSTALLATION_NEVER where there is none. */
#ifndef TIDEMARK_DOMAIN_INSTALLATION_H
#define TIDEMARK_DOMAIN_INSTALLATION_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define INSTALLATION_NEVER INT64_MIN
#define INSTALLATION_HOURS 24      /* of the ingest rate that are shown */
#define INSTALLATION_STATEMENTS 15 /* slow ones that are shown */

struct usage {
    const char *slug, *name;
    const char *status;             /* "active", "suspended" */
    int64_t devices, series;
    int64_t samples_day, samples;   /* of the last 24 hours, of all that is kept */
    int64_t events_day, events;
    int64_t bytes;                  /* estimated share of the tables */
    int64_t last_ingest_us;
};

struct usage_list {
    struct usage *items;
    int n;
};

/* Tenants after the slug `after` (ptr NULL: from the first), in the order of their slugs. */
enum err usage_list(struct db_tx *tx, struct str after, int limit,
                    struct usage_list *out) MUST_CHECK;

/* A table that is kept in pieces by time. */
struct storage {
    const char *relation;
    int64_t bytes, rows;            /* rows: estimated */
    int64_t pieces, packed;         /* chunks or partitions, and how many are compressed */
    double ratio;                   /* before by after compression; NaN where there is none */
};

struct job_health {
    const char *name, *detail;      /* of the last run that ended; "" without one */
    int64_t started_us;             /* the last run */
    double seconds;                 /* that it took; NaN: none ended */
    int64_t failures;               /* of the last 24 hours */
    bool is_good, is_running, is_overdue;
};

struct statement {
    const char *text;               /* without values */
    int64_t calls;
    double mean_ms, total_ms;
};

struct installation {
    const char *engine;             /* "TimescaleDB 2.22.1 on PostgreSQL 15.20" */
    int64_t bytes;                  /* of the database */
    struct storage *storage;
    int n_storage;
    struct job_health *jobs;
    int n_jobs;
    struct statement *statements;
    int n_statements;
    bool has_statistics;            /* statements since statistics began, else of this moment */
    int64_t first_hour_us;          /* of the hours below, UTC */
    double rates[INSTALLATION_HOURS]; /* samples a second; NaN: not measured */
};

/* Reads all of it as of `now_us`. */
enum err installation_load(struct db_tx *tx, int64_t now_us, struct installation *out) MUST_CHECK;

#endif
