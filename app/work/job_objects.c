/* Upkeep of the store: its place is made where it is missing and never held anything, files that
 * came no further are given up, objects that no row speaks of are removed, of tenants that are gone
 * all, and so is what was begun and never finished. Called by the table. */
#include "work/jobs.h"

#include "archive/archive.h"
#include "db/conn.h"
#include "gen/queries.h"
#include "objects/store.h"

#include <stdio.h>

#define TRASH_AT_ONCE STORE_MAX_LIST
#define UNFINISHED_AGE_S (24 * 3600) /* no file comes for longer */
#define PLACE_BYTES 8192             /* of a prefix, or of where a list goes on */

/* One page of what is to be removed. */
struct trash {
    struct str *keys;
    const char **texts; /* the same, each with its NUL */
    int64_t *times_us;  /* when each was noted last */
    int n;              /* 0: nothing */
};

static enum err list_trash(struct job_pass *pass, struct trash *out)
{
    struct arena *arena = pass->op->arena;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, arena);
    db_arg_int(&args, TRASH_AT_ONCE);
    enum err err = job_run_alone(pass, &q_job_object_trash_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    size_t room = (size_t)db_count(rows) + 1;
    *out = (struct trash){ arena_array(arena, room, sizeof *out->keys),
                           arena_array(arena, room, sizeof *out->texts),
                           arena_array(arena, room, sizeof *out->times_us), db_count(rows) };
    if (!out->keys || !out->texts || !out->times_us) {
        return fail_memory(pass->op);
    }
    for (int i = 0; i < out->n; i++) {
        out->texts[i] = db_text(rows, i, JOB_OBJECT_TRASH_LIST_KEY);
        out->keys[i] = str_of(out->texts[i]);
        out->times_us[i] = db_time(rows, i, JOB_OBJECT_TRASH_LIST_AT);
    }
    return OK;
}

/* One page, whose memory is released by the next: from the store first, then from the list, so that
 * nothing is forgotten. What is noted again meanwhile stays on the list: its object may have come
 * after it was removed here. */
static enum err empty_trash(struct job_pass *pass, struct store *store, int *n)
{
    struct db_args args;
    struct trash trash = { .n = 0 };

    arena_reset(pass->op->arena);
    enum err err = list_trash(pass, &trash);

    *n = trash.n;
    if (err == OK && trash.n > 0) {
        err = store_delete_many(store, pass->op, trash.texts, trash.n);
    }
    if (err != OK || trash.n == 0) {
        return err;
    }
    db_args_init(&args, pass->op->arena);
    db_arg_str_array(&args, trash.keys, (size_t)trash.n);
    db_arg_time_array(&args, trash.times_us, (size_t)trash.n);
    return job_run_alone(pass, &q_job_object_trash_done, &args, NULL);
}

/* Removes those of a page that the database does not know of. */
static enum err remove_unknown(struct job_pass *pass, struct store *store,
                               const struct store_page *page, int *out_removed)
{
    struct arena *arena = pass->op->arena;
    struct str *keys = arena_array(arena, (size_t)page->n + 1, sizeof *keys);
    const char **unknown = arena_array(arena, (size_t)page->n + 1, sizeof *unknown);
    struct db_args args;
    struct db_rows *rows;

    if (!keys || !unknown) {
        return fail_memory(pass->op);
    }
    for (int i = 0; i < page->n; i++) {
        keys[i] = str_of(page->objects[i].key);
    }
    db_args_init(&args, arena);
    db_arg_str_array(&args, keys, (size_t)page->n);
    enum err err = job_run_alone(pass, &q_object_unknown, &args, &rows);
    int n = err == OK ? db_count(rows) : 0;
    for (int i = 0; i < n; i++) {
        unknown[i] = db_text(rows, i, OBJECT_UNKNOWN_KEY);
    }
    *out_removed += n;
    return n > 0 ? store_delete_many(store, pass->op, unknown, n) : err;
}

/* Copies a text of the pass's memory, which is about to be released; "" for NULL. */
static enum err keep_text(struct job_pass *pass, const char *text, char out[PLACE_BYTES])
{
    int len = snprintf(out, PLACE_BYTES, "%s", text ? text : "");

    return len < PLACE_BYTES ? OK : fail(pass->op, ERR_INTERNAL, "a key of %d bytes", len);
}

/* All below a prefix, page by page, the memory of each released by the next; `prefix` is not of the
 * pass's. False in is_done: it was told to stop before that. */
static enum err remove_below(struct job_pass *pass, struct store *store, const char *prefix,
                             int *out_removed, bool *is_done)
{
    char next[PLACE_BYTES] = "";
    struct store_page page;
    enum err err;

    do {
        arena_reset(pass->op->arena);
        err = store_list(store, pass->op, prefix, *next ? next : NULL, TRASH_AT_ONCE, &page);
        if (err == OK && page.n > 0) {
            err = remove_unknown(pass, store, &page, out_removed);
        }
        if (err == OK) {
            err = keep_text(pass, page.next, next);
        }
    } while (err == OK && *next && !worker_is_stopping(pass->stop_fd, 0));
    *is_done = err == OK && !*next;
    return err;
}

/* What the store has of tenants that were removed, whether the database knows of it or not. */
static enum err remove_gone(struct job_pass *pass, struct store *store, int *out_removed)
{
    char prefix[PLACE_BYTES] = "";
    bool is_done = true;
    enum err err = OK;

    while (err == OK && is_done) {
        struct db_args args;
        struct db_rows *rows;
        db_args_init(&args, pass->op->arena);
        db_arg_text(&args, prefix);
        err = job_run_alone(pass, &q_job_store_gone_next, &args, &rows);
        if (err != OK || db_count(rows) == 0) {
            break;
        }
        int64_t noted_us = db_time(rows, 0, JOB_STORE_GONE_NEXT_NOTED_AT);
        err = keep_text(pass, db_text(rows, 0, JOB_STORE_GONE_NEXT_PREFIX), prefix);
        if (err == OK) {
            err = remove_below(pass, store, prefix, out_removed, &is_done);
        }
        if (err == OK && is_done) {
            db_args_init(&args, pass->op->arena);
            db_arg_text(&args, prefix);
            db_arg_time(&args, noted_us);
            err = job_run_alone(pass, &q_job_store_gone_done, &args, NULL);
        }
    }
    return err;
}

static enum err tidy(struct job_pass *pass, struct store *store, int *out_removed, int *out_swept)
{
    enum err err;
    int n = 0;

    do {
        err = empty_trash(pass, store, &n);
        *out_removed += n;
    } while (err == OK && n == TRASH_AT_ONCE && !worker_is_stopping(pass->stop_fd, 0));
    if (err == OK) {
        err = remove_gone(pass, store, out_removed);
    }
    return err == OK ? store_sweep(store, pass->op, UNFINISHED_AGE_S, out_swept) : err;
}

/* What is given up is the database's alone, and its room is free again while the store is away. */
enum err job_objects(struct job_pass *pass)
{
    struct store *store = NULL;
    struct db_rows *rows;
    int removed = 0, swept = 0;
    enum err err = job_run_alone(pass, &q_job_upload_prune, NULL, &rows);

    if (err != OK) {
        return err;
    }
    long long given_up = db_int64(rows, 0, JOB_UPLOAD_PRUNE_REMOVED);
    err = store_open(pass->op, pass->config, &store);
    if (err == OK) { /* one that was away at migrate's time is made now */
        err = archive_find_place(pass->op, pass->conn, store);
    }
    if (err == OK) {
        err = tidy(pass, store, &removed, &swept);
    }
    store_close(store);
    snprintf(pass->detail, sizeof pass->detail, "given_up=%lld removed=%d swept=%d", given_up,
             removed, swept);
    return err;
}
