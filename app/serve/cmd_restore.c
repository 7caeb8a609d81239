/* `tidemark restore`: a backup in place of the database. */
#include "backup/trial.h"
#include "serve/commands.h"
#include "serve/options.h"

#define RESTORE_ARENA_BYTES (64u << 20) /* manifests, a list of them */

static const struct options_help HELP = {
    .usage = "tidemark restore BACKUP|latest [--from FOLDER] [--force|--trial]",
    .about = "Restores a backup of `tidemark backup` into a new database, compares it with the\n"
             "backup's manifest, brings it to this version's schema, and gives it the name of\n"
             "the database that DATABASE_URL names. That one stays, under a name that is told.\n"
             "A trial leaves that one alone, and what it came to is in /metrics.\n"
             "Connects as a superuser.",
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
    const struct option_row rows[] = {
        { "--from", "FOLDER", "where it is, in place of BACKUP_FOLDER or the object store", &folder,
          NULL },
        { "--force", NULL, "also where there are data or sessions, which are ended", NULL,
          &wish.is_forced },
        { "--trial", NULL, "restore, compare, and drop what was restored", NULL, &wish.is_trial },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, &words);
    struct backups backups;
    struct op op;

    if (status >= 0) {
        return status;
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
