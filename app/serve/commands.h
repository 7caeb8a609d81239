/* The subcommands of `tidemark`. Each parses its own arguments (argv[0] is its name), prints data
 * on standard output and everything else on standard error, and returns the exit status:
 * 0 done, 1 failed, 2 wrong usage. */
#ifndef TIDEMARK_SERVE_COMMANDS_H
#define TIDEMARK_SERVE_COMMANDS_H

#include "base/config.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One function a subcommand; what it does says its --help. */
int cmd_serve(const struct config *config, int argc, char **argv);
int cmd_worker(const struct config *config, int argc, char **argv);
int cmd_maintenance(const struct config *config, int argc, char **argv);
int cmd_migrate(const struct config *config, int argc, char **argv);
int cmd_tenant(const struct config *config, int argc, char **argv);
int cmd_user(const struct config *config, int argc, char **argv);
int cmd_token(const struct config *config, int argc, char **argv);
int cmd_device(const struct config *config, int argc, char **argv);
int cmd_import(const struct config *config, int argc, char **argv);
int cmd_seed(const struct config *config, int argc, char **argv);
int cmd_backup(const struct config *config, int argc, char **argv);
int cmd_restore(const struct config *config, int argc, char **argv);
int cmd_archive(const struct config *config, int argc, char **argv);
int cmd_archive_verify(const struct config *config, int argc, char **argv);
int cmd_check(const struct config *config, int argc, char **argv);

/* What `tidemark restore --from-archive` does; what to exit with. */
int rebuild_database(const struct config *config, bool skips_damaged);

#endif
