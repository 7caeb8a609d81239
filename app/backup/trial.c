/* A trial: it is made sure that there is no other, its begin is noted, what a killed one left is
 * dropped, a backup is restored, compared and dropped, and what that came to is noted. */
#include "backup/trial.h"

#include "backup/database.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"

#include <sys/statvfs.h>

struct trial {
    struct backups *backups;
    struct op *op;
    const struct restore_wish *wish;
    struct database_server server; /* its URL is of the database in use */
    const char *prefix;            /* of the names of trials' databases */
    struct db_conn *lock;          /* its session keeps others out */
    bool is_noted;                 /* there is a place for it */
    int64_t id;                    /* of its note */
};

/* ---- before ---- */

/* The newest backup that is tried is one of the database's own installation. */
static enum err look_whose(struct trial *trial)
{
    struct op *op = trial->op;
    struct db_rows *rows;
    enum err err = database_ask(trial->backups, trial->server.url, &q_backup_installation, NULL,
                                &rows);

    if (err != OK || db_count(rows) == 0) {
        return err;
    }
    trial->backups->installation =
        arena_copy(op->arena, db_str(rows, 0, BACKUP_INSTALLATION_INSTALLATION));
    return trial->backups->installation ? OK : fail_memory(op);
}

static enum err look(struct trial *trial, const struct config *config)
{
    struct op *op = trial->op;
    struct db_rows *rows;
    enum err err = db_super_url(op, config, &trial->server.url);

    err = err ? err
              : database_ask(trial->backups, trial->server.url, &q_restore_trial_target, NULL,
                             &rows);
    if (err != OK) {
        return err;
    }
    trial->server.major = db_int(rows, 0, RESTORE_TRIAL_TARGET_SERVER_MAJOR);
    trial->is_noted =
        trial->wish->notes || db_bool(rows, 0, RESTORE_TRIAL_TARGET_IS_NOTED);
    bool is_ours = db_bool(rows, 0, RESTORE_TRIAL_TARGET_IS_NOTED);
    err = database_trial_prefix(op, db_text(rows, 0, RESTORE_TRIAL_TARGET_DATABASE),
                                &trial->prefix);
    return err || !is_ours ? err : look_whose(trial);
}

/* In the database that every server has: locks of this kind are one database's. */
static enum err open_lock(struct trial *trial)
{
    const char *url;
    enum err err = db_url_with_database(trial->op, trial->server.url, "postgres", &url);

    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark restore" };
    trial->lock = db_conn_new(&options);
    return trial->lock ? OK : fail_memory(trial->op);
}

static enum err take_lock(struct trial *trial, bool *is_free)
{
    struct db_args args;
    struct db_rows *rows;
    enum err err = open_lock(trial);

    if (err != OK) {
        return err;
    }
    db_args_init(&args, trial->op->arena);
    db_arg_text(&args, trial->prefix);
    err = db_run_committed(trial->op, trial->lock, 0, &q_restore_trial_lock, &args, &rows);
    if (err == OK) {
        *is_free = db_bool(rows, 0, RESTORE_TRIAL_LOCK_IS_FREE);
    }
    return err;
}

static enum err sweep(struct trial *trial)
{
    struct op *op = trial->op;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_text(&args, trial->prefix);
    db_arg_text(&args, DATABASE_TRIAL_COMMENT);
    enum err err =
        database_ask(trial->backups, trial->server.url, &q_restore_trial_left, &args, &rows);
    for (int i = 0; err == OK && i < db_count(rows); i++) {
        const char *name = db_text(rows, i, RESTORE_TRIAL_LEFT_DATABASE);
        if (trial->wish->progress) {
            fprintf(trial->wish->progress, "dropping the database %s of a trial that was killed\n",
                    name);
        }
        err = database_drop(op, &trial->server, name);
    }
    return err;
}

/* The embedded cluster's disk is this machine's; of another server's nothing is known. */
static enum err judge_room(const struct trial *trial)
{
    const struct config *config = trial->backups->config;
    struct op *op = trial->op;
    struct statvfs disk;
    struct db_rows *rows;
    const char *folder = arena_printf(op->arena, "%s/pgdata", config->home);

    if (!folder) {
        return fail_memory(op);
    }
    if (config->database_url || statvfs(folder, &disk) != 0) {
        return OK;
    }
    enum err err =
        database_ask(trial->backups, trial->server.url, &q_restore_trial_room, NULL, &rows);
    if (err != OK) {
        return err;
    }
    int64_t wanted = db_int64(rows, 0, RESTORE_TRIAL_ROOM_BYTES);
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    return (uint64_t)wanted <= room
               ? OK
               : fail(op, ERR_CONFLICT,
                      "a trial takes the room of the database, %lld bytes, and %s has %llu",
                      (long long)wanted, folder, (unsigned long long)room);
}

/* ---- what is noted ---- */

static enum err ask(const struct trial *trial, const struct db_query *query,
                    const struct db_args *args, struct db_rows **rows)
{
    return trial->wish->notes
               ? database_ask_over(trial->op, trial->wish->notes, query, args, rows)
               : database_ask(trial->backups, trial->server.url, query, args, rows);
}

static enum err note_begin(struct trial *trial)
{
    struct db_rows *rows;

    if (!trial->is_noted) {
        return OK;
    }
    enum err err = ask(trial, &q_restore_trial_begin, NULL, &rows);
    trial->id = err == OK ? db_int64(rows, 0, RESTORE_TRIAL_BEGIN_ID) : 0;
    trial->is_noted = err == OK;
    return err;
}

static enum err note_end(const struct trial *trial, const struct restore_told *told,
                         enum err outcome)
{
    struct op *op = trial->op;
    struct fault first = op->fault;
    const struct backups *backups = trial->backups;
    bool is_stopped = outcome != OK && backups->goes_on && !backups->goes_on(backups->context);
    struct db_args args;

    if (!trial->is_noted) {
        return outcome;
    }
    db_args_init(&args, op->arena);
    db_arg_int64(&args, trial->id);
    if (is_stopped) {
        db_arg_null(&args);
    } else {
        db_arg_bool(&args, outcome == OK);
    }
    db_arg_text(&args, told->name);
    if (told->name) {
        db_arg_time(&args, told->made_us);
    } else {
        db_arg_null(&args);
    }
    db_arg_int64(&args, told->n_rows);
    db_arg_text(&args, outcome == OK ? "" : first.detail);
    op_clear_fault(op);
    enum err err = ask(trial, &q_restore_trial_end, &args, NULL);
    if (outcome != OK) {
        op->fault = first;
    }
    return outcome != OK ? outcome : err;
}

/* `err` is what went wrong so far: noted like all else. */
static enum err run(struct trial *trial, struct restore_told *out, enum err err)
{
    struct fault first = trial->op->fault;

    op_clear_fault(trial->op);
    enum err noted = note_begin(trial);
    if (err != OK) {
        trial->op->fault = first;
    }
    err = err ? err : noted;
    err = err ? err : sweep(trial);
    err = err ? err : judge_room(trial);
    err = err ? err : backup_restore(trial->backups, trial->wish, out);
    return note_end(trial, out, err);
}

enum err backup_trial(struct backups *backups, const struct restore_wish *wish,
                      struct restore_told *out, bool *is_busy)
{
    struct trial trial = {
        .backups = backups, .op = backups->op, .wish = wish, .is_noted = wish->notes != NULL
    };
    bool is_free = false;
    enum err err = look(&trial, backups->config);

    *out = (struct restore_told){ .name = NULL };
    err = err ? err : take_lock(&trial, &is_free);
    *is_busy = err == OK && !is_free;
    err = *is_busy ? fail(backups->op, ERR_CONFLICT, "another trial is under way")
                   : run(&trial, out, err);
    db_conn_close(trial.lock);
    return err;
}
