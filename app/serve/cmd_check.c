/* `tidemark check`: asks every part whether it is well; for people and for monitors. */
#include "base/op.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "db/url.h"
#include "objects/store.h"
#include "serve/commands.h"
#include "serve/listen.h"
#include "serve/options.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/time.h>

#define LISTEN_HOST_SIZE 64
#define CHECK_ARENA_BYTES (4u << 20)
#define ANSWER_SECONDS 5

static const struct options_help HELP = {
    .usage = "tidemark check",
    .about = "Prints a line for each part: ok or FAILED, what it is, and why. Exit status 0 when\n"
             "all are well, 1 when one is not.",
};

struct check {
    const struct config *config;
    struct op *op;
    char why[600]; /* of a failure */
};

static bool explain(struct check *check, enum err err)
{
    if (err != OK) {
        (void)snprintf(check->why, sizeof check->why, "%s", check->op->fault.detail);
        op_clear_fault(check->op);
    }
    return err == OK;
}

static enum err ask_schema(struct check *check, enum db_role role)
{
    struct op *op = check->op;
    struct db_tx *tx;
    const char *url;
    enum err err = db_role_url(op, check->config, role, &url);

    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url,
                                  .name = "tidemark check",
                                  .statement_timeout_ms = ANSWER_SECONDS * 1000 };
    struct db_conn *conn = db_conn_new(&options);
    if (!conn) {
        return fail_memory(op);
    }
    err = db_begin(op, conn, DB_READ, 0, &tx);
    if (err == OK) {
        err = db_schema_check(tx);
        db_rollback(tx);
    }
    db_conn_close(conn);
    return err;
}

static bool check_web_role(struct check *check)
{
    return explain(check, ask_schema(check, DB_ROLE_WEB));
}

static bool check_ingest_role(struct check *check)
{
    return explain(check, ask_schema(check, DB_ROLE_INGEST));
}

static bool check_worker_role(struct check *check)
{
    return explain(check, ask_schema(check, DB_ROLE_WORKER));
}

static bool check_socket(struct check *check, const char *name)
{
    const char *path = arena_printf(check->op->arena, "%s/run/%s", check->config->home, name);

    (void)snprintf(check->why, sizeof check->why, "nobody listens at %s", path ? path : name);
    return path && listen_is_answered(path);
}

static bool check_export_socket(struct check *check)
{
    return check_socket(check, "export.sock");
}

static bool check_web_socket(struct check *check)
{
    return check_socket(check, "web.sock");
}

static bool check_ingest_socket(struct check *check)
{
    return check_socket(check, "ingest.sock");
}

static bool check_upload_socket(struct check *check)
{
    return check_socket(check, "upload.sock");
}

static bool check_object_store(struct check *check)
{
    struct store *store = NULL;
    enum err err = store_open(check->op, check->config, &store);

    if (err == OK) {
        err = store_check(store, check->op);
    }
    store_close(store);
    return explain(check, err);
}

/* GET `path` of our own nginx; true for a 200. */
static bool is_answered_200(int fd, const char *path)
{
    struct timeval patience = { .tv_sec = ANSWER_SECONDS };
    char text[256];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len) {
        return false;
    }
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_WAITALL);
    struct str answer = { text, n > 0 ? (size_t)n : 0 };
    return str_starts_with(answer, STR("HTTP/1.1 200")) ||
           str_starts_with(answer, STR("HTTP/1.0 200"));
}

/* Reads "HOST PORT" from the note of a running instance. False when there is none to be read. */
static bool read_listen_note(const char *path, char host[LISTEN_HOST_SIZE], int *port)
{
    FILE *note = path ? fopen(path, "re") : NULL;
    char line[LISTEN_HOST_SIZE + 16];
    bool is_read = note && fgets(line, sizeof line, note);

    if (note) {
        (void)fclose(note);
    }
    struct str rest = is_read ? str_trim(str_of(line)) : STR("");
    struct str name = str_cut(&rest, ' ');
    long long number = 0;
    if (name.len == 0 || name.len >= LISTEN_HOST_SIZE || !str_to_int64(rest, &number) ||
        number < 1 || number > UINT16_MAX) {
        return false;
    }
    (void)snprintf(host, LISTEN_HOST_SIZE, "%.*s", (int)name.len, name.ptr);
    *port = (int)number;
    return true;
}

/* Where nginx listens: deploy/run notes it for the instance that it runs; else the settings. */
static void find_nginx(const struct check *check, char host[LISTEN_HOST_SIZE], int *port)
{
    const char *path = arena_printf(check->op->arena, "%s/run/listen", check->config->home);

    if (!read_listen_note(path, host, port)) {
        (void)snprintf(host, LISTEN_HOST_SIZE, "%s", check->config->bind);
        *port = check->config->port;
    }
    if (strcmp(host, "0.0.0.0") == 0) {
        (void)snprintf(host, LISTEN_HOST_SIZE, "127.0.0.1");
    }
}

static bool check_nginx(struct check *check)
{
    char host[LISTEN_HOST_SIZE];
    int port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    find_nginx(check, host, &port);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    (void)snprintf(check->why, sizeof check->why, "http://%s:%d/v1/readyz does not answer 200",
                   host, port);
    bool is_well = fd >= 0 && inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
                   connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   is_answered_200(fd, "/v1/readyz");
    if (fd >= 0) {
        close(fd);
    }
    return is_well;
}

int cmd_check(const struct config *config, int argc, char **argv)
{
    static const struct {
        const char *what;
        bool (*is_well)(struct check *check);
    } CHECKS[] = {
        { "database and schema, as web", check_web_role },
        { "database and schema, as ingest", check_ingest_role },
        { "database and schema, as worker", check_worker_role },
        { "web processes", check_web_socket },
        { "export processes", check_export_socket },
        { "ingest process", check_ingest_socket },
        { "upload process", check_upload_socket },
        { "object store", check_object_store },
        { "nginx", check_nginx },
    };
    int status = options_none(argc, argv, &HELP);
    struct arena *arena = status < 0 ? arena_new(CHECK_ARENA_BYTES) : NULL;
    struct op op;

    if (!arena) {
        return status < 0 ? EXIT_FAILED : status;
    }
    op_init(&op, arena, "check");
    struct check check = { .config = config, .op = &op };
    status = EXIT_OK;
    for (size_t i = 0; i < sizeof CHECKS / sizeof CHECKS[0]; i++) {
        bool is_well = CHECKS[i].is_well(&check);
        printf("%-7s %s%s%s\n", is_well ? "ok" : "FAILED", CHECKS[i].what, is_well ? "" : ": ",
               is_well ? "" : check.why);
        status = is_well ? status : EXIT_FAILED;
    }
    arena_free(arena);
    return status;
}
