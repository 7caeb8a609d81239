/* Settings: defaults, sources and their order, forms, and the line that names a wrong one. */
#include "base/config.h"
#include "base/config_table.h"

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/tidemark-config-XXXXXX";
static char error[512];

/* Writes a file into the test's directory; its path holds for the next three calls too. */
static const char *file_of(const char *name, const char *content)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(content, file) < 0 || fclose(file) != 0) {
        abort();
    }
    return path;
}

/* Sets NAME=VALUE pairs (up to a NULL) as the whole environment and loads. */
static bool load_with(struct config *config, const char *path, const char *const pairs[])
{
    clearenv();
    for (int i = 0; pairs && pairs[i]; i += 2) {
        setenv(pairs[i], pairs[i + 1], 1);
    }
    error[0] = '\0';
    return config_load(config, path, error, sizeof error);
}

#define ENV(...)                \
    (const char *const[])       \
    {                           \
        __VA_ARGS__, NULL, NULL \
    }

static void test_defaults(void)
{
    struct config config;

    ok(load_with(&config, NULL, NULL), "nothing need be set");
    ok(config.home[0] == '/' && strcmp(config.home + strlen(config.home) - 4, "/var") == 0,
       "the home is ./var, made absolute");
    is_int(config.port, 8080, "the port is 8080");
    is_str(config.bind, "127.0.0.1", "on this machine alone");
    is_str(config.database_url, NULL, "the database is the embedded one");
    ok(config.pool_min == 2 && config.pool_max == 16, "2 to 16 connections");
    ok(config.retention_raw_days == 90 && config.retention_hourly_days == 365 &&
           config.retention_daily_days == 1825 && config.retention_event_days == 90,
       "retention");
    ok(config.archive_after_hours == 72 && config.archive_interval_hours == 24, "archive");
    ok(config.backup_folder == NULL && config.restore_drill_interval_hours == 0,
       "backups are in the object store, and not restored on trial");
    is_str(config.s3_endpoint, NULL, "objects live in a directory");
    is_str(config.otel_service_name, "tidemark", "the service's name");
    ok(config.log_level == LOG_INFO && config.log_format == LOG_LOGFMT, "logfmt from info on");
    ok(config.db_prepare && !config.is_demo, "named statements, no demo");
    config_free(&config);
}

static void test_sources(void)
{
    struct config config;
    const char *path = file_of(
        "settings",
        "# a comment\n\n  TIDEMARK_PORT = 9000  \r\nLOG_LEVEL=debug\n"
        "PUBLIC_URL=\"https://example.org/#a=b\"\nOTEL_TRACES_SAMPLER=always_on\nLOG_FORMAT=\n");

    ok(load_with(&config, path, ENV("LOG_LEVEL", "warn", "HOME", "/root", "OTEL_METRICS", "x")),
       "a file is read with its comments and blanks");
    is_int(config.port, 9000, "what only the file sets holds");
    is_int(config.log_level, LOG_WARN, "the environment wins over the file");
    is_str(config.public_url, "https://example.org/#a=b", "quotes go, # and = stay in a value");
    is_int(config.log_format, LOG_LOGFMT, "an empty value is the default");
    config_free(&config);

    ok(load_with(&config, NULL,
                 ENV("TIDEMARK_HOME", "./x", "S3_ENDPOINT", "", "DB_PREPARE", "0", "TIDEMARK_USER",
                     "nobody")),
       "the environment alone, with an empty value and a tool's setting");
    ok(strcmp(config.home + strlen(config.home) - 2, "/x") == 0 && !strstr(config.home, "./"),
       "a relative home is below the working directory");
    is_str(config.s3_endpoint, NULL, "an empty value is as good as none");
    ok(!config.db_prepare, "0 is false");
    config_free(&config);
}

static void test_secret_files(void)
{
    struct config config;
    const char *url = file_of("url", "postgresql://u:secret@db/tidemark\n");

    ok(load_with(&config, NULL, ENV("DATABASE_URL_FILE", url)), "a secret may come from a file");
    is_str(config.database_url, "postgresql://u:secret@db/tidemark", "without its line's end");
    config_free(&config);

    const char *path = file_of("settings", "DATABASE_URL=postgresql://in-file/x\n");
    ok(load_with(&config, path, ENV("DATABASE_URL_FILE", url)), "also against a --config file");
    is_str(config.database_url, "postgresql://u:secret@db/tidemark", "over which it wins");
    config_free(&config);

    ok(load_with(&config, NULL, ENV("DATABASE_URL", "host=/run dbname=tidemark user=me")),
       "libpq's pairs are as good as a URL");
    config_free(&config);

    const char *tokens = file_of("tokens", "a=b\n");
    ok(load_with(&config, NULL, ENV("SITE_TOKENS_FILE", tokens)), "SITE_TOKENS_FILE is a setting");
    is_str(config.site_tokens_file, tokens, "that stays a path");
    config_free(&config);
}

static void test_s3(void)
{
    struct config config;

    ok(load_with(&config, NULL,
                 ENV("S3_ENDPOINT", "http://minio:9000", "S3_BUCKET", "tidemark", "S3_ACCESS_KEY",
                     "a", "S3_SECRET_KEY", "b")),
       "S3 is set up");
    is_str(config.s3_region, "us-east-1", "with a region to sign for");
    is_str(config.s3_secret_key, "b", "and its key");
    config_free(&config);
    ok(load_with(&config, NULL,
                 ENV("SITE_URLS", "north=https://a.example, https://b.example/x?y=z")),
       "installations are a list of urls, with names or without");
    config_free(&config);
}

static void test_refusals(void)
{
    static const struct {
        const char *name, *value, *expected;
    } cases[] = {
        { "TIDEMARK_PROT", "8080", "TIDEMARK_PROT: unknown setting (environment)" },
        { "DB_POOL_SIZE", "4", "DB_POOL_SIZE: unknown setting (environment)" },
        { "DATABASE_WEB", "x", "DATABASE_WEB: unknown setting (environment)" },
        { "S3_SECRET", "x", "S3_SECRET: unknown setting (environment)" },
        { "ARCHIVE_AFTER_DAYS", "3", "ARCHIVE_AFTER_DAYS: unknown setting (environment)" },
        { "RETENTION_DAYS", "3", "RETENTION_DAYS: unknown setting (environment)" },
        { "SITE_URL", "x", "SITE_URL: unknown setting (environment)" },
        { "INGEST_THREAD", "3", "INGEST_THREAD: unknown setting (environment)" },
        { "WEB_PROCESS", "3", "WEB_PROCESS: unknown setting (environment)" },
        { "LOG_COLOR", "1", "LOG_COLOR: unknown setting (environment)" },
        { "PUBLIC_URLS", "x", "PUBLIC_URLS: unknown setting (environment)" },
        { "TIDEMARK_PORT_FILE", "/x", "TIDEMARK_PORT_FILE: unknown setting (environment)" },
        { "TIDEMARK_PORT", "80a", "TIDEMARK_PORT: a number from 1 to 65535 expected, not \"80a\"" },
        { "TIDEMARK_PORT", "0", "TIDEMARK_PORT: a number from 1 to 65535 expected, not \"0\"" },
        { "TIDEMARK_PORT", "65536",
          "TIDEMARK_PORT: a number from 1 to 65535 expected, not \"65536\"" },
        { "TIDEMARK_DEMO", "yes", "TIDEMARK_DEMO: 0 or 1 expected, not \"yes\"" },
        { "LOG_LEVEL", "INFO", "LOG_LEVEL: debug, info, warn or error expected, not \"INFO\"" },
        { "LOG_FORMAT", "xml", "LOG_FORMAT: logfmt or json expected, not \"xml\"" },
        { "DATABASE_URL", "db.example.org",
          "DATABASE_URL: a URL beginning postgresql://, or name=value pairs, expected" },
        { "DATABASE_URL", "mysql://u:secret@db/x?y=z",
          "DATABASE_URL: a URL beginning postgresql://, or name=value pairs, expected" },
        { "PUBLIC_URL", "example.org",
          "PUBLIC_URL: a URL beginning http:// or https:// expected, not \"example.org\"" },
        { "PUBLIC_URL", "https://",
          "PUBLIC_URL: a URL beginning http:// or https:// expected, not \"https://\"" },
        { "SITE_URLS", "https://a,,https://b",
          "SITE_URLS: a URL beginning http:// or https:// "
          "expected, not \"https://a,,https://b\"" },
        { "S3_ENDPOINT", "http://minio:9000", "S3_BUCKET: needed with S3_ENDPOINT" },
        { "DB_POOL_MIN_SIZE", "17", "DB_POOL_MIN_SIZE: 17 is more than DB_POOL_MAX_SIZE, 16" },
        { "DATABASE_URL_FILE", "/nonexistent/file",
          "DATABASE_URL: cannot read /nonexistent/file: No such file or directory" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        ok(!load_with(&config, NULL, ENV(cases[i].name, cases[i].value)), "%s=%s stops the start",
           cases[i].name, cases[i].value);
        is_str(error, cases[i].expected, "and says why");
    }
}

static void test_file_refusals(void)
{
    struct config config;
    char expected[512];
    const char *path = file_of("settings", "LOG_LEVEL=info\nRETNTION_RAW_DAYS=3\n");

    ok(!load_with(&config, path, NULL), "an unknown name in a file stops the start");
    snprintf(expected, sizeof expected, "RETNTION_RAW_DAYS: unknown setting (%s line 2)", path);
    is_str(error, expected, "with its line");
    path = file_of("settings", "LOG_LEVEL info\n");
    ok(!load_with(&config, path, NULL), "so does a line without =");
    snprintf(expected, sizeof expected, "%s line 1: NAME=VALUE expected, not \"LOG_LEVEL info\"",
             path);
    is_str(error, expected, "with its line");
    path = file_of("settings", "LOG_LEVEL=info\nLOG_LEVEL=warn\n");
    ok(!load_with(&config, path, NULL), "so does a name that stands twice");
    ok(!load_with(&config, NULL, ENV("PUBLIC_URL", "http://a", "PUBLIC_URL_FILE", path)),
       "or a secret given both ways");
    ok(strstr(error, "PUBLIC_URL: set twice") == error, "and it is named");
    ok(!load_with(&config, "/nonexistent/settings", NULL),
       "a missing --config file stops the start");
    path = file_of("empty", " \n");
    ok(!load_with(&config, NULL, ENV("S3_SECRET_KEY_FILE", path)), "an empty secret's file too");
    ok(!load_with(&config, NULL,
                  ENV("TIDEMARK_HOME", "/a/home/whose/name/is/so/long/that/no/unix/socket/in/it/"
                                       "could/ever/be/bound/to/its/path")),
       "and a home too long for sockets that is not there to be opened");
}

/* Each row has what printing and the README need. */
static void test_table(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    config_print(out, true);
    fclose(out);
    for (int i = 0; i < n_settings; i++) {
        char cell[64];
        snprintf(cell, sizeof cell, "| `%s`", settings[i].name);
        ok(settings[i].help[0] && strstr(text, cell) && !strchr(settings[i].help, '|'),
           "%s is explained and printed", settings[i].name);
    }
    free(text);
}

int main(void)
{
    if (!mkdtemp(directory)) {
        return 2;
    }
    test_defaults();
    test_sources();
    test_secret_files();
    test_s3();
    test_refusals();
    test_file_refusals();
    test_table();
    static const char *const names[] = { "settings", "url", "tokens", "empty" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(file_of(names[i], ""));
    }
    rmdir(directory);
    return done_testing();
}
