/* Looks through the archive's keys for those that the database does not know of and that are older
 * than itself, and has those removed that nobody can need. */
#include "archive/given_up.h"

#include "archive/manifest.h"
#include "archive/parts.h"
#include "gen/queries.h"

#include <stdio.h>
#include <stdlib.h>

#define CATALOGUES ARCHIVE_PREFIX "catalogue/"
#define VOIDS ".tombstones/"
#define FILE_ENDING ".parquet"

struct looking {
    struct archive *archive;
    int64_t until_us; /* what is written later is nobody's who was given up */
    bool is_left;     /* something of a free number is there */
};

static bool ends_with(const char *key, const char *ending)
{
    size_t len = strlen(key), end = strlen(ending);

    return len >= end && strcmp(key + len - end, ending) == 0;
}

/* Of a manifest the files' day and number; NULL: of none. */
static enum err take_back(struct looking *looking, const struct str *keys, int n,
                          const struct manifest *manifest)
{
    struct archive *archive = looking->archive;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, archive->batches);
    db_arg_str_array(&args, keys, (size_t)n);
    db_arg_text(&args, manifest ? manifest->tenant : NULL);
    db_arg_text(&args, manifest ? manifest->relation : NULL);
    db_arg_text(&args, manifest ? manifest->day : NULL);
    db_arg_int(&args, manifest ? manifest->n : 0);
    enum err err =
        db_run_committed(&archive->rows, archive->conn, 0, &q_store_take_back, &args, &rows);
    if (err == OK && !db_bool(rows, 0, STORE_TAKE_BACK_IS_TAKEN)) {
        looking->is_left = true;
    }
    return err;
}

/* A manifest with its files, unless they are of a number that nobody has. One that is damaged does
 * not say of which they are: they are left. */
static enum err take_manifest(struct looking *looking, const struct store_object *object)
{
    struct archive *archive = looking->archive;
    struct str keys[ARCHIVE_MAX_FILES + 1];
    struct manifest manifest;
    enum err err = manifest_fetch(archive, object, &manifest);

    if (err == ERR_NOT_FOUND || err == ERR_INVALID) {
        op_clear_fault(&archive->rows);
        return OK;
    }
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < manifest.n_files; i++) {
        keys[i] = str_of(manifest.files[i].object);
    }
    keys[manifest.n_files] = str_of(object->key);
    return take_back(looking, keys, manifest.n_files + 1, &manifest);
}

/* The key of the manifest that a file of rows or tombstones has, in memory of rows. */
static const char *manifest_of(struct archive *archive, const char *file)
{
    const char *voids = strstr(file, VOIDS);
    int before = voids ? (int)(voids - file) : 0;
    const char *after = voids ? voids + strlen(VOIDS) - 1 : file;

    return arena_printf(archive->batches, "%.*s%.*s" MANIFEST_ENDING, before, file,
                        (int)(strlen(after) - strlen(FILE_ENDING)), after);
}

/* A file that was begun, without a manifest; others go with theirs. */
static enum err take_file(struct looking *looking, const char *file)
{
    struct archive *archive = looking->archive;
    const char *key = manifest_of(archive, file);
    struct str name = str_of(file);
    struct store_object manifest;

    if (key == NULL) {
        return fail_memory(&archive->rows);
    }
    enum err err = store_head(archive->store, &archive->rows, key, &manifest);
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    op_clear_fault(&archive->rows);
    return take_back(looking, &name, 1, NULL);
}

static enum err take_object(struct looking *looking, const struct store_object *object)
{
    struct str key = str_of(object->key);

    arena_reset(looking->archive->batches);
    if (strncmp(object->key, CATALOGUES, strlen(CATALOGUES)) == 0) {
        return take_back(looking, &key, 1, NULL);
    }
    if (ends_with(object->key, MANIFEST_ENDING)) {
        return take_manifest(looking, object);
    }
    return ends_with(object->key, FILE_ENDING) ? take_file(looking, object->key) : OK;
}

static int compare_keys(const void *left, const void *right)
{
    const struct store_object *a = left, *b = right;

    return strcmp(a->key, b->key);
}

/* Those of a page that are older than the database and that it does not know of. */
static enum err take_page(struct looking *looking, const struct store_page *page)
{
    struct archive *archive = looking->archive;
    struct str *keys = arena_array(archive->files, (size_t)page->n + 1, sizeof *keys);
    struct db_args args;
    struct db_rows *rows;
    int n = 0;

    if (keys == NULL) {
        return fail_memory(&archive->file);
    }
    for (int i = 0; i < page->n; i++) {
        if (page->objects[i].modified_us < looking->until_us) {
            keys[n++] = str_of(page->objects[i].key);
        }
    }
    db_args_init(&args, archive->files);
    db_arg_str_array(&args, keys, (size_t)n);
    enum err err =
        db_run_committed(&archive->file, archive->conn, 0, &q_object_unknown, &args, &rows);
    for (int i = 0; err == OK && i < db_count(rows); i++) {
        struct store_object wanted = { .key = db_text(rows, i, OBJECT_UNKNOWN_KEY) };
        const struct store_object *object =
            bsearch(&wanted, page->objects, (size_t)page->n, sizeof wanted, compare_keys);
        err = object ? take_object(looking, object) : OK;
    }
    return err;
}

static enum err look_through(struct looking *looking)
{
    struct archive *archive = looking->archive;
    char last[STORE_MAX_KEY_BYTES + 1];
    const char *after = NULL;
    struct store_page page;
    enum err err;

    do {
        arena_reset(archive->files);
        err = store_list(archive->store, &archive->file, ARCHIVE_PREFIX, after, STORE_MAX_LIST,
                         &page);
        err = err ? err : take_page(looking, &page);
        after = NULL;
        if (err == OK && page.next != NULL) {
            snprintf(last, sizeof last, "%s", page.next);
            after = last;
        }
    } while (after != NULL);
    return err;
}

static enum err look(struct archive *archive)
{
    struct looking looking = { .archive = archive };
    struct db_args args;
    struct db_rows *rows;

    arena_reset(archive->batches);
    enum err err =
        db_run_committed(&archive->rows, archive->conn, 0, &q_store_given_up, NULL, &rows);
    if (err != OK || db_is_null(rows, 0, STORE_GIVEN_UP_UNTIL)) {
        return err;
    }
    looking.until_us = db_time(rows, 0, STORE_GIVEN_UP_UNTIL);
    err = look_through(&looking);
    if (err != OK) {
        return err;
    }
    arena_reset(archive->batches);
    db_args_init(&args, archive->batches);
    db_arg_time(&args, looking.until_us);
    db_arg_bool(&args, looking.is_left);
    return db_run_committed(&archive->rows, archive->conn, 0, &q_store_given_up_done, &args, NULL);
}

enum err archive_take_back(struct archive *archive)
{
    return archive_fail(archive, look(archive));
}
