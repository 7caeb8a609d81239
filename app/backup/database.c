/* Asking, making and dropping databases. */
#include "backup/database.h"

#include "backup/program.h"
#include "db/conn.h"
#include "db/url.h"

enum err database_ask_over(struct op *op, struct db_conn *conn, const struct db_query *query,
                           const struct db_args *args, struct db_rows **rows)
{
    return db_run_committed(op, conn, 0, query, args, rows);
}

enum err database_ask(struct backups *backups, const char *url, const struct db_query *query,
                      const struct db_args *args, struct db_rows **rows)
{
    struct db_options options = { .url = url, .name = "tidemark restore" };
    struct db_conn *conn = db_conn_new(&options);

    if (!conn) {
        return fail_memory(backups->op);
    }
    backups_wait_for(backups, conn);
    enum err err = database_ask_over(backups->op, conn, query, args, rows);
    backups_wait_for(backups, NULL);
    db_conn_close(conn);
    return err;
}

enum err database_trial_prefix(struct op *op, const char *live, const char **out)
{
    *out = arena_printf(op->arena, "%.*s_trial_", DATABASE_NAME_ROOM, live);
    return *out ? OK : fail_memory(op);
}

static enum err call(struct op *op, const struct database_server *server, const char *name,
                     const char *const *args)
{
    const char **environment;
    enum err err = db_url_environment(op, server->url, &environment);

    if (err != OK) {
        return err;
    }
    const struct program_call call = { .name = name,
                                       .major = server->major,
                                       .args = args,
                                       .environment = environment,
                                       .pipe = PROGRAM_NEITHER };
    return program_run(op, &call);
}

enum err database_make(struct op *op, const struct database_server *server, const char *name,
                       const char *collation, const char *ctype, const char *comment)
{
    const char *by = arena_printf(op->arena, "--lc-collate=%s", collation);
    const char *of = arena_printf(op->arena, "--lc-ctype=%s", ctype);
    const char *args[] = { "--maintenance-db=postgres",
                           "--no-password",
                           "--template=template0",
                           "--encoding=UTF8",
                           by,
                           of,
                           "--",
                           name,
                           comment,
                           NULL };

    return by && of ? call(op, server, "createdb", args) : fail_memory(op);
}

enum err database_drop(struct op *op, const struct database_server *server, const char *name)
{
    const char *args[] = { "--maintenance-db=postgres", "--no-password", "--force", "--if-exists",
                           "--", name, NULL };

    return call(op, server, "dropdb", args);
}
