/* `tidemark archive verify`: files are read whole, their manifests and the newest catalogues, and
 * the store is looked through for what nobody knows of. Called by cmd_archive.c. */
#include "archive/catalogue.h"
#include "base/crypto.h"
#include "gen/queries.h"
#include "serve/commands.h"
#include "serve/unknown.h"

#include <stdio.h>

#define PAGE_TENANTS 100

struct checking {
    struct chosen chosen;       /* n_failed: damaged, missing, and numbers that a day lacks */
    const char *sample;         /* how many files, as it is written; NULL: all */
    long long n_wanted, n_left; /* so many are still to be chosen, of so many that are to come */
    int n_read, n_unknown;
    char manifest[STORE_MAX_KEY_BYTES + 1]; /* the key of the last one that was read */
};

/* Tells what is wrong with an object, and forgets that failure. */
static void tell_bad(struct chosen *chosen, enum err err, const char *object)
{
    printf("%s\t%s\t%s\n", archive_finding(err), object, chosen->op.fault.detail);
    op_clear_fault(&chosen->op);
    chosen->n_failed++;
}

static bool is_lost(enum err err)
{
    return err == ERR_INVALID || err == ERR_NOT_FOUND;
}

/* ---- files ---- */

/* Tells which numbers of the file's day are not there before it. Of what is derived the last one
 * has all, so that none is missed. */
static void tell_gap(struct chosen *chosen, const struct db_rows *list, int at)
{
    struct archive_file file = chosen_file(list, at);
    const struct archive_table *table = archive_table_named(file.relation);
    int last = at > 0 ? db_int(list, at - 1, ARCHIVE_LIST_N) : chosen->after.n;

    if (table == NULL || table->is_derived) {
        return;
    }
    if (chosen_is_first(chosen, list, at)) {
        last = 0;
    }
    for (int n = last + 1; n < file.n; n++) {
        printf("missing\t" ARCHIVE_DAY_FORMAT "\tfile %d of this day\n", file.relation, file.tenant,
               file.day, n);
        chosen->n_failed++;
    }
}

/* A visitor. */
static enum err count_one(void *context, const struct db_rows *list, int at)
{
    struct checking *checking = context;

    (void)list, (void)at;
    checking->n_left++;
    return OK;
}

/* Whether the file that comes is read. Of a sample each has the chance of (so many as are wanted)
 * in (so many as are left), which makes every choice of that many as likely as any other (Knuth,
 * The Art of Computer Programming, 3.4.2, algorithm S). */
static bool is_chosen(struct checking *checking)
{
    uint64_t number;

    if (checking->sample == NULL) {
        return true;
    }
    crypto_random(&number, sizeof number);
    bool is = checking->n_left > 0 &&
              number % (uint64_t)checking->n_left < (uint64_t)checking->n_wanted;
    checking->n_left -= checking->n_left > 0;
    checking->n_wanted -= is;
    return is;
}

/* The manifest beside a file, once for both files of a number. One that is lost is noted, for the
 * archiver to write it anew. */
static enum err verify_manifest(struct checking *checking, const struct db_rows *list, int at)
{
    struct chosen *chosen = &checking->chosen;
    struct archive_file file = chosen_file(list, at);
    const char *key = archive_manifest_key(chosen->pages, &file);
    struct db_args args;

    if (key == NULL) {
        return fail_memory(&chosen->op);
    }
    if (strcmp(key, checking->manifest) == 0) {
        return OK;
    }
    snprintf(checking->manifest, sizeof checking->manifest, "%s", key);
    enum err err = archive_verify_manifest(&chosen->archive, &file);
    if (err == OK || err_may_pass(err)) {
        return err;
    }
    tell_bad(chosen, err, key);
    db_args_init(&args, chosen->pages);
    db_arg_int64(&args, db_int64(list, at, ARCHIVE_LIST_ID));
    return is_lost(err) ? chosen_ask(chosen, db_int(list, at, ARCHIVE_LIST_TENANT_ID),
                                     &q_archive_lose, &args, NULL)
                        : OK;
}

/* A visitor. A store that is away says nothing of the files in it: that ends the visit. */
static enum err verify_one(void *context, const struct db_rows *list, int at)
{
    struct checking *checking = context;
    struct chosen *chosen = &checking->chosen;
    struct archive_file file = chosen_file(list, at);
    struct db_args args;

    tell_gap(chosen, list, at);
    if (!is_chosen(checking)) {
        return OK;
    }
    enum err err = archive_verify_file(&chosen->archive, &file);
    if (err_may_pass(err)) {
        return err;
    }
    checking->n_read++;
    if (err != OK) {
        tell_bad(chosen, err, file.object);
    }
    db_args_init(&args, chosen->pages);
    db_arg_int64(&args, db_int64(list, at, ARCHIVE_LIST_ID));
    db_arg_text(&args, archive_finding(err));
    err = chosen_ask(chosen, db_int(list, at, ARCHIVE_LIST_TENANT_ID), &q_archive_verify_done,
                     &args, NULL);
    return err ? err : verify_manifest(checking, list, at);
}

/* ---- catalogues ---- */

/* One that is lost is noted, for the archiver to write another. */
static enum err verify_catalogue(struct chosen *chosen, const struct db_rows *list, int at)
{
    const char *object = db_text(list, at, CATALOGUE_NEWEST_OBJECT);
    struct db_args args;
    struct db_rows *rows;
    enum err err = catalogue_read(&chosen->archive, object, NULL, NULL);

    if (err == OK || err_may_pass(err)) {
        return err;
    }
    if (is_lost(err)) {
        struct fault fault = chosen->op.fault;
        op_clear_fault(&chosen->op);
        db_args_init(&args, chosen->pages);
        db_arg_text(&args, object);
        enum err asked = chosen_ask(chosen, db_int(list, at, CATALOGUE_NEWEST_TENANT_ID),
                                    &q_catalogue_lose, &args, &rows);
        if (asked != OK || !db_bool(rows, 0, CATALOGUE_LOSE_IS_KNOWN)) {
            return asked; /* it was swept meanwhile, with its tenant */
        }
        chosen->op.fault = fault;
    }
    tell_bad(chosen, err, object);
    return OK;
}

/* The newest one of each tenant, or of the one that is chosen: it alone is what a database is made
 * of. */
static enum err verify_catalogues(struct chosen *chosen)
{
    const char *after = NULL;
    struct db_args args;
    struct db_rows *list;
    enum err err = OK;
    int n;

    do {
        arena_reset(chosen->pages);
        db_args_init(&args, chosen->pages);
        db_arg_text(&args, chosen->tenant);
        db_arg_text(&args, after);
        db_arg_int(&args, PAGE_TENANTS);
        err = chosen_ask(chosen, 0, &q_catalogue_newest, &args, &list);
        n = err == OK ? db_count(list) : 0;
        for (int i = 0; i < n && err == OK; i++) {
            err = verify_catalogue(chosen, list, i);
        }
        if (err == OK && n > 0) {
            after = arena_copy(chosen->arena, db_str(list, n - 1, CATALOGUE_NEWEST_SLUG));
            err = after != NULL ? OK : fail_memory(&chosen->op);
        }
    } while (err == OK && n == PAGE_TENANTS);
    return err;
}

/* ---- what nobody knows of ---- */

/* A visitor. */
static enum err tell_unknown(void *context, const char *const *keys, int n)
{
    struct checking *checking = context;

    for (int i = 0; i < n; i++) {
        printf("unknown\t%s\n", keys[i]);
    }
    checking->n_unknown += n;
    return OK;
}

/* ---- the command ---- */

static enum err check_files(struct checking *checking)
{
    struct chosen *chosen = &checking->chosen;
    bool has_all_days = !chosen->from && !chosen->to && !chosen->table;
    bool is_all = has_all_days && !chosen->tenant;
    enum err err =
        checking->sample ? chosen_visit(chosen, count_one, checking) : OK;

    if (err == OK) {
        err = chosen_visit(chosen, verify_one, checking);
    }
    if (err == OK && !is_all && chosen->n_files == 0) {
        return fail(&chosen->op, ERR_NOT_FOUND, "the archive has none of these days");
    }
    if (err == OK && has_all_days) {
        err = verify_catalogues(chosen);
    }
    if (err == OK && is_all && !checking->sample) {
        err = unknown_visit(chosen, INT64_MAX, tell_unknown, checking);
    }
    fprintf(stderr, "%d of %d files read, %d damaged or missing\n", checking->n_read,
            chosen->n_files, chosen->n_failed);
    if (checking->n_unknown > 0) {
        fprintf(stderr, "%d objects that the database does not know of\n", checking->n_unknown);
    }
    return err;
}

int cmd_archive_verify(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive verify [--tenant SLUG] [--from DAY] [--to DAY] [--table NAME]\n"
                 "       [--sample N]",
        .about = "Reads files whole: their checksums and each row; their manifests; and the\n"
                 "newest catalogue of each tenant, unless days or a table are chosen. Lists those\n"
                 "that are damaged or missing, and numbers that a day lacks, and fails when there\n"
                 "is one: manifests and catalogues are written anew by the next run. Of all files\n"
                 "it lists what the store has beside them, too, which is no failure.",
    };
    struct checking checking = { .sample = NULL };
    const struct option_row own[] = {
        { "--sample", "N", "so many files, chosen at random; else all", &checking.sample, NULL },
        { .name = NULL },
    };
    int status = chosen_parse(&checking.chosen, argc, argv, &HELP, own);
    bool is_number =
        checking.sample == NULL ||
        (str_to_int64(str_of(checking.sample), &checking.n_wanted) && checking.n_wanted > 0);

    if (status < 0 && !is_number) {
        status = options_misused(&HELP, "--sample: a number from 1 on");
    }
    if (status >= 0) {
        return status;
    }
    enum err err = chosen_open(&checking.chosen, config);
    return chosen_close(&checking.chosen, err == OK ? check_files(&checking) : err);
}
