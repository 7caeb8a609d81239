/* `tidemark backup [list|verify]`: backups of the whole database. */
#include "backup/backup.h"
#include "base/clock.h"
#include "serve/commands.h"
#include "serve/options.h"

#include <sys/stat.h>

#define BACKUP_ARENA_BYTES (64u << 20) /* manifests, a list of them */

/* What all three have open. */
struct session {
    struct arena *arena;
    struct op op;
    struct backups backups;
    const char *folder, *keep;
    bool is_made; /* the folder is */
};

static int close_session(struct session *session, enum err err)
{
    if (err != OK && session->arena) {
        options_complain(&session->op);
    }
    if (session->arena) {
        backups_close(&session->backups);
    }
    arena_free(session->arena);
    return err == OK ? EXIT_OK : EXIT_FAILED;
}

static enum err open_session(struct session *session, const struct config *config)
{
    session->arena = arena_new(BACKUP_ARENA_BYTES);
    if (!session->arena) {
        return ERR_INTERNAL;
    }
    (void)umask(077); /* who reads a backup reads all tenants' */
    op_init(&session->op, session->arena, "backup");
    return backups_open(&session->backups, &session->op, config, session->folder);
}

static void print_backup(const struct backup *backup)
{
    char made[CLOCK_TEXT_SIZE];

    printf("%s\t%s\t%lld bytes\tschema %d\t%s\tPostgreSQL %s\tinstallation %.8s\n",
           backup->name, clock_format(backup->made_us / US_PER_SECOND * US_PER_SECOND, made),
           (long long)backup->n_bytes, backup->schema, backup->engine, backup->server_version,
           backup->installation ? backup->installation : "unknown");
}

/* ---- making ---- */

static enum err make(struct session *session, int keep)
{
    struct backup backup;
    int n_removed;
    enum err err = backups_prepare(&session->backups, session->is_made);

    err = err ? err : backup_make(&session->backups, &backup);
    if (err != OK) {
        return err;
    }
    print_backup(&backup);
    (void)fflush(stdout);
    err = backup_prune(&session->backups, keep, &backup, &n_removed);
    if (err == OK && n_removed > 0) {
        fprintf(stderr, "%d older removed\n", n_removed);
    }
    return err;
}

static int cmd_make(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark backup [--to FOLDER] [--make] [--keep N]\n"
                 "       tidemark backup list|verify …",
        .about = "Backs up the whole database with pg_dump, as the role tidemark_backup, into the\n"
                 "object store under backup/ or into a folder, while everything goes on. Prints\n"
                 "the backup's name. `tidemark restore` brings one back. Files that people sent\n"
                 "are in the object store and not in it.",
    };
    struct session session = { .folder = NULL };
    const struct option_row rows[] = {
        { "--to", "FOLDER", "where to, in place of BACKUP_FOLDER or the object store",
          &session.folder, NULL },
        { "--make", NULL, "make that folder: once, when its disk is mounted", NULL,
          &session.is_made },
        { "--keep", "N", "how many are kept, the newest (7)", &session.keep, NULL },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, NULL);
    long long keep = BACKUP_KEEP;

    if (status >= 0) {
        return status;
    }
    if (session.keep && (!str_to_int64(str_of(session.keep), &keep) || keep < 1 || keep > 100000)) {
        return options_misused(&HELP, "--keep wants a number from 1 on");
    }
    enum err err = open_session(&session, config);
    return close_session(&session, err == OK ? make(&session, (int)keep) : err);
}

/* ---- list, verify ---- */

typedef enum err (*visit_backup)(struct session *session, const struct backup *backup);

/* Visits one, or all from the oldest on; what is damaged is told, and the others are visited. */
static enum err visit(struct session *session, const char *name, visit_backup visitor)
{
    const char *const *names = &name;
    int n = 1, n_failed = 0;
    enum err err = name ? OK : backup_list(&session->backups, &names, &n);

    for (int i = 0; i < n && err == OK; i++) {
        struct backup backup;
        enum err found = backup_read(&session->backups, names[i], &backup);
        found = found ? found : visitor(session, &backup);
        if (found != OK && found != ERR_INVALID && found != ERR_NOT_FOUND) {
            return found; /* the store is away, say: of the backup that says nothing */
        }
        if (found != OK) {
            printf("damaged\t%s\t%s\n", names[i], session->op.fault.detail);
            op_clear_fault(&session->op);
            n_failed++;
        }
    }
    if (err == OK && n_failed > 0) {
        return fail(&session->op, ERR_INVALID, "%d of %d backups are damaged or missing", n_failed,
                    n);
    }
    return err;
}

static enum err show(struct session *session, const struct backup *backup)
{
    (void)session;
    print_backup(backup);
    return OK;
}

static enum err verify(struct session *session, const struct backup *backup)
{
    enum err err = backup_verify(&session->backups, backup);

    if (err == OK) {
        printf("sound\t%s\t%lld bytes\n", backup->name, (long long)backup->n_bytes);
    }
    return err;
}

static int visit_all(const struct config *config, int argc, char **argv,
                     const struct options_help *help, visit_backup visitor)
{
    struct session session = { .folder = NULL };
    const char *name = NULL;
    struct option_words words = { &name, visitor == verify ? 1 : 0, 0 };
    const struct option_row rows[] = {
        { "--from", "FOLDER", "where they are, in place of BACKUP_FOLDER or the object store",
          &session.folder, NULL },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, help, rows, visitor == verify ? &words : NULL);

    if (status >= 0) {
        return status;
    }
    enum err err = open_session(&session, config);
    return close_session(&session, err == OK ? visit(&session, name, visitor) : err);
}

static int cmd_list(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark backup list [--from FOLDER]",
        .about = "Lists the backups, the oldest first: name, when, bytes, the newest migration,\n"
                 "engine, the server's version, whose it is (the installation).",
    };

    return visit_all(config, argc, argv, &HELP, show);
}

static int cmd_verify(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark backup verify [BACKUP|latest] [--from FOLDER]",
        .about = "Reads backups whole (all, or one) and holds them against their checksums.\n"
                 "Names those that are damaged, and fails when there is one.",
    };

    return visit_all(config, argc, argv, &HELP, verify);
}

int cmd_backup(const struct config *config, int argc, char **argv)
{
    bool is_list = argc > 1 && strcmp(argv[1], "list") == 0;
    bool is_verify = argc > 1 && strcmp(argv[1], "verify") == 0;

    if (is_list || is_verify) {
        return (is_list ? cmd_list : cmd_verify)(config, argc - 1, argv + 1);
    }
    return cmd_make(config, argc, argv);
}
