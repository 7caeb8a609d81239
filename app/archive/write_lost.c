/* Writes manifests anew that were found lost, of what the database knows of their files. Called by
 * run.c. */
#include "archive/write.h"

#include "base/clock.h"
#include "gen/queries.h"

struct lost {
    int64_t id;
    struct archive_task task; /* in the archive's memory of tenants */
    int n;
};

/* The files of the manifest, in the memory of rows; none where they are gone. */
static enum err load_files(struct archive *archive, const struct lost *lost, struct db_tx *tx,
                           struct archive_day *day)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, archive->batches);
    db_arg_int64(&args, lost->id);
    enum err err = db_run(tx, &q_archive_lost_files, &args, &rows);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < db_count(rows) && i < ARCHIVE_MAX_FILES; i++) {
        day->begun_at = db_text(rows, i, ARCHIVE_LOST_FILES_WRITTEN_AT);
        day->files[day->n_files++] = (struct archive_file){
            .tenant = lost->task.slug,
            .relation = lost->task.relation,
            .day = day->name,
            .n = lost->n,
            .kind = db_text(rows, i, ARCHIVE_LOST_FILES_KIND),
            .object = db_text(rows, i, ARCHIVE_LOST_FILES_OBJECT),
            .n_rows = db_int64(rows, i, ARCHIVE_LOST_FILES_N_ROWS),
            .n_bytes = db_int64(rows, i, ARCHIVE_LOST_FILES_N_BYTES),
            .sha256 = db_str(rows, i, ARCHIVE_LOST_FILES_SHA256),
        };
    }
    return OK;
}

static enum err write_in(struct archive *archive, const struct lost *lost, struct db_tx *tx)
{
    struct archive_day day = { .archive = archive, .task = &lost->task, .n = lost->n };
    struct db_args args;

    memcpy(day.name, lost->task.day, ARCHIVE_DAY_SIZE);
    enum err err = load_files(archive, lost, tx, &day);
    if (err == OK && day.n_files > 0) {
        const char *key = archive_manifest_key(archive->batches, &day.files[0]);
        if (key == NULL) {
            return fail_memory(&archive->rows);
        }
        day.keys[KEY_MANIFEST] = str_of(key);
        err = archive_day_note(&day);
    }
    if (err != OK) {
        return err;
    }
    db_args_init(&args, archive->batches);
    db_arg_int64(&args, lost->id);
    return db_run(tx, &q_archive_lost_done, &args, NULL);
}

static enum err write_one(struct archive *archive, const struct lost *lost)
{
    struct db_tx *tx;

    arena_reset(archive->files);
    arena_reset(archive->batches);
    enum err err =
        db_begin(&archive->rows, archive->conn, DB_WRITE, lost->task.tenant_id, &tx);
    return err ? err : db_end(tx, write_in(archive, lost, tx));
}

/* The one after `after`; *is_end: there is none. What was loaded before is released. */
static enum err load_next(struct archive *archive, int64_t after, struct lost *out, bool *is_end)
{
    struct db_args args;
    struct db_rows *rows;

    arena_reset(archive->tenants);
    db_args_init(&args, archive->tenants);
    db_arg_int64(&args, after);
    enum err err =
        db_run_committed(&archive->list, archive->conn, 0, &q_archive_lost_next, &args, &rows);
    *is_end = err != OK || db_count(rows) == 0;
    if (!*is_end) {
        *out = (struct lost){
            .id = db_int64(rows, 0, ARCHIVE_LOST_NEXT_ID),
            .task = { .tenant_id = db_int(rows, 0, ARCHIVE_LOST_NEXT_TENANT_ID),
                      .slug = db_text(rows, 0, ARCHIVE_LOST_NEXT_SLUG),
                      .relation = db_text(rows, 0, ARCHIVE_LOST_NEXT_RELATION),
                      .day = db_text(rows, 0, ARCHIVE_LOST_NEXT_DAY) },
            .n = db_int(rows, 0, ARCHIVE_LOST_NEXT_N),
        };
    }
    return archive_fail(archive, err);
}

enum err archive_write_lost(struct archive *archive, struct archive_run *run, bool *is_stopped)
{
    struct lost lost = { .id = 0 };
    bool is_end = false;
    enum err err;

    do {
        int64_t started_us = clock_monotonic_us();
        err = load_next(archive, lost.id, &lost, &is_end);
        if (err == OK && !is_end && archive_fail(archive, write_one(archive, &lost)) != OK) {
            archive_run_failed(archive, run, &lost.task, NULL);
        }
        *is_stopped = !is_end && run->goes_on != NULL &&
                      !run->goes_on(run->context, clock_monotonic_us() - started_us);
    } while (!is_end && !*is_stopped);
    return err;
}
