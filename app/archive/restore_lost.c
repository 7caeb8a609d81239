/* Looks in the store for the manifest of a number that a day lacks in the database, which was made
 * of the store while that was lost, and notes its files. */
#include "archive/manifest.h"
#include "archive/restore.h"
#include "gen/queries.h"

/* For the youngest manifest of the number, since its archiver found earlier ones not to count. */
struct search {
    struct restoring *restoring;
    int n;
    bool is_found;
    int64_t written_us;
    struct store_object object; /* its key is in `key` */
    char key[STORE_MAX_KEY_BYTES + 1];
};

static enum err look_at(struct search *search, const struct store_object *object)
{
    struct archive *archive = search->restoring->archive;
    size_t len = strlen(object->key), ending = strlen(MANIFEST_ENDING);
    struct manifest manifest;

    if (len < ending || strcmp(object->key + len - ending, MANIFEST_ENDING) != 0) {
        return OK;
    }
    arena_reset(archive->batches);
    enum err err = manifest_fetch(archive, object, &manifest);
    if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
        op_clear_fault(&archive->rows);
        return OK; /* none that could be brought back */
    }
    if (err == OK && manifest.n == search->n &&
        (!search->is_found || manifest.written_us > search->written_us)) {
        search->is_found = true;
        search->written_us = manifest.written_us;
        search->object = *object;
        snprintf(search->key, sizeof search->key, "%s", object->key);
        search->object.key = search->key;
    }
    return err;
}

static enum err look_through(struct search *search)
{
    struct archive *archive = search->restoring->archive;
    const struct archive_task *task = search->restoring->task;
    char last[STORE_MAX_KEY_BYTES + 1];
    const char *after = NULL;
    struct store_page page;
    enum err err = OK;

    do {
        arena_reset(archive->files);
        char *folder = arena_printf(archive->files, ARCHIVE_DAY_FORMAT, task->relation, task->slug,
                                    task->day);
        err = folder != NULL ? store_list(archive->store, &archive->file, folder, after,
                                          STORE_MAX_LIST, &page)
                             : fail_memory(&archive->file);
        for (int i = 0; err == OK && i < page.n; i++) {
            err = look_at(search, &page.objects[i]);
        }
        after = NULL;
        if (err == OK && page.next != NULL) {
            snprintf(last, sizeof last, "%s", page.next);
            after = last;
        }
    } while (after != NULL);
    return err;
}

static enum err note(struct search *search)
{
    struct archive *archive = search->restoring->archive;
    struct manifest manifest;
    struct db_args args;

    arena_reset(archive->batches);
    enum err err = manifest_fetch(archive, &search->object, &manifest);
    if (err != OK) {
        return err;
    }
    db_args_init(&args, archive->batches);
    db_arg_text(&args, manifest.relation);
    db_arg_text(&args, manifest.day);
    db_arg_int(&args, manifest.n);
    db_arg_time(&args, manifest.written_us);
    manifest_list_files(&args, &manifest);
    return db_run(search->restoring->tx, &q_archive_restore_lost, &args, NULL);
}

enum err restore_lost(struct restoring *restoring, int n, bool *is_found)
{
    struct search search = { .restoring = restoring, .n = n };
    enum err err = look_through(&search);

    *is_found = err == OK && search.is_found;
    return *is_found ? note(&search) : err;
}
