/* The roles' passwords on the server. Answers for each role being able to log in with the
 * password that its process will use; the files are secret.c's, the roles themselves
 * bootstrap.sql's. Called by migrate.c inside its lock. */
#include "db/migrator.h"

#include "db/pq.h"
#include "db/private_url.h"

#include "gen/queries.h"

/* The password that the role's process will use: its explicit URL's, where that names this
 * role, else the kept one. NULL: the URL logs in otherwise, and nothing is ours to set. */
static enum err wanted_password(struct op *op, const struct config *config, enum db_role role,
                                const char **out, bool *is_new)
{
    const char *url = db_url_explicit(config, role);
    struct db_login login;
    *is_new = false;
    if (!url) {
        return db_secret_make(op, config->home, db_role_name(role), out, is_new);
    }
    enum err err = db_url_login(op, url, &login);
    bool is_ours = !err && login.user && strcmp(login.user, db_role_name(role)) == 0;
    *out = is_ours ? login.password : NULL;
    return err;
}

/* True when the role logs in with the password already, straight to the owner's server. */
static enum err can_log_in(struct op *op, const char *owner_url, const struct db_login *login,
                           bool *out)
{
    const char *url;
    enum err err = db_url_with_login(op, owner_url, login, &url);
    if (err) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark migrate" };
    struct db_conn *conn = db_conn_new(&options);
    if (!conn) {
        return fail_memory(op);
    }
    struct fault earlier = op->fault;
    *out = db_conn_open(conn, op) == OK;
    op->fault = earlier;
    db_conn_close(conn);
    return OK;
}

/* The SCRAM verifier is made here: neither the wire nor the server's log sees the password. */
static enum err set_password(const struct migrator *migrator, const struct db_login *login)
{
    struct op *op = migrator->op;
    struct db_args args;
    struct db_tx *tx;
    enum err err = db_begin(op, migrator->conn, DB_WRITE, 0, &tx);
    if (err) {
        return err;
    }
    char *verifier =
        PQencryptPasswordConn(migrator->conn->pq, login->password, login->user, "scram-sha-256");
    if (!verifier) {
        err = fail(op, ERR_INTERNAL, "cannot make a SCRAM verifier for %s", login->user);
        db_rollback(tx);
        return err;
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, login->user);
    db_arg_text(&args, verifier);
    err = migrator->is_super ? db_run(tx, &q_migrate_lock_roles, NULL, NULL) : OK;
    err = err ? err : db_run(tx, &q_migrate_password_set, &args, NULL);
    err = err ? err : db_run(tx, &q_migrate_password_apply, NULL, NULL);
    PQfreemem(verifier);
    return db_end(tx, err);
}

/* One role. A login is not tried with a password made just now: it could only fail, and fill
 * the server's log with what looks like an attack. */
static enum err see_to(const struct migrator *migrator, enum db_role role)
{
    struct op *op = migrator->op;
    struct db_login login = { .user = db_role_name(role) };
    bool is_new, is_good = false;
    enum err err = wanted_password(op, migrator->config, role, &login.password, &is_new);
    if (!err && login.password && !is_new) {
        err = can_log_in(op, migrator->conn->options.url, &login, &is_good);
    }
    if (err || !login.password || is_good) {
        return err;
    }
    if (role == DB_ROLE_BACKUP && !migrator->is_super) {
        /* it passes by row-level security: only a superuser may say who logs in as that */
        db_migrate_say(migrator, "%s has no password yet: only a superuser's migrate sets it",
                       login.user);
        return OK;
    }
    err = set_password(migrator, &login);
    if (!err) {
        db_migrate_say(migrator, "password of %s set", login.user);
    }
    return err;
}

enum err db_migrate_passwords(const struct migrator *migrator)
{
    enum err err = OK;
    for (enum db_role role = DB_ROLE_WEB; role <= DB_ROLE_BACKUP && !err; role++) {
        err = see_to(migrator, role);
    }
    return err;
}
