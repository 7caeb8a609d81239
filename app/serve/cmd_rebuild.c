/* `tidemark restore --from-archive`: a database made of the object store alone. */
#include "archive/rebuild.h"
#include "db/conn.h"
#include "db/url.h"
#include "serve/commands.h"
#include "serve/options.h"

#define REBUILD_ARENA_BYTES (1u << 20)
#define STATEMENT_TIMEOUT_MS (60 * 60 * 1000)

static enum err rebuild(struct op *op, const struct config *config, bool skips_damaged)
{
    const struct rebuild_wish wish = { .skips_damaged = skips_damaged, .progress = stderr };
    const char *url;
    struct archive archive;
    enum err err = db_role_url(op, config, DB_ROLE_WORKER, &url);

    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark restore",
                                  .is_prepared = config->db_prepare,
                                  .statement_timeout_ms = STATEMENT_TIMEOUT_MS };
    struct db_conn *conn = db_conn_new(&options);
    if (conn == NULL) {
        return fail_memory(op);
    }
    err = archive_open(&archive, op, conn, config);
    err = err ? err : archive_rebuild(&archive, &wish);
    archive_close(&archive);
    db_conn_close(conn);
    return err;
}

int rebuild_database(const struct config *config, bool skips_damaged)
{
    struct arena *arena = arena_new(REBUILD_ARENA_BYTES);
    struct op op;

    if (arena == NULL) {
        return EXIT_FAILED;
    }
    op_init(&op, arena, "restore");
    enum err err = rebuild(&op, config, skips_damaged);
    if (err != OK) {
        options_complain(&op);
    }
    arena_free(arena);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}
