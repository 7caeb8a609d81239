/* Hands a catalogue to the database some MiB at a time, which makes the tenant of it. */
#include "archive/rebuild_tenant.h"

#include "archive/catalogue.h"
#include "archive/parts.h"
#include "gen/queries.h"

struct loading {
    struct archive *archive;
    struct rebuild_tenant *tenant;
    struct db_tx *tx;
    int32_t home; /* its number in the database */
    bool is_begun;
};

static enum err load_lines(void *context, struct str lines)
{
    struct loading *loading = context;
    struct rebuild_tenant *tenant = loading->tenant;
    struct arena *arena = loading->archive->batches;
    struct db_args args;
    struct db_rows *rows;

    if (loading->is_begun && !tenant->is_new) {
        return OK;
    }
    arena_reset(arena);
    db_args_init(&args, arena);
    db_arg_str(&args, lines);
    db_arg_text(&args, tenant->password_hash);
    if (loading->is_begun) {
        db_arg_int(&args, loading->home);
    } else {
        db_arg_null(&args);
    }
    enum err err = db_run(loading->tx, &q_rebuild_tenant, &args, &rows);
    if (err == OK) {
        loading->home = db_int(rows, 0, REBUILD_TENANT_HOME);
        tenant->is_new = db_bool(rows, 0, REBUILD_TENANT_IS_NEW);
        loading->is_begun = true;
    }
    return err;
}

static enum err end(struct loading *loading)
{
    struct rebuild_tenant *tenant = loading->tenant;
    struct arena *arena = loading->archive->batches;
    struct db_args args;
    struct db_rows *rows;

    arena_reset(arena);
    db_args_init(&args, arena);
    db_arg_int(&args, loading->home);
    db_arg_bool(&args, tenant->is_new);
    db_arg_str_array(&args, tenant->keys, tenant->n_keys);
    enum err err = db_run(loading->tx, &q_rebuild_tenant_end, &args, &rows);
    if (err == OK) {
        tenant->slug = db_text(rows, 0, REBUILD_TENANT_END_SLUG);
        tenant->n_devices = db_int64(rows, 0, REBUILD_TENANT_END_N_DEVICES);
        tenant->n_series = db_int64(rows, 0, REBUILD_TENANT_END_N_SERIES);
        tenant->n_days = db_int64(rows, 0, REBUILD_TENANT_END_N_DAYS);
    }
    return err;
}

/* What it says is the tenant whose catalogue it is. */
static enum err check_slug(struct archive *archive, const struct rebuild_tenant *tenant)
{
    struct catalogue_name name;

    if (catalogue_name_read(tenant->catalogue, &name) &&
        str_equal(name.tenant, str_of(tenant->slug))) {
        return OK;
    }
    return fail(&archive->rows, ERR_INVALID, "%s makes the tenant %s", tenant->catalogue,
                tenant->slug);
}

enum err rebuild_tenant_load(struct archive *archive, struct rebuild_tenant *tenant)
{
    struct loading loading = { .archive = archive, .tenant = tenant };

    arena_reset(archive->batches);
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, 0, &loading.tx);
    if (err != OK) {
        return archive_fail(archive, err);
    }
    err = catalogue_read(archive, tenant->catalogue, load_lines, &loading);
    err = err ? err : end(&loading);
    err = err ? err : check_slug(archive, tenant);
    return archive_fail(archive, db_end(loading.tx, err));
}
