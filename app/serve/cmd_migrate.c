/* `tidemark migrate`: brings the database to this binary's schema and makes the object store, or
 * says where they stand. */
#include "serve/commands.h"

#include "archive/archive.h"
#include "base/op.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "db/url.h"
#include "serve/options.h"

#define MIGRATE_ARENA_BYTES (16u << 20)

static const struct options_help HELP = {
    .usage = "tidemark migrate [--status]",
    .about = "Brings the database to this version's schema, with its roles and their passwords,\n"
             "and makes the directory or bucket of files where it is not there, unless the\n"
             "database knows of files in it (the worker does it later where the store is not to\n"
             "be had now). Connects by\n"
             "DATABASE_URL: as a superuser the first time, later as tidemark_owner.",
};

/* The directory or the bucket, as the worker. One that cannot be reached stops nothing: the
 * database is well, readings need no store, and the worker makes the bucket once it can. */
static enum err prepare_store(struct op *op, const struct config *config)
{
    struct store *store = NULL;
    const char *url;
    enum err err = db_role_url(op, config, DB_ROLE_WORKER, &url);

    if (err == OK) {
        err = store_open(op, config, &store);
    }
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark migrate" };
    struct db_conn *conn = db_conn_new(&options);
    err = conn ? archive_find_place(op, conn, store) : fail_memory(op);
    if (err == OK) {
        fprintf(stderr, "files are kept in %s\n", store_name(store));
    } else if (err == ERR_UNAVAILABLE) {
        fprintf(stderr, "%s, where files are to be kept, is not to be had now: %s\n",
                store_name(store), op->fault.detail);
        op_clear_fault(op);
        err = OK;
    }
    db_conn_close(conn);
    store_close(store);
    return err;
}

int cmd_migrate(const struct config *config, int argc, char **argv)
{
    bool is_status = false;
    const struct option_row rows[] = {
        { "--status", NULL, "only list the migrations, applied and pending", NULL, &is_status },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, NULL);
    struct arena *arena = status < 0 ? arena_new(MIGRATE_ARENA_BYTES) : NULL;
    struct op op;

    if (!arena) {
        return status < 0 ? EXIT_FAILED : status;
    }
    op_init(&op, arena, "migrate");
    enum err err =
        is_status ? db_migrate_status(&op, config, stdout) : db_migrate(&op, config, stderr);
    if (err == OK && !is_status) {
        err = prepare_store(&op, config);
    }
    if (err != OK) {
        options_complain(&op);
    }
    arena_free(arena);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}
