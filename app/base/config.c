/* Reading the settings. Answers for where they come from (a file, the environment, a file
 * named by NAME_FILE), their form and their ranges; the table is config_table.c's. Called
 * once by each command before anything else. */
#include "base/config.h"

#include "base/config_table.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_SETTINGS 64
#define MAX_FILE_BYTES (64u << 10) /* a secret or a --config file */

extern char **environ;

/* Where the values stand until all are known. */
struct source {
    const char *values[MAX_SETTINGS]; /* by row of the table; NULL: not set */
    bool is_from_file[MAX_SETTINGS];  /* the value is the name of a file that holds it */
};

struct loader {
    struct config *config;
    struct arena *memory;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct loader *loader, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(loader->error, loader->error_size, format, args);
    va_end(args);
    return false;
}

/* ---- names ---- */

/* Rows whose names we own: an unknown one in the environment is a misspelt setting. Not
 * OTEL_, which other programs' settings share. */
static bool has_our_prefix(struct str name)
{
    static const char *const prefixes[] = {
        "TIDEMARK_", "DATABASE_", "DB_",  "S3_",  "ARCHIVE_",   "RETENTION_",      "BACKUP_FOLDER",
        "SITE_",     "INGEST_",   "WEB_", "LOG_", "PUBLIC_URL", "TRUSTED_PROXIES", "RESTORE_DRILL_",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (str_starts_with(name, str_of(prefixes[i]))) {
            return true;
        }
    }
    return false;
}

/* The row of a name or of a name with _FILE; -1 when there is none. */
static int find_setting(struct str name, bool *is_from_file)
{
    struct str suffix = STR("_FILE");
    struct str stem = name;

    if (name.len > suffix.len) {
        struct str tail = { name.ptr + name.len - suffix.len, suffix.len };
        stem.len -= str_equal(tail, suffix) ? suffix.len : 0;
    }
    for (int i = 0; i < n_settings; i++) {
        struct str known = str_of(settings[i].name);
        *is_from_file = false;
        if (str_equal(name, known)) {
            return i;
        }
        *is_from_file = true;
        if (stem.len < name.len && str_equal(stem, known) && setting_has_file(&settings[i])) {
            return i;
        }
    }
    return -1;
}

/* Notes one NAME=VALUE. `origin` says where it stands, for the error. */
static bool take_assignment(struct loader *loader, struct source *source, struct str name,
                            const char *value, const char *origin)
{
    bool is_from_file;
    int row = find_setting(name, &is_from_file);

    if (row < 0) {
        return refuse(loader, "%.*s: unknown setting (%s)", (int)name.len, name.ptr, origin);
    }
    if (value[0] == '\0') {
        return true;
    }
    if (source->values[row]) {
        return refuse(loader, "%s: set twice (%s)", settings[row].name, origin);
    }
    source->values[row] = value;
    source->is_from_file[row] = is_from_file;
    return true;
}

/* ---- files ---- */

/* The content of a file, NUL-terminated; NULL with the error. `subject` begins the error. */
static char *read_file(struct loader *loader, const char *path, const char *subject)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        refuse(loader, "%s: cannot read %s: %s", subject, path, strerror(errno));
        return NULL;
    }
    char *content = arena_alloc(loader->memory, MAX_FILE_BYTES + 1);
    size_t length = content ? fread(content, 1, MAX_FILE_BYTES + 1, file) : 0;
    bool is_whole = content && !ferror(file) && length <= MAX_FILE_BYTES;
    fclose(file);
    if (!is_whole || memchr(content, '\0', length)) {
        refuse(loader, "%s: %s is not a text file of at most %u bytes", subject, path,
               MAX_FILE_BYTES);
        return NULL;
    }
    content[length] = '\0';
    return content;
}

static struct str unquoted(struct str text)
{
    bool is_quoted = text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\'') &&
                     text.ptr[text.len - 1] == text.ptr[0];
    return is_quoted ? (struct str){ text.ptr + 1, text.len - 2 } : text;
}

/* One line of the --config file: KEY=VALUE, a comment or nothing. */
static bool take_line(struct loader *loader, struct source *source, struct str line,
                      const char *origin)
{
    struct str value = str_trim(line);

    if (value.len == 0 || value.ptr[0] == '#') {
        return true;
    }
    struct str name = str_trim(str_cut(&value, '='));
    if (!value.ptr || name.len == 0) {
        return refuse(loader, "%s: NAME=VALUE expected, not \"%.*s\"", origin, (int)name.len,
                      name.ptr);
    }
    if (str_starts_with(name, STR("OTEL_")) && find_setting(name, &(bool){ false }) < 0) {
        return true;
    }
    char *copy = arena_copy(loader->memory, unquoted(str_trim(value)));
    return copy ? take_assignment(loader, source, name, copy, origin)
                : refuse(loader, "%s: no memory", origin);
}

static bool take_config_file(struct loader *loader, struct source *source, const char *path)
{
    char *content = read_file(loader, path, "--config");
    if (!content) {
        return false;
    }
    struct str rest = str_of(content);
    for (int number = 1; rest.ptr; number++) {
        char *origin = arena_printf(loader->memory, "%s line %d", path, number);
        if (!origin) {
            return refuse(loader, "%s: no memory", path);
        }
        if (!take_line(loader, source, str_cut(&rest, '\n'), origin)) {
            return false;
        }
    }
    return true;
}

static bool take_environment(struct loader *loader, struct source *source)
{
    for (char **at = environ; at && *at; at++) {
        struct str value = str_of(*at);
        struct str name = str_cut(&value, '=');
        bool is_from_file;
        if (!value.ptr || (!has_our_prefix(name) && find_setting(name, &is_from_file) < 0)) {
            continue;
        }
        /* Copied: a later setenv may move the environment. */
        char *copy = arena_copy(loader->memory, value);
        if (!copy) {
            return refuse(loader, "%.*s: no memory", (int)name.len, name.ptr);
        }
        if (!take_assignment(loader, source, name, copy, "environment")) {
            return false;
        }
    }
    return true;
}

/* ---- values ---- */

static bool store_int(struct loader *loader, const struct setting *row, const char *value, int *out)
{
    long long number;

    if (!str_to_int64(str_of(value), &number) || number < row->min || number > row->max) {
        return refuse(loader, "%s: a number from %d to %d expected, not \"%s\"", row->name,
                      row->min, row->max, value);
    }
    *out = (int)number;
    return true;
}

/* The index of `value` among `n` names, or -1 with the error. */
static int choose(struct loader *loader, const struct setting *row, const char *value,
                  const char *const names[], int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(value, names[i]) == 0) {
            return i;
        }
    }
    refuse(loader, "%s: %s expected, not \"%s\"", row->name,
           row->type == SETTING_BOOL ? "0 or 1" : row->help, value);
    return -1;
}

static bool is_url(struct str text, struct str scheme, struct str other_scheme)
{
    struct str prefix = str_starts_with(text, scheme) ? scheme : other_scheme;
    if (!str_starts_with(text, prefix) || text.len == prefix.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* "name=url,url": each url for itself. */
static bool are_urls(struct str list)
{
    while (list.ptr) {
        struct str item = str_trim(str_cut(&list, ','));
        bool is_named =
            !str_starts_with(item, STR("http")) && item.len > 0 && memchr(item.ptr, '=', item.len);
        if (is_named) {
            str_cut(&item, '=');
        }
        if (!is_url(item, STR("http://"), STR("https://"))) {
            return false;
        }
    }
    return true;
}

/* Secrets are not repeated in the error. */
static bool check_url(struct loader *loader, const struct setting *row, const char *value)
{
    struct str text = str_of(value);

    if (row->type == SETTING_DATABASE_URL) {
        /* libpq's other form, "host=… dbname=…", will do as well. */
        return is_url(text, STR("postgresql://"), STR("postgres://")) ||
               (text.len > 0 && memchr(text.ptr, '=', text.len) && !strstr(value, "://")) ||
               refuse(loader, "%s: a URL beginning postgresql://, or name=value pairs, expected",
                      row->name);
    }
    bool is_good = row->type == SETTING_HTTP_URLS ? are_urls(text)
                                                  : is_url(text, STR("http://"), STR("https://"));
    return is_good || refuse(loader, "%s: a URL beginning http:// or https:// expected, not \"%s\"",
                             row->name, value);
}

/* An absolute form of the path, which need not exist. */
static const char *absolute(struct loader *loader, const char *path)
{
    if (path[0] == '/') {
        return path;
    }
    char directory[4096];
    if (!getcwd(directory, sizeof directory)) {
        return NULL;
    }
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
    }
    return arena_printf(loader->memory, "%s/%s", directory, path);
}

static bool store(struct loader *loader, const struct setting *row, const char *value)
{
    static const char *const bools[] = { "0", "1" };
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    static const char *const formats[] = { "logfmt", "json" };
    void *field = (char *)loader->config + row->offset;
    int chosen;

    switch (row->type) {
    case SETTING_TOOL: return true;
    case SETTING_INT: return store_int(loader, row, value, field);
    case SETTING_BOOL:
        chosen = choose(loader, row, value, bools, 2);
        *(bool *)field = chosen == 1;
        return chosen >= 0;
    case SETTING_LEVEL:
        chosen = choose(loader, row, value, levels, 4);
        *(enum log_level *)field = (enum log_level)chosen;
        return chosen >= 0;
    case SETTING_FORMAT:
        chosen = choose(loader, row, value, formats, 2);
        *(enum log_format *)field = (enum log_format)chosen;
        return chosen >= 0;
    case SETTING_PATH:
        *(const char **)field = absolute(loader, value);
        return *(const char **)field || refuse(loader, "%s: no working directory", row->name);
    case SETTING_TEXT: *(const char **)field = value; return true;
    default: *(const char **)field = value; return check_url(loader, row, value);
    }
}

/* The value of a row: the environment's, else the file's, else the default. */
static bool settle(struct loader *loader, int i, const struct source *environment,
                   const struct source *file)
{
    const struct setting *row = &settings[i];
    const struct source *source = environment->values[i] ? environment : file;
    const char *value = source->values[i];

    if (value && source->is_from_file[i]) {
        char *content = read_file(loader, value, row->name);
        if (!content) {
            return false;
        }
        struct str text = str_trim(str_of(content));
        content[(size_t)(text.ptr - content) + text.len] = '\0';
        if (text.len == 0) {
            return refuse(loader, "%s: %s is empty", row->name, value);
        }
        value = text.ptr;
    }
    value = value ? value : row->fallback;
    return !value || store(loader, row, value);
}

/* A home whose path is too long for a socket's is used by way of a descriptor of it, which
 * stays open as long as the process lives; deploy/run does the same for what it starts. */
static bool shorten_home(struct loader *loader)
{
    struct config *config = loader->config;

    if (strlen(config->home) <= MAX_HOME_BYTES) {
        return true;
    }
    int directory = open(config->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return refuse(loader, "TIDEMARK_HOME: cannot open %s: %s", config->home, strerror(errno));
    }
    config->home = arena_printf(loader->memory, "/proc/self/fd/%d", directory);
    return config->home || refuse(loader, "no memory for the settings");
}

/* What no row can say alone. */
static bool check_together(struct loader *loader)
{
    const struct config *config = loader->config;

    if (config->pool_min > config->pool_max) {
        return refuse(loader, "DB_POOL_MIN_SIZE: %d is more than DB_POOL_MAX_SIZE, %d",
                      config->pool_min, config->pool_max);
    }
    const char *missing = !config->s3_bucket       ? "S3_BUCKET"
                          : !config->s3_access_key ? "S3_ACCESS_KEY"
                          : !config->s3_secret_key ? "S3_SECRET_KEY"
                                                   : NULL;
    return !config->s3_endpoint || !missing ||
           refuse(loader, "%s: needed with S3_ENDPOINT", missing);
}

static bool load(struct loader *loader, const char *path)
{
    struct source environment = { 0 };
    struct source file = { 0 };

    if ((path && !take_config_file(loader, &file, path)) ||
        !take_environment(loader, &environment)) {
        return false;
    }
    for (int i = 0; i < n_settings; i++) {
        if (!settle(loader, i, &environment, &file)) {
            return false;
        }
    }
    return check_together(loader) && shorten_home(loader);
}

bool config_load(struct config *config, const char *path, char *error, size_t error_size)
{
    *config = (struct config){ .memory = arena_new(CONFIG_ARENA_BYTES) };
    struct loader loader = { .config = config, .memory = config->memory };

    loader.error = error;
    loader.error_size = error_size;
    if (!config->memory) {
        return refuse(&loader, "no memory for the settings");
    }
    if (!load(&loader, path)) {
        config_free(config);
        return false;
    }
    return true;
}

void config_free(struct config *config)
{
    arena_free(config->memory);
    config->memory = NULL;
}
