/* `tidemark user add|passwd|list|erase`. Passwords are read as one line of standard input, so that
 * they appear in no list of processes and no history. */
#include "auth/password.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "domain/account.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

#include <termios.h>

#define MAX_LINE_BYTES (MAX_PASSWORD_BYTES + 3) /* the longest password, CR, LF and NUL */

/* Reads the line, without echo where it is typed. */
static bool read_line(char line[MAX_LINE_BYTES])
{
    struct termios shown, hidden;
    bool is_typed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;

    if (is_typed) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        fputs("Password: ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool is_read = fgets(line, MAX_LINE_BYTES, stdin) != NULL;
    if (is_typed) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    return is_read;
}

/* The hash of a password read from standard input. */
static enum err read_password(struct op *op, const char *email, char hash[CRYPTO_PASSWORD_SIZE])
{
    char line[MAX_LINE_BYTES];

    if (!read_line(line)) {
        return fail(op, ERR_MALFORMED, "a password is expected as one line of standard input");
    }
    struct str password = { line, strcspn(line, "\r\n") };
    enum err err = password_check(op, password, str_of(email));
    if (err == OK && !crypto_password_hash(password, hash)) {
        err = fail(op, ERR_UNAVAILABLE, "no memory to hash the password");
    }
    explicit_bzero(line, sizeof line);
    return err;
}

/* ---- add ---- */

static const struct options_help ADD_HELP = {
    .usage = "tidemark user add --email E (--tenant SLUG --role viewer|admin | --operator | "
             "--operator-admin) [--name N]",
    .about = "Makes a person, with a password from standard input. For somebody who is there\n"
             "already, adds the membership and reads no password; an operator gets a new one, for\n"
             "admins of tenants make accounts and may know theirs.",
};

struct new_person {
    const char *email, *name, *tenant, *role;
    bool is_operator, is_operator_admin;
};

static int check_person(const struct new_person *person)
{
    int homes = (person->tenant != NULL) + person->is_operator + person->is_operator_admin;

    if (!person->email || !strchr(person->email, '@')) {
        return options_misused(&ADD_HELP, "--email needs an e-mail address");
    }
    if (homes != 1) {
        return options_misused(&ADD_HELP,
                               "one of --tenant, --operator and --operator-admin is needed");
    }
    if (person->tenant && (!person->role || (strcmp(person->role, "viewer") != 0 &&
                                             strcmp(person->role, "admin") != 0))) {
        return options_misused(&ADD_HELP, "--role needs viewer or admin");
    }
    if (!person->tenant && person->role) {
        return options_misused(&ADD_HELP, "--role belongs to --tenant");
    }
    return -1;
}

static enum err store_person(struct operator_session *session, const struct new_person *person,
                             bool *is_there)
{
    const char *operator_role = person->is_operator_admin ? "operator_admin"
                                : person->is_operator     ? "operator"
                                                          : NULL;
    char hash[CRYPTO_PASSWORD_SIZE] = "";
    enum err err = account_person_exists(session->tx, person->email, is_there);

    if (err == OK && (!*is_there || operator_role)) {
        err = read_password(&session->op, person->email, hash);
        if (err == OK) {
            err = account_person_add(session->tx, person->email, person->name, hash, operator_role);
        }
    }
    if (err == OK && *is_there && operator_role) {
        err = account_set_password(session->tx, person->email, hash);
    }
    if (err == OK && person->tenant) {
        err = account_membership_add(session->tx, person->email, person->tenant, person->role);
    }
    return err;
}

static int add(const struct config *config, int argc, char **argv)
{
    struct new_person person = { .email = NULL };
    const struct option_row rows[] = {
        { "--email", "E", "what the person logs in with", &person.email, NULL },
        { "--name", "N", "what the person is called", &person.name, NULL },
        { "--tenant", "SLUG", "whose member the person becomes", &person.tenant, NULL },
        { "--role", "viewer|admin", "in that tenant", &person.role, NULL },
        { "--operator", NULL, "runs the installation", NULL, &person.is_operator },
        { "--operator-admin", NULL, "and may change it", NULL, &person.is_operator_admin },
        { .name = NULL },
    };
    struct operator_session session;
    bool is_there = false;
    int status = options_parse(argc, argv, &ADD_HELP, rows, NULL);

    if (status < 0) {
        status = check_person(&person);
    }
    if (status >= 0) {
        return status;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = store_person(&session, &person, &is_there);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "%s %s%s\n", is_there ? "changed" : "made", person.email,
                !is_there       ? ""
                : person.tenant ? ", who had an account already: the password stays"
                                : ", who had an account already and has a new password");
    }
    operator_free(&session);
    return status;
}

/* ---- passwd, list, erase ---- */

static const struct options_help PASSWD_HELP = {
    .usage = "tidemark user passwd --email E",
    .about = "Sets a person's password from one line of standard input, and ends the sessions.",
};

static int passwd(const struct config *config, int argc, char **argv)
{
    const char *email = NULL, *word = NULL;
    const struct option_row rows[] = {
        { "--email", "E", "whose password", &email, NULL },
        { .name = NULL },
    };
    char hash[CRYPTO_PASSWORD_SIZE];
    struct operator_session session;
    struct option_words words = { &word, 1, 0 };
    int status = options_parse(argc, argv, &PASSWD_HELP, rows, &words);

    if (status >= 0) {
        return status;
    }
    email = email ? email : word; /* `user passwd E` too */
    if (!email || (words.n == 1 && email != word)) {
        return options_misused(&PASSWD_HELP, "whose password?");
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = read_password(&session.op, email, hash);
    }
    if (err == OK) {
        err = account_set_password(session.tx, email, hash);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "set the password of %s\n", email);
    }
    operator_free(&session);
    return status;
}

static const struct options_help LIST_HELP = {
    .usage = "tidemark user list [--tenant SLUG]",
    .about = "Lists persons, one a line: e-mail, name, operator's role, memberships.",
};

static int list(const struct config *config, int argc, char **argv)
{
    const struct person_record *persons = NULL;
    const char *tenant = NULL;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "only its members", &tenant, NULL },
        { .name = NULL },
    };
    struct operator_session session;
    int n = 0;
    int status = options_parse(argc, argv, &LIST_HELP, rows, NULL);

    if (status >= 0) {
        return status;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_person_list(session.tx, tenant, &persons, &n);
    }
    status = operator_close(&session, err);
    for (int i = 0; status == EXIT_OK && i < n; i++) {
        printf("%s\t%s\t%s\t%s\n", persons[i].email, persons[i].name, persons[i].operator_role,
               persons[i].memberships);
    }
    operator_free(&session);
    return status;
}

static const struct options_help ERASE_HELP = {
    .usage = "tidemark user erase E [--yes]",
    .about = "Erases a person: account, memberships, sessions, links; in the audit trail the\n"
             "e-mail becomes a number. Asks first; --yes is the answer.",
};

static int erase(const struct config *config, int argc, char **argv)
{
    const char *email = NULL, *counts = NULL;
    bool is_sure = false;
    const struct option_row rows[] = {
        { "--yes", NULL, "do not ask", NULL, &is_sure },
        { .name = NULL },
    };
    struct option_words words = { &email, 1, 0 };
    int status = options_parse(argc, argv, &ERASE_HELP, rows, &words);
    struct operator_session session;

    if (status >= 0 || words.n != 1) {
        return status >= 0 ? status : options_misused(&ERASE_HELP, "whom?");
    }
    if (!is_sure && !operator_confirms(email)) {
        return EXIT_FAILED;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_person_erase(session.tx, email, &counts);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "erased %s: %s\n", email, counts);
    }
    operator_free(&session);
    return status;
}

int cmd_user(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "add", add, "make a person, or add a membership" },
        { "passwd", passwd, "set a person's password" },
        { "list", list, "list persons" },
        { "erase", erase, "erase a person" },
        { .name = NULL },
    };

    return operator_verb(config, argc, argv, VERBS);
}
