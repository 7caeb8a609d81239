/* Connection strings of the roles. Answers for deriving a role's from the owner's and for
 * the embedded cluster's; opening them is conn.c's. Strings are built in the keyword form,
 * because a URI cannot say everything that the keyword form can. */
#include "db/url.h"

#include "base/buf.h"
#include "db/pq.h"
#include "db/private_url.h"

#define MAX_URL_BYTES 8192

static const char *const role_names[] = {
    [DB_ROLE_OWNER] = "tidemark_owner",       [DB_ROLE_WEB] = "tidemark_web",
    [DB_ROLE_INGEST] = "tidemark_ingest",     [DB_ROLE_WORKER] = "tidemark_worker",
    [DB_ROLE_OPERATOR] = "tidemark_operator", [DB_ROLE_READ] = "tidemark_read",
    [DB_ROLE_BACKUP] = "tidemark_backup",
};

const char *db_role_name(enum db_role role)
{
    return role_names[role];
}

const char *db_url_explicit(const struct config *config, enum db_role role)
{
    switch (role) {
    case DB_ROLE_OWNER: return config->database_url;
    case DB_ROLE_WEB: return config->database_web_url;
    case DB_ROLE_INGEST: return config->database_ingest_url;
    case DB_ROLE_WORKER: return config->database_worker_url;
    case DB_ROLE_OPERATOR: return config->database_operator_url;
    case DB_ROLE_READ: return config->database_read_url;
    case DB_ROLE_BACKUP: return config->database_backup_url;
    }
    return NULL;
}

/* keyword='value' with quotes and backslashes escaped, as libpq reads it. */
static void add_setting(struct buf *out, const char *keyword, const char *value)
{
    if (!value) {
        return;
    }
    if (out->len > 0) {
        buf_add_char(out, ' ');
    }
    buf_add_text(out, keyword);
    buf_add_text(out, "='");
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, *value);
    }
    buf_add_char(out, '\'');
}

static enum err take_text(struct op *op, struct buf *buf, const char **out)
{
    buf_add_char(buf, '\0');
    *out = buf->data;
    return buf->is_broken
               ? fail(op, ERR_INVALID, "a connection string is longer than %d bytes", MAX_URL_BYTES)
               : OK;
}

/* libpq's own reading of a connection string. The caller frees *out. */
static enum err parse(struct op *op, const char *url, PQconninfoOption **out)
{
    char *message = NULL;
    char line[256];
    *out = PQconninfoParse(url, &message);
    if (*out) {
        return OK;
    }
    /* the message may quote the string, and with it the password */
    db_error_line(message, line, sizeof line);
    bool is_quoting = strchr(line, '"') != NULL;
    PQfreemem(message);
    return fail(op, ERR_INVALID, "DATABASE_URL or another database URL is malformed%s%s",
                is_quoting ? "" : ": ", is_quoting ? "" : line);
}

static const char *find_setting(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0) {
            return options->val;
        }
    }
    return NULL;
}

/* A copy of a setting in the op's arena; NULL stays NULL. */
static enum err copy_setting(struct op *op, const PQconninfoOption *options, const char *keyword,
                             const char **out)
{
    const char *value = find_setting(options, keyword);
    *out = value ? arena_copy(op->arena, str_of(value)) : NULL;
    return value && !*out ? fail_memory(op) : OK;
}

enum err db_url_login(struct op *op, const char *url, struct db_login *out)
{
    PQconninfoOption *options;
    enum err err = parse(op, url, &options);
    if (err) {
        return err;
    }
    err = copy_setting(op, options, "user", &out->user);
    if (!err) {
        err = copy_setting(op, options, "password", &out->password);
    }
    PQconninfoFree(options);
    return err;
}

static bool is_login_setting(const char *keyword)
{
    return strcmp(keyword, "user") == 0 || strcmp(keyword, "password") == 0 ||
           strcmp(keyword, "passfile") == 0;
}

enum err db_url_with_login(struct op *op, const char *url, const struct db_login *login,
                           const char **out)
{
    PQconninfoOption *options;
    struct buf text;
    enum err err = parse(op, url, &options);
    if (err) {
        return err;
    }
    buf_init(&text, op->arena, MAX_URL_BYTES);
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        if (!is_login_setting(option->keyword)) {
            add_setting(&text, option->keyword, option->val);
        }
    }
    if (!find_setting(options, "dbname")) {
        /* libpq's default is the user's name: that of the user being replaced */
        add_setting(&text, "dbname", find_setting(options, "user"));
    }
    add_setting(&text, "user", login->user);
    add_setting(&text, "password", login->password);
    PQconninfoFree(options);
    return take_text(op, &text, out);
}

enum err db_url_embedded(struct op *op, const char *home, const struct db_login *login,
                         const char **out)
{
    struct buf text;
    const char *folder = arena_printf(op->arena, "%s/run", home);
    if (!folder) {
        return fail_memory(op);
    }
    buf_init(&text, op->arena, MAX_URL_BYTES);
    add_setting(&text, "host", folder);
    add_setting(&text, "port", "5432"); /* in the socket's name; PGPORT must not change it */
    add_setting(&text, "dbname", "tidemark");
    add_setting(&text, "user", login->user);
    add_setting(&text, "password", login->password);
    return take_text(op, &text, out);
}

enum err db_role_url(struct op *op, const struct config *config, enum db_role role,
                     const char **out)
{
    struct db_login login = { .user = db_role_name(role) };
    *out = db_url_explicit(config, role);
    if (*out) {
        return OK;
    }
    if (role != DB_ROLE_OWNER) {
        enum err err = db_secret_read(op, config->home, login.user, &login.password);
        if (err == ERR_NOT_FOUND) {
            op_clear_fault(op);
            return fail(op, ERR_UNAVAILABLE,
                        "no password for %s in %s/secrets: run `tidemark migrate` first",
                        login.user, config->home);
        }
        if (err) {
            return err;
        }
    }
    return config->database_url ? db_url_with_login(op, config->database_url, &login, out)
                                : db_url_embedded(op, config->home, &login, out);
}

enum err db_super_url(struct op *op, const struct config *config, const char **out)
{
    const struct db_login super = { .user = "tidemark_super" };

    *out = config->database_url;
    return *out ? OK : db_url_embedded(op, config->home, &super, out);
}

enum err db_url_with_database(struct op *op, const char *url, const char *database,
                              const char **out)
{
    PQconninfoOption *options;
    struct buf text;
    enum err err = parse(op, url, &options);
    if (err) {
        return err;
    }
    buf_init(&text, op->arena, MAX_URL_BYTES);
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        if (strcmp(option->keyword, "dbname") != 0) {
            add_setting(&text, option->keyword, option->val);
        }
    }
    add_setting(&text, "dbname", database);
    PQconninfoFree(options);
    return take_text(op, &text, out);
}

static enum err list_variables(struct op *op, const PQconninfoOption *options, const char **list)
{
    bool has_database = find_setting(options, "dbname") != NULL;
    int n = 0;
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        const char *value = option->val;
        if (!has_database && strcmp(option->keyword, "dbname") == 0) {
            value = find_setting(options, "user"); /* as libpq does */
        }
        if (value && option->envvar) {
            list[n] = arena_printf(op->arena, "%s=%s", option->envvar, value);
            if (!list[n++]) {
                return fail_memory(op);
            }
        }
    }
    list[n] = NULL;
    return OK;
}

enum err db_url_environment(struct op *op, const char *url, const char ***out)
{
    PQconninfoOption *options;
    enum err err = parse(op, url, &options);
    if (err) {
        return err;
    }
    size_t n = 1;
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        n++;
    }
    *out = arena_array(op->arena, n, sizeof **out);
    err = *out ? list_variables(op, options, *out) : fail_memory(op);
    PQconninfoFree(options);
    return err;
}
