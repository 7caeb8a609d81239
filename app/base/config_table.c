/* The one table of settings, and how it is printed. Answers for names, defaults, ranges and
 * their explanation; reading them is config.c's. */
#include "base/config_table.h"

#include "base/limits.h"

#define AT(field) offsetof(struct config, field)

/* The rest of a row by its kind of value. */
#define TEXT(field, fallback) SETTING_TEXT, 0, 0, false, AT(field), fallback, NULL
#define SECRET(field) SETTING_TEXT, 0, 0, true, AT(field), NULL, NULL
#define PATH(field, fallback) SETTING_PATH, 0, 0, false, AT(field), fallback, NULL
#define DATABASE(field) SETTING_DATABASE_URL, 0, 0, true, AT(field), NULL, NULL
#define URL(field) SETTING_HTTP_URL, 0, 0, false, AT(field), NULL, NULL
#define URLS(field) SETTING_HTTP_URLS, 0, 0, false, AT(field), NULL, NULL
#define BOOL(field, fallback) SETTING_BOOL, 0, 0, false, AT(field), fallback, NULL
#define LEVEL(field, fallback) SETTING_LEVEL, 0, 0, false, AT(field), fallback, NULL
#define FORMAT(field, fallback) SETTING_FORMAT, 0, 0, false, AT(field), fallback, NULL
#define INT(field, fallback, min, max, unit) SETTING_INT, min, max, false, AT(field), fallback, unit
#define TOOL SETTING_TOOL, 0, 0, false, 0, NULL, NULL

/* Accepted, so that a file written for a later version starts this one. */
#define NOT_YET "(not used yet) "

const struct setting settings[] = {
    { "TIDEMARK_HOME", PATH(home, "./var"), "Embedded cluster, objects, sockets and logs" },
    { "TIDEMARK_PORT", INT(port, "8080", 1, 65535, NULL), "Where nginx listens" },
    { "TIDEMARK_BIND", TEXT(bind, "127.0.0.1"), "The address nginx listens on" },
    { "TIDEMARK_DEMO", BOOL(is_demo, "0"),
      "Seed the demo tenants and keep their devices posting (`make run` sets 1)" },
    { "TIDEMARK_USER", TOOL, "The user that `make run` drops to when it is started as root" },
    { "TIDEMARK_ENGINE", TOOL, "Of the cluster that `make run` makes: postgres or timescaledb" },
    { "TIDEMARK_CLIENT_RATE", TOOL, "Requests/s nginx takes from one address to ingest; 0: any" },
    { "TIDEMARK_BIN", TOOL, "The binary that `make run` and the tests start" },
    { "TIDEMARK_BUILD", TOOL, "The build directory that the tests use" },
    { "DATABASE_URL", DATABASE(database_url),
      "Owner's direct connection, for migrations and maintenance; unset: the embedded cluster" },
    { "DATABASE_WEB_URL", DATABASE(database_web_url),
      "Role tidemark_web; this one and the next are derived from DATABASE_URL when unset, and may "
      "go through a pooler in transaction mode" },
    { "DATABASE_INGEST_URL", DATABASE(database_ingest_url), "Role tidemark_ingest" },
    { "DATABASE_WORKER_URL", DATABASE(database_worker_url), "Role tidemark_worker" },
    { "DATABASE_OPERATOR_URL", DATABASE(database_operator_url), "Role tidemark_operator" },
    { "DATABASE_READ_URL", DATABASE(database_read_url), "Role tidemark_read" },
    { "DATABASE_BACKUP_URL", DATABASE(database_backup_url),
      "Role tidemark_backup, for `tidemark backup`; a direct connection, not a pooler's" },
    { "DB_POOL_MIN_SIZE", INT(pool_min, "2", 0, 1000, "connections"), "Kept open by one process" },
    { "DB_POOL_MAX_SIZE", INT(pool_max, "16", 1, 1000, "connections"), "Most of one process" },
    { "DB_PREPARE", BOOL(db_prepare, "1"),
      "Named prepared statements; 0 behind a pooler in transaction mode" },
    { "WEB_PROCESSES", INT(web_processes, "4", 1, 64, "processes"), "Answer pages and the API" },
    { "EXPORT_PROCESSES", INT(export_processes, "2", 1, 64, "processes"),
      "Answer CSV, NDJSON and Parquet of any length" },
    { "INGEST_THREADS", INT(ingest_threads, "16", 1, 256, "threads"),
      "Of ingest, for posts that are large or name something not seen before" },
    { "UPLOAD_THREADS", INT(upload_threads, "32", 1, 256, "threads"),
      "Files that are sent or fetched at the same time" },
    { "UPLOAD_MAX_MIB", INT(upload_max_mib, "5120", 1, 73728, "MiB"), "Of one file" },
    { "UPLOAD_QUOTA_MIB", INT(upload_quota_mib, "102400", 0, 2000000000, "MiB"),
      "Of all files of one tenant; 0: any number" },
    { "INGEST_REQUEST_RATE", INT(ingest_request_rate, "0", 0, 1000000, "posts a second"),
      "Of one tenant; this and the next are defaults, a tenant can have its own; 0: any number" },
    { "INGEST_TOKEN_RATE", INT(ingest_token_rate, "0", 0, 1000000, "posts a second"),
      "Of one token" },
    { "INGEST_MAX_SERIES", INT(ingest_max_series, "0", 0, 100000000, "series"),
      "That one tenant may have" },
    { "INGEST_ROWS_PER_DAY", INT(ingest_rows_per_day, "0", 0, 2000000000, "rows"),
      "That one tenant may store between two midnights of its time zone" },
    { "RETENTION_RAW_DAYS", INT(retention_raw_days, "90", 1, 36500, "days"),
      "Samples as they came; this and the next are defaults, a tenant can have its own" },
    { "RETENTION_HOURLY_DAYS", INT(retention_hourly_days, "365", 1, 36500, "days"),
      "15-minute and hourly rollups" },
    { "RETENTION_DAILY_DAYS", INT(retention_daily_days, "1825", 1, 36500, "days"),
      "Daily, weekly and monthly rollups" },
    { "RETENTION_EVENT_DAYS", INT(retention_event_days, "90", 1, 36500, "days"), "Events" },
    { "S3_ENDPOINT", URL(s3_endpoint),
      "MinIO or any S3; unset: objects live in $TIDEMARK_HOME/objects" },
    { "S3_BUCKET", TEXT(s3_bucket, NULL), "Needed with S3_ENDPOINT, like the two keys" },
    { "S3_ACCESS_KEY", SECRET(s3_access_key), "Access key" },
    { "S3_SECRET_KEY", SECRET(s3_secret_key), "Secret key" },
    { "S3_REGION", TEXT(s3_region, "us-east-1"), "The region requests are signed for" },
    { "S3_PATH_STYLE", BOOL(s3_path_style, "1"),
      "The bucket in the path (https://host/bucket); 0: in the name (https://bucket.host)" },
    { "S3_CA_FILE", PATH(s3_ca_file, NULL),
      "Certificates by which the store is believed; unset: the system's" },
    { "ARCHIVE_AFTER_HOURS", INT(archive_after_hours, "72", 1, 87600, "hours"),
      "Age at which a finished day is archived" },
    { "ARCHIVE_INTERVAL_HOURS", INT(archive_interval_hours, "24", 0, 8760, "hours"),
      "Between two runs of the archiver; 0: nothing is archived" },
    { "BACKUP_FOLDER", PATH(backup_folder, NULL),
      "Where backups are; unset: in the object store, under backup/" },
    { "RESTORE_DRILL_INTERVAL_HOURS", INT(restore_drill_interval_hours, "0", 0, 8760, "hours"),
      "Between two trial restores of the newest backup by the worker; 0: none" },
    { "SITE_URLS", URLS(site_urls),
      NOT_YET "Installations that this one aggregates: name=url or url, comma separated" },
    { "SITE_TOKENS_FILE", PATH(site_tokens_file, NULL),
      NOT_YET "Their tokens" },
    { "PUBLIC_URL", URL(public_url),
      "Where browsers find us; over https cookies are Secure and carry the __Host- prefix" },
    { "TRUSTED_PROXIES", TEXT(trusted_proxies, NULL),
      "Addresses whose X-Forwarded-For is believed, comma separated" },
    { "OTEL_EXPORTER_OTLP_ENDPOINT", URL(otlp_endpoint),
      NOT_YET "Where our own telemetry goes, by OTLP/HTTP" },
    { "OTEL_SERVICE_NAME", TEXT(otel_service_name, "tidemark"),
      NOT_YET "The name it carries" },
    { "LOG_LEVEL", LEVEL(log_level, "info"), "debug, info, warn or error" },
    { "LOG_FORMAT", FORMAT(log_format, "logfmt"), "logfmt or json" },
};

const int n_settings = sizeof settings / sizeof settings[0];

bool setting_has_file(const struct setting *setting)
{
    return setting->is_secret || setting->type == SETTING_HTTP_URL ||
           setting->type == SETTING_HTTP_URLS;
}

/* "1 to 65535", "0 or 1", "any": what may be written. */
static void format_range(const struct setting *setting, char *out, size_t size)
{
    static const char *const names[] = {
        [SETTING_TEXT] = "text",
        [SETTING_PATH] = "path",
        [SETTING_DATABASE_URL] = "postgresql://…",
        [SETTING_HTTP_URL] = "http(s)://…",
        [SETTING_HTTP_URLS] = "list of http(s)://…",
        [SETTING_BOOL] = "0 or 1",
        [SETTING_LEVEL] = "a level",
        [SETTING_FORMAT] = "a format",
        [SETTING_TOOL] = "text",
    };

    if (setting->type == SETTING_INT) {
        snprintf(out, size, "%d to %d%s%s", setting->min, setting->max, setting->unit ? " " : "",
                 setting->unit ? setting->unit : "");
    } else {
        snprintf(out, size, "%s", names[setting->type]);
    }
}

static void print_row(FILE *out, const struct setting *setting, bool is_markdown)
{
    char range[64];
    const char *fallback = setting->fallback ? setting->fallback : "unset";

    format_range(setting, range, sizeof range);
    if (is_markdown) {
        fprintf(out, "| `%s`%s | %s | %s | %s |\n", setting->name,
                setting_has_file(setting) ? " (`_FILE`)" : "", fallback, range, setting->help);
    } else {
        fprintf(out, "  %s%s\n      %s (default: %s; %s)\n", setting->name,
                setting_has_file(setting) ? "[_FILE]" : "", setting->help, fallback, range);
    }
}

void config_print(FILE *out, bool is_markdown)
{
    if (is_markdown) {
        fputs("| name | default | values | |\n| --- | --- | --- | --- |\n", out);
    }
    for (int i = 0; i < n_settings; i++) {
        print_row(out, &settings[i], is_markdown);
    }
}
