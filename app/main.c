/* The one binary: finds the subcommand, reads the settings, and hands over. */
#include "base/config.h"
#include "base/crypto.h"
#include "gen/version.h"
#include "serve/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int cmd_version(const struct config *config, int argc, char **argv)
{
    (void)config;
    (void)argc;
    (void)argv;
    printf("tidemark %s (%s)\n", TIDEMARK_VERSION, TIDEMARK_COMMIT);
    return EXIT_OK;
}

/* What a command asks for before it runs: nothing (it works whatever the settings are), or the
 * settings; services log as those say, other commands only what went wrong. */
struct command {
    const char *name;
    int (*run)(const struct config *config, int argc, char **argv);
    const char *help;
    enum { NEEDS_NOTHING, NEEDS_CONFIG, IS_SERVICE } kind;
};

static int cmd_help(const struct config *config, int argc, char **argv);

static const struct command COMMANDS[] = {
    { "serve", cmd_serve, "answer pages, the API and ingest over FastCGI", IS_SERVICE },
    { "worker", cmd_worker, "run the maintenance jobs", IS_SERVICE },
    { "migrate", cmd_migrate, "bring the database to this version's schema", NEEDS_CONFIG },
    { "maintenance", cmd_maintenance, "keep everybody out for a while, or do all upkeep now",
      NEEDS_CONFIG },
    { "tenant", cmd_tenant, "add, list, remove tenants", NEEDS_CONFIG },
    { "user", cmd_user, "add, list persons; set passwords", NEEDS_CONFIG },
    { "token", cmd_token, "add, revoke, list tokens", NEEDS_CONFIG },
    { "device", cmd_device, "add, list, import devices", NEEDS_CONFIG },
    { "import", cmd_import, "bring in readings from a file", NEEDS_CONFIG },
    { "backup", cmd_backup, "back up the whole database, list and verify backups", NEEDS_CONFIG },
    { "restore", cmd_restore, "put a backup, or what the archive has, in place of the database",
      NEEDS_CONFIG },
    { "archive", cmd_archive, "finished days as files in the object store", NEEDS_CONFIG },
    { "check", cmd_check, "ask every part whether it is well", NEEDS_CONFIG },
    { "seed", cmd_seed, "make the demo tenants, or let their devices post", NEEDS_CONFIG },
    { "version", cmd_version, "print the version", NEEDS_NOTHING },
    { "help", cmd_help, "print this, and the settings", NEEDS_NOTHING },
};
#define N_COMMANDS (sizeof COMMANDS / sizeof COMMANDS[0])

static void print_usage(FILE *out)
{
    fputs("usage: tidemark [--config FILE] COMMAND [ARGUMENT…]\n\n", out);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        fprintf(out, "  %-11s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    }
    fputs("\nEvery command has --help.\n", out);
}

static int cmd_help(const struct config *config, int argc, char **argv)
{
    (void)config;
    bool is_markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0;

    if (!is_markdown) {
        print_usage(stdout);
        puts("\nSettings, from the environment or a file given with --config (the environment "
             "wins):\n");
    }
    config_print(stdout, is_markdown);
    return EXIT_OK;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int run_command(const struct command *command, const char *path, int argc, char **argv)
{
    struct config config = { .home = NULL };
    char error[512];

    if (command->kind != NEEDS_NOTHING && !asks_for_help(argc, argv) &&
        !config_load(&config, path, error, sizeof error)) {
        fprintf(stderr, "tidemark: %s\n", error);
        return EXIT_FAILED;
    }
    if (!crypto_open()) {
        fputs("tidemark: libsodium cannot start\n", stderr);
        return EXIT_FAILED;
    }
    /* at a terminal the command's own words say what happened; the log is for what they do not */
    bool is_quiet = command->kind != IS_SERVICE && config.log_level == LOG_INFO;
    log_open(is_quiet ? LOG_WARN : config.log_level, config.log_format, command->name);
    int status = command->run(&config, argc, argv);
    config_free(&config);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "tidemark: writing the output failed: %s\n", strerror(errno));
        return status == EXIT_OK ? EXIT_FAILED : status;
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    int at = 1;

    if (at < argc && strcmp(argv[at], "--config") == 0) {
        if (at + 1 >= argc) {
            fputs("tidemark: --config needs a file\n", stderr);
            return EXIT_USAGE;
        }
        path = argv[at + 1];
        at += 2;
    }
    if (at >= argc) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[at];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const struct command *command = find_command(name);
    if (!command) {
        fprintf(stderr, "tidemark: there is no command %s\n", name);
        print_usage(stderr);
        return EXIT_USAGE;
    }
    return run_command(command, path, argc - at, argv + at);
}
