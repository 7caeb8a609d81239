/* Walks through the archive's keys and hands the manifests that may be younger than their tenant's
 * catalogue to the database, which knows what it has (ops.rebuild_late). */
#include "archive/rebuild_late.h"

#include "archive/catalogue.h"
#include "archive/manifest.h"
#include "archive/parts.h"
#include "base/clock.h"
#include "gen/queries.h"

#define ARCHIVE_PREFIX "archive/"
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

/* Reads and judges a manifest, in the memory of rows. */
static enum err read_manifest(struct archive *archive, const struct store_object *object,
                              struct manifest *out)
{
    struct op *op = &archive->rows;
    enum err err = OK;

    if (object->size > MANIFEST_MAX_BYTES) {
        return fail(op, ERR_INVALID, "%s is too large for a manifest", object->key);
    }
    char *text = arena_alloc(archive->batches, (size_t)object->size + 1);
    if (text == NULL) {
        return fail_memory(op);
    }
    if (object->size > 0) {
        err = store_read(archive->store, op, object->key, 0, (size_t)object->size, text);
    }
    return err ? err
               : manifest_parse(op, object->key, (struct str){ text, (size_t)object->size }, out);
}

static void list_files(struct db_args *args, const struct manifest *manifest)
{
    struct str kinds[ARCHIVE_MAX_FILES], objects[ARCHIVE_MAX_FILES], sums[ARCHIVE_MAX_FILES];
    int64_t rows[ARCHIVE_MAX_FILES], bytes[ARCHIVE_MAX_FILES];
    size_t n = (size_t)manifest->n_files;

    for (size_t i = 0; i < n; i++) {
        kinds[i] = str_of(manifest->files[i].kind);
        objects[i] = str_of(manifest->files[i].object);
        rows[i] = manifest->files[i].n_rows;
        bytes[i] = manifest->files[i].n_bytes;
        sums[i] = manifest->files[i].sha256;
    }
    db_arg_str_array(args, kinds, n);
    db_arg_str_array(args, objects, n);
    db_arg_int64_array(args, rows, n);
    db_arg_int64_array(args, bytes, n);
    db_arg_bytes_array(args, sums, n);
}

static enum err note(struct archive *archive, const struct manifest *manifest,
                     const char *catalogue, int *out_n)
{
    struct db_args args;
    struct db_rows *rows;
    struct db_tx *tx;
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, 0, &tx);

    if (err != OK) {
        return err;
    }
    db_args_init(&args, archive->batches);
    db_arg_text(&args, manifest->tenant);
    db_arg_text(&args, manifest->relation);
    db_arg_text(&args, manifest->day);
    db_arg_int(&args, manifest->n);
    db_arg_time(&args, manifest->written_us);
    list_files(&args, manifest);
    db_arg_text(&args, catalogue);
    err = db_run(tx, &q_rebuild_late, &args, &rows);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    *out_n += db_bool(rows, 0, REBUILD_LATE_IS_TAKEN);
    return db_commit(tx);
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
    err = read_manifest(archive, object, &manifest);
    if (err == OK) {
        return note(archive, &manifest, catalogue, out_n);
    }
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(&archive->rows);
        return OK; /* swept meanwhile */
    }
    if (err == ERR_INVALID && archive_fail(archive, err) == err) {
        tenants->refuse(tenants->context, object->key);
        return OK;
    }
    return err;
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
