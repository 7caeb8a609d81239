/* Connection strings of the roles and the files of their passwords. Needs no server. */
#include "tap.h"

#include "base/crypto.h"
#include "db/private_url.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static struct op op;
static char home[] = "/tmp/tidemark-url-XXXXXX";

static void reset(void)
{
    arena_reset(arena);
    op_init(&op, arena, "test");
}

static const struct {
    const char *name, *url, *expected; /* expected NULL: malformed */
} with_login_cases[] = {
    { "a URI keeps server, database and TLS",
      "postgresql://admin:pw@db.example:6543/tm?sslmode=verify-full&sslrootcert=/ca.pem",
      "dbname='tm' host='db.example' port='6543' sslmode='verify-full' sslrootcert='/ca.pem' "
      "user='tidemark_web' password='s3cret'" },
    { "the keyword form too", "host=/run/pg dbname=tm user=admin password=pw",
      "dbname='tm' host='/run/pg' user='tidemark_web' password='s3cret'" },
    { "a socket in a URI", "postgres:///tm?host=/run/pg&user=admin",
      "dbname='tm' host='/run/pg' user='tidemark_web' password='s3cret'" },
    { "several hosts", "postgresql://a:1,b:2/tm?target_session_attrs=read-write",
      "dbname='tm' host='a,b' port='1,2' target_session_attrs='read-write' user='tidemark_web' "
      "password='s3cret'" },
    { "a database named like the user by default stays that one", "postgresql://admin@h",
      "host='h' dbname='admin' user='tidemark_web' password='s3cret'" },
    { "quotes and backslashes survive", "host='/a b' dbname='it\\'s \\\\'",
      "dbname='it\\'s \\\\' host='/a b' user='tidemark_web' password='s3cret'" },
    { "a password file of the owner is not the role's", "host=h dbname=d passfile=/root/.pgpass",
      "dbname='d' host='h' user='tidemark_web' password='s3cret'" },
    { "nonsense is refused", "postgresql://[::1", NULL },
    { "an unknown keyword is refused", "host=h frobnicate=1", NULL },
};

static bool has_variable(const char *const *list, const char *expected)
{
    for (; *list; list++) {
        if (strcmp(*list, expected) == 0) {
            return true;
        }
    }
    return false;
}

static void test_environment(void)
{
    const char **list = NULL;
    const char *url = "postgresql://ann:p%20w@db.example:6543/tm?sslmode=verify-full";

    ok(db_url_environment(&op, url, &list) == OK && has_variable(list, "PGHOST=db.example") &&
           has_variable(list, "PGPORT=6543") && has_variable(list, "PGDATABASE=tm") &&
           has_variable(list, "PGUSER=ann") && has_variable(list, "PGPASSWORD=p w") &&
           has_variable(list, "PGSSLMODE=verify-full"),
       "what a connection string says is in the environment of a program");
    reset();
    ok(db_url_environment(&op, "host=h user=ann", &list) == OK &&
           has_variable(list, "PGDATABASE=ann"),
       "a database named like the user by default is that one");
    reset();
    is_int(db_url_environment(&op, "host=h frobnicate=1", &list), ERR_INVALID,
           "nonsense has no environment");
    reset();
}

/* The same settings, in whatever order libpq lists them. */
static bool has_same_words(const char *got, const char *expected)
{
    if (!got || strlen(got) != strlen(expected)) {
        return false;
    }
    struct str rest = str_of(expected);
    while (rest.ptr) {
        struct str word = str_cut(&rest, ' ');
        char *copy = arena_copy(arena, word);
        if (!copy || !strstr(got, copy)) {
            return false;
        }
    }
    return true;
}

static void test_with_login(void)
{
    const struct db_login login = { .user = "tidemark_web", .password = "s3cret" };
    for (size_t i = 0; i < sizeof with_login_cases / sizeof with_login_cases[0]; i++) {
        const char *url = NULL;
        enum err err = db_url_with_login(&op, with_login_cases[i].url, &login, &url);
        if (with_login_cases[i].expected) {
            ok(err == OK && has_same_words(url, with_login_cases[i].expected), "%s",
               with_login_cases[i].name);
        } else {
            is_int(err, ERR_INVALID, "%s", with_login_cases[i].name);
            ok(!strstr(op.fault.detail, "s3cret"), "and its password is not shown");
        }
        reset();
    }
    const char *url;
    struct db_login found;
    is_int(db_url_with_login(&op, "postgresql://u:s3cret@[::1", &login, &url), ERR_INVALID,
           "a malformed URI with a password is refused");
    ok(!strstr(op.fault.detail, "s3cret"), "without showing it: %s", op.fault.detail);
    reset();
    ok(db_url_login(&op, "postgresql://u%40x:p%2F@h/d", &found) == OK &&
           strcmp(found.user, "u@x") == 0 && strcmp(found.password, "p/") == 0,
       "a login is read, percent signs decoded");
    ok(db_url_login(&op, "host=h", &found) == OK && !found.user && !found.password,
       "and may be missing");
    reset();
}

static void test_role_urls(void)
{
    struct config config = { .home = home };
    const char *url, *secret;
    bool is_new;
    is_int(db_role_url(&op, &config, DB_ROLE_WEB, &url), ERR_UNAVAILABLE,
           "without a password nothing is derived");
    ok(strstr(op.fault.detail, "tidemark migrate"), "and the way out is named: %s",
       op.fault.detail);
    reset();
    ok(db_role_url(&op, &config, DB_ROLE_OWNER, &url) == OK &&
           strstr(url, "user='tidemark_owner'") && !strstr(url, "password"),
       "the embedded cluster's owner logs in by its OS user");
    ok(db_secret_make(&op, home, "tidemark_web", &secret, &is_new) == OK && strlen(secret) == 32 &&
           is_new,
       "a password is made");
    ok(db_role_url(&op, &config, DB_ROLE_WEB, &url) == OK && strstr(url, secret) &&
           strstr(url, home) && strstr(url, "dbname='tidemark'") && strstr(url, "port='5432'"),
       "the embedded cluster's role gets socket and password");
    config.database_url = "postgresql://admin:pw@db/tm";
    ok(db_role_url(&op, &config, DB_ROLE_WEB, &url) == OK && strstr(url, secret) &&
           strstr(url, "host='db'") && !strstr(url, "admin"),
       "with DATABASE_URL the server is its");
    config.database_web_url = "postgresql://x@pooler/tm";
    ok(db_role_url(&op, &config, DB_ROLE_WEB, &url) == OK &&
           strcmp(url, config.database_web_url) == 0,
       "an explicit URL is taken as it is");
    ok(db_role_url(&op, &config, DB_ROLE_OWNER, &url) == OK &&
           strcmp(url, config.database_url) == 0,
       "DATABASE_URL is the owner's");
    reset();
}

static void test_secrets(void)
{
    const char *first, *second;
    bool is_new;
    struct stat file, folder;
    char path[128];
    ok(db_secret_make(&op, home, "tidemark_read", &first, &is_new) == OK &&
           db_secret_make(&op, home, "tidemark_read", &second, &is_new) == OK &&
           strcmp(first, second) == 0 && !is_new,
       "a kept password stays");
    ok(db_secret_make(&op, home, "tidemark_worker", &second, &is_new) == OK &&
           strcmp(first, second) != 0,
       "each role has its own");
    snprintf(path, sizeof path, "%s/secrets/tidemark_read", home);
    ok(stat(path, &file) == 0 && (file.st_mode & 0777) == 0600, "only the owner reads the file");
    *strrchr(path, '/') = '\0';
    ok(stat(path, &folder) == 0 && (folder.st_mode & 0777) == 0700, "and enters the folder");
    snprintf(path, sizeof path, "%s/secrets/tidemark_ingest", home);
    FILE *empty = fopen(path, "w");
    ok(empty && fclose(empty) == 0 &&
           db_secret_read(&op, home, "tidemark_ingest", &first) == ERR_INTERNAL,
       "an empty file is no password");
    reset();
    is_int(db_secret_read(&op, home, "nobody", &first), ERR_NOT_FOUND, "a missing file is named");
    reset();
    ok(db_secret_make(&op, "/proc/tidemark", "tidemark_web", &first, &is_new) == ERR_INTERNAL,
       "a folder that cannot be made is a failure: %s", op.fault.detail);
    reset();
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a/b", home);
    ok(db_secret_make(&op, deep, "tidemark_web", &first, &is_new) == OK,
       "a home need not be there yet");
    reset();
}

/* Removes what the test made; its own names, nothing else. */
static void clean(void)
{
    static const char *const files[] = {
        "secrets/tidemark_web",
        "secrets/tidemark_read",
        "secrets/tidemark_worker",
        "secrets/tidemark_ingest",
        "secrets",
        "a/b/secrets/tidemark_web",
        "a/b/secrets",
        "a/b",
        "a",
    };
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", home, files[i]);
        remove(path);
    }
    rmdir(home);
}

int main(void)
{
    arena = arena_new(1u << 20);
    if (!arena || !crypto_open() || !mkdtemp(home)) {
        printf("Bail out! cannot start\n");
        return 1;
    }
    op_init(&op, arena, "test");
    test_with_login();
    test_environment();
    test_role_urls();
    test_secrets();
    clean();
    arena_free(arena);
    return done_testing();
}
