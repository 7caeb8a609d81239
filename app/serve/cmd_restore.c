/* `tidemark restore`: a backup in place of the database, or one made of the archive
 * (cmd_rebuild.c). */
#include "backup/trial.h"
#include "serve/commands.h"
#include "serve/options.h"

#define RESTORE_ARENA_BYTES (64u << 20) /* manifests, a list of them */

static const struct options_help HELP = {
    .usage = "tidemark restore BACKUP|latest [--from FOLDER] [--force|--trial]\n"
             "       tidemark restore --from-archive [--skip-damaged]",
    .about = "Restores a backup of `tidemark backup` into a new database, compares it with the\n"
             "backup's manifest, brings it to this version's schema, and gives it the name of\n"
             "the database that DATABASE_URL names. That one stays, under a name that is told.\n"
             "A trial leaves that one alone, and what it came to is in /metrics.\n"
             "Connects as a superuser.\n"
             "With --from-archive fills an empty, migrated database from the object store alone:\n"
             "tenants with what they have, and all archived days. Run again, it goes on.",
};

static enum err restore(struct backups *backups, const struct restore_wish *wish)
{
    struct restore_told told;
    bool is_busy;

    return wish->is_trial ? backup_trial(backups, wish, &told, &is_busy)
                          : backup_restore(backups, wish, &told);
}

int cmd_restore(const struct config *config, int argc, char **argv)
{
    struct restore_wish wish = { .progress = stderr };
    struct option_words words = { &wish.name, 1, 0 };
    const char *folder = NULL;
    bool is_from_archive = false, skips_damaged = false;
    const struct option_row rows[] = {
        { "--from", "FOLDER", "where it is, in place of BACKUP_FOLDER or the object store", &folder,
          NULL },
        { "--force", NULL, "also where there are data or sessions, which are ended", NULL,
          &wish.is_forced },
        { "--from-archive", NULL, "no backup: what the archive has, into an empty database", NULL,
          &is_from_archive },
        { "--skip-damaged", NULL, "from the archive: go on without what is damaged or missing",
          NULL, &skips_damaged },
        { "--trial", NULL, "restore, compare, and drop what was restored", NULL, &wish.is_trial },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, &words);
    struct backups backups;
    struct op op;

    if (status >= 0) {
        return status;
    }
    bool is_of_backup = wish.name || folder || wish.is_forced || wish.is_trial;
    if (is_from_archive ? is_of_backup : skips_damaged) {
        return options_misused(&HELP, "a backup or the archive, and the options of that alone");
    }
    if (is_from_archive) {
        return rebuild_database(config, skips_damaged);
    }
    if (!wish.name) {
        return options_misused(&HELP, "which backup? (`tidemark backup list` has them)");
    }
    struct arena *arena = arena_new(RESTORE_ARENA_BYTES);
    if (!arena) {
        return EXIT_FAILED;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* pg_restore may end before it has read all */
    op_init(&op, arena, "restore");
    enum err err = backups_open(&backups, &op, config, folder);
    err = err ? err : restore(&backups, &wish);
    backups_close(&backups);
    if (err != OK) {
        options_complain(&op);
    }
    arena_free(arena);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}
