/* The operator's connection for one command. Called by cmd_tenant, cmd_user and cmd_token. */
#include "serve/operator.h"

#include "base/clock.h"
#include "db/conn.h"
#include "db/url.h"
#include "domain/account.h"
#include "serve/commands.h"
#include "serve/options.h"

#define OPERATOR_ARENA_BYTES (64u << 20) /* the longest list of tokens */

static void print_verbs(FILE *out, const char *command, const struct verb *verbs)
{
    fprintf(out, "usage: tidemark %s VERB [ARGUMENT…]\n\n", command);
    for (; verbs->name; verbs++) {
        fprintf(out, "  %-8s %s\n", verbs->name, verbs->help);
    }
    fprintf(out, "\nEvery verb has --help.\n");
}

int operator_verb(const struct config *config, int argc, char **argv, const struct verb *verbs)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_verbs(stdout, argv[0], verbs);
        return EXIT_OK;
    }
    for (const struct verb *verb = verbs; argc > 1 && verb->name; verb++) {
        if (strcmp(verb->name, argv[1]) == 0) {
            return verb->run(config, argc - 1, argv + 1);
        }
    }
    if (argc > 1) {
        fprintf(stderr, "tidemark: there is no %s %s\n", argv[0], argv[1]);
    }
    print_verbs(stderr, argv[0], verbs);
    return EXIT_USAGE;
}

bool operator_confirms(const char *name)
{
    char answer[512]; /* longer than any e-mail */

    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr,
                "tidemark: nothing was removed: --yes is needed where nobody can be asked\n");
        return false;
    }
    fprintf(stderr, "Everything of %s will be gone. Type %s to go on: ", name, name);
    if (!fgets(answer, sizeof answer, stdin) ||
        !str_equal(str_trim(str_of(answer)), str_of(name))) {
        fprintf(stderr, "tidemark: nothing was removed\n");
        return false;
    }
    return true;
}

enum err operator_open(struct operator_session *session, const struct config *config)
{
    const char *url;

    *session = (struct operator_session){ .arena = arena_new(OPERATOR_ARENA_BYTES) };
    if (!session->arena) {
        return ERR_UNAVAILABLE;
    }
    op_init(&session->op, session->arena, "command");
    enum err err = db_role_url(&session->op, config, DB_ROLE_OPERATOR, &url);
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark command" };
    session->conn = db_conn_new(&options);
    if (!session->conn) {
        return fail_memory(&session->op);
    }
    return db_begin(&session->op, session->conn, DB_WRITE, 0, &session->tx);
}

int operator_close(struct operator_session *session, enum err err)
{
    err = db_end(session->tx, err);
    session->tx = NULL;
    if (err != OK && session->arena) {
        options_complain(&session->op);
    }
    return err == OK ? EXIT_OK : EXIT_FAILED;
}

void operator_free(struct operator_session *session)
{
    db_conn_close(session->conn);
    arena_free(session->arena);
}

const char *operator_time(struct operator_session *session, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    const char *copy = time_us == ACCOUNT_NEVER
                           ? "-"
                           : arena_copy(session->arena, str_of(clock_format(time_us, text)));

    return copy ? copy : "-";
}
