/* PostgreSQL's own programs (pg_dump, pg_restore, createdb, dropdb) as children: found by the
 * server's version, with a pipe to one end of them, and their last words where they fail. No shell,
 * and no password where other processes see it. Called by the parts of this folder. */
#ifndef TIDEMARK_BACKUP_PROGRAM_H
#define TIDEMARK_BACKUP_PROGRAM_H

#include "base/op.h"

enum program_pipe { PROGRAM_OUTPUT, PROGRAM_INPUT, PROGRAM_NEITHER };

/* What is started. */
struct program_call {
    const char *name;               /* "pg_dump" */
    int major;                      /* of the server: 15 to 18 */
    const char *const *args;        /* after the name; ended by NULL */
    const char *const *environment; /* of db_url_environment */
    enum program_pipe pipe;         /* what `fd` of the running one is */
};

/* One that runs. */
struct program {
    const char *name;
    int pid;
    int fd;   /* where its output is read or its input written; -1: neither */
    int said; /* a file in memory with what it says of failures */
};

/* Starts it: that of /usr/lib/postgresql/<major>/bin, where it is, else the one of PATH.
 * ERR_UNAVAILABLE where there is none. One of the two below ends it. */
enum err program_start(struct op *op, const struct program_call *call,
                       struct program *out) MUST_CHECK;

/* Closes the pipe and gives it so long to end; whether it has. */
bool program_wait(struct program *program, int wait_ms);

/* Closes the pipe and waits for the end. ERR_INTERNAL, with its own words, unless it succeeded. */
enum err program_end(struct program *program, struct op *op) MUST_CHECK;

/* Ends it at once. */
void program_kill(struct program *program);

/* Starts one without a pipe and waits for it. */
enum err program_run(struct op *op, const struct program_call *call) MUST_CHECK;

#endif
