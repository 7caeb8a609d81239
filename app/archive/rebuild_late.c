/* Walks through the archive's keys and hands the manifests that may be younger than their tenant's
 * catalogue to the database, which knows what it has (ops.rebuild_late). */
#include "archive/rebuild_late.h"

#include "archive/catalogue.h"
#include "archive/manifest.h"
#include "archive/parts.h"
#include "base/clock.h"
#include "gen/queries.h"

#define TENANT_MARK "/tenant="
#define CLOCKS_APART_US US_PER_DAY /* between the store's clock and the database's, at most */

/* The tenant in a key; empty: none. */
static struct str tenant_of(const char *key)
{
    const char *slug = strstr(key, TENANT_MARK);
    const char *end = slug != NULL ? strchr(slug + 1, '/') : NULL;

    if (end == NULL) {
        return (struct str){ "", 0 };
    }
    slug += strlen(TENANT_MARK);
    return (struct str){ slug, (size_t)(end - slug) };
}

/* The catalogue of the tenant that a manifest is of; NULL: the object is none, or too old. */
static const char *catalogue_for(const struct late_tenants *tenants,
                                 const struct store_object *object, struct str slug)
{
    size_t len = strlen(object->key), ending = strlen(MANIFEST_ENDING);
    struct catalogue_name name;

    if (len < ending || strcmp(object->key + len - ending, MANIFEST_ENDING) != 0) {
        return NULL;
    }
    const char *catalogue = tenants->catalogue_of(tenants->context, slug);
    bool is_late = catalogue != NULL && catalogue_name_read(catalogue, &name) &&
                   object->modified_us >= name.made_us - CLOCKS_APART_US;
    return is_late ? catalogue : NULL;
}

static enum err note(struct archive *archive, const struct manifest *manifest,
                     const char *catalogue, int *out_n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, archive->batches);
    db_arg_text(&args, manifest->tenant);
    db_arg_text(&args, manifest->relation);
    db_arg_text(&args, manifest->day);
    db_arg_int(&args, manifest->n);
    db_arg_time(&args, manifest->written_us);
    manifest_list_files(&args, manifest);
    db_arg_text(&args, catalogue);
    enum err err =
        db_run_committed(&archive->rows, archive->conn, 0, &q_rebuild_late, &args, &rows);
    *out_n += err == OK && db_bool(rows, 0, REBUILD_LATE_IS_TAKEN);
    return err;
}

/* Refuses a manifest that is damaged, unless its files are known without it. */
static enum err refuse(struct archive *archive, const struct late_tenants *tenants,
                       const char *key)
{
    struct fault fault = archive->rows.fault;
    struct db_args args;
    struct db_rows *rows;

    op_clear_fault(&archive->rows);
    arena_reset(archive->batches);
    db_args_init(&args, archive->batches);
    db_arg_text(&args, key);
    enum err err =
        db_run_committed(&archive->rows, archive->conn, 0, &q_rebuild_knows, &args, &rows);
    if (err == OK && !db_bool(rows, 0, REBUILD_KNOWS_IS_KNOWN)) {
        archive->op->fault = fault;
        tenants->refuse(tenants->context, key);
    }
    return err;
}

static enum err take_object(struct archive *archive, const struct late_tenants *tenants,
                            const struct store_object *object, int *out_n)
{
    struct str slug = tenant_of(object->key);
    enum err err = slug.len > 0 ? tenants->meet(tenants->context, slug) : OK;
    struct manifest manifest;

    if (err != OK || slug.len == 0) {
        return err;
    }
    const char *catalogue = catalogue_for(tenants, object, slug);
    if (catalogue == NULL) {
        return OK;
    }
    arena_reset(archive->batches);
    err = manifest_fetch(archive, object, &manifest);
    if (err == OK) {
        return note(archive, &manifest, catalogue, out_n);
    }
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(&archive->rows);
        return OK; /* swept meanwhile */
    }
    return err == ERR_INVALID ? refuse(archive, tenants, object->key) : err;
}

enum err late_files_take(struct archive *archive, const struct late_tenants *tenants, int *out_n)
{
    const char *after = NULL;
    struct store_page page;
    enum err err = OK;
    char last[STORE_MAX_KEY_BYTES + 1];

    *out_n = 0;
    do {
        arena_reset(archive->files);
        err = store_list(archive->store, &archive->file, ARCHIVE_PREFIX, after, STORE_MAX_LIST,
                         &page);
        for (int i = 0; err == OK && i < page.n; i++) {
            err = take_object(archive, tenants, &page.objects[i], out_n);
        }
        after = NULL;
        if (err == OK && page.next != NULL) {
            snprintf(last, sizeof last, "%s", page.next);
            after = last;
        }
    } while (after != NULL);
    return archive_fail(archive, err);
}
