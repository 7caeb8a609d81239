/* Settings: one table (config.c) of name, type, default, range, unit, secrecy and
 * help, filled from the environment and a --config file; the README's table and
 * --help are printed from it. An unknown or malformed setting of our prefixes is an
 * error that names it. Read-only after config_load. */
#ifndef TIDEMARK_BASE_CONFIG_H
#define TIDEMARK_BASE_CONFIG_H

#include "base/arena.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config {
    const char *home;             /* TIDEMARK_HOME, absolute, and short enough for sockets */
    int port;                     /* TIDEMARK_PORT */
    const char *bind;             /* TIDEMARK_BIND */
    bool is_demo;                 /* TIDEMARK_DEMO */
    const char *database_url;     /* NULL: the embedded cluster */
    const char *database_web_url; /* NULL: derived; likewise below */
    const char *database_ingest_url;
    const char *database_worker_url;
    const char *database_operator_url;
    const char *database_read_url;
    const char *database_backup_url;
    int pool_min, pool_max; /* DB_POOL_MIN_SIZE, DB_POOL_MAX_SIZE */
    bool db_prepare;        /* DB_PREPARE: named statements; off behind a pooler */
    int web_processes;      /* WEB_PROCESSES */
    int export_processes;   /* EXPORT_PROCESSES */
    int ingest_threads;     /* INGEST_THREADS */
    int upload_threads;     /* UPLOAD_THREADS */
    int upload_max_mib, upload_quota_mib; /* of a file, of a tenant; the second 0: no limit */
    int ingest_request_rate, ingest_token_rate, ingest_max_series; /* of a tenant; 0: no limit */
    int ingest_rows_per_day;                                       /* the same */
    int retention_raw_days, retention_hourly_days, retention_daily_days, retention_event_days;
    const char *s3_endpoint, *s3_bucket, *s3_access_key, *s3_secret_key, *s3_region;
    bool s3_path_style;      /* S3_PATH_STYLE: https://host/bucket, else https://bucket.host */
    const char *s3_ca_file;  /* S3_CA_FILE or NULL: the system's */
    int archive_after_hours, archive_interval_hours;
    const char *backup_folder;        /* BACKUP_FOLDER or NULL: the object store */
    int restore_drill_interval_hours; /* RESTORE_DRILL_INTERVAL_HOURS; 0: none */
    const char *site_urls, *site_tokens_file;
    const char *public_url;      /* PUBLIC_URL or NULL */
    const char *trusted_proxies; /* TRUSTED_PROXIES or NULL */
    const char *otlp_endpoint, *otel_service_name;
    enum log_level log_level;
    enum log_format log_format;
    struct arena *memory; /* of the strings above */
};

/* Fills `config` from the environment, with `path` (may be NULL) read first, so that the
 * environment wins. NAME_FILE gives a secret's or a URL's file. An empty value is as good as
 * none. On failure writes one line naming the setting into `error` and returns false.
 * Strings live until config_free. */
bool config_load(struct config *config, const char *path, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* Releases the strings. */
void config_free(struct config *config);

/* Prints every setting with default, range and help: for --help (`is_markdown` false)
 * or the README's table. */
void config_print(FILE *out, bool is_markdown);

#endif
