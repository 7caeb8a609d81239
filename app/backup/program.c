/* Starting PostgreSQL's programs and hearing how they ended. */
#include "backup/program.h"

#include "base/str.h"

#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>

#define MAX_ARGS 16
#define MAX_SAID_BYTES 16384

extern char **environ;

/* ---- what it is started with ---- */

static const char *find_file(struct op *op, const struct program_call *call)
{
    const char *path =
        arena_printf(op->arena, "/usr/lib/postgresql/%d/bin/%s", call->major, call->name);

    return path && access(path, X_OK) == 0 ? path : call->name;
}

/* Ours without what libpq reads, and the connection's; messages in English. NULL without memory. */
static const char **make_environment(struct op *op, const char *const *connection)
{
    size_t n = 2;

    for (char **own = environ; *own; own++) {
        n++;
    }
    for (const char *const *more = connection; *more; more++) {
        n++;
    }
    const char **list = arena_array(op->arena, n, sizeof *list);
    if (!list) {
        return NULL;
    }
    n = 0;
    for (char **own = environ; *own; own++) {
        struct str variable = str_of(*own);
        if (!str_starts_with(variable, STR("PG")) && !str_starts_with(variable, STR("LC_ALL="))) {
            list[n++] = *own;
        }
    }
    for (const char *const *more = connection; *more; more++) {
        list[n++] = *more;
    }
    list[n] = "LC_ALL=C";
    return list;
}

/* ---- starting ---- */

/* The child's three descriptors; `theirs` is its end of the pipe, or -1. */
static bool arrange(posix_spawn_file_actions_t *actions, const struct program_call *call,
                    int theirs, int said)
{
    bool is_in = call->pipe == PROGRAM_INPUT, is_out = call->pipe == PROGRAM_OUTPUT;
    int in =
        is_in ? posix_spawn_file_actions_adddup2(actions, theirs, STDIN_FILENO)
              : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    int out =
        is_out ? posix_spawn_file_actions_adddup2(actions, theirs, STDOUT_FILENO)
               : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);

    return in == 0 && out == 0 &&
           posix_spawn_file_actions_adddup2(actions, said, STDERR_FILENO) == 0;
}

/* Signals that we ignore or block would be ignored or blocked by the child, too. Returns errno, 0
 * for none. */
static int spawn(struct op *op, const struct program_call *call, int theirs,
                 struct program *program)
{
    const char *args[MAX_ARGS] = { call->name };
    const char **environment = make_environment(op, call->environment);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    pid_t pid = -1;
    int status = ENOMEM;

    for (int i = 0; i < MAX_ARGS - 2 && call->args[i]; i++) {
        args[i + 1] = call->args[i];
    }
    if (!environment || posix_spawn_file_actions_init(&actions) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attributes) == 0) {
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGPIPE);
        (void)posix_spawnattr_setsigdefault(&attributes, &signals);
        (void)sigemptyset(&signals);
        (void)posix_spawnattr_setsigmask(&attributes, &signals);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        if (arrange(&actions, call, theirs, program->said)) {
            /* posix_spawn changes neither list; its prototype is older than const */
            status = posix_spawnp(&pid, find_file(op, call), &actions, &attributes,
                                  (char **)(uintptr_t)args, (char **)(uintptr_t)environment);
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    program->pid = pid;
    return status;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

enum err program_start(struct op *op, const struct program_call *call, struct program *out)
{
    int ends[2] = { -1, -1 }; /* read, write */
    int ours = call->pipe == PROGRAM_INPUT ? 1 : 0;

    *out = (struct program){ .name = call->name, .pid = -1, .fd = -1 };
    out->said = memfd_create(call->name, MFD_CLOEXEC);
    if (out->said < 0 || (call->pipe != PROGRAM_NEITHER && pipe2(ends, O_CLOEXEC) != 0)) {
        close_fd(&out->said);
        return fail(op, ERR_UNAVAILABLE, "cannot start %s: %s", call->name, strerror(errno));
    }
    int status = spawn(op, call, ends[1 - ours], out);
    close_fd(&ends[1 - ours]);
    out->fd = ends[ours];
    if (status == 0) {
        return OK;
    }
    close_fd(&out->fd);
    close_fd(&out->said);
    return status == ENOENT
               ? fail(op, ERR_UNAVAILABLE,
                      "%s of PostgreSQL %d is not installed (Debian's package "
                      "postgresql-client-%d)",
                      call->name, call->major, call->major)
               : fail(op, ERR_UNAVAILABLE, "cannot start %s: %s", call->name, strerror(status));
}

/* ---- ending ---- */

/* The first line that tells of an error, else the last line. */
static struct str find_words(struct str said)
{
    struct str last = STR("it said nothing");

    while (said.ptr) {
        struct str line = str_trim(str_cut(&said, '\n'));
        if (line.len > 0) {
            last = line;
        }
        if (memmem(line.ptr, line.len, "error:", 6)) {
            return line;
        }
    }
    return last;
}

static enum err fail_with_words(struct program *program, struct op *op, int status)
{
    char *said = arena_alloc(op->arena, MAX_SAID_BYTES);
    ssize_t n = said ? pread(program->said, said, MAX_SAID_BYTES, 0) : 0;
    struct str words = find_words((struct str){ said, n > 0 ? (size_t)n : 0 });

    if (WIFSIGNALED(status)) {
        return fail(op, ERR_INTERNAL, "%s was ended by signal %d", program->name, WTERMSIG(status));
    }
    return fail(op, ERR_INTERNAL, "%s failed: %.*s", program->name, (int)words.len, words.ptr);
}

static int await(struct program *program)
{
    int status = -1;

    while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR) {
    }
    program->pid = -1;
    return status;
}

static bool has_ended(const struct program *program)
{
    siginfo_t info = { .si_pid = 0 };
    int found = waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT);

    return found == 0 ? info.si_pid != 0 : errno != EINTR;
}

bool program_wait(struct program *program, int wait_ms)
{
    close_fd(&program->fd);
    if (has_ended(program)) {
        return true;
    }
    (void)poll(NULL, 0, wait_ms);
    return has_ended(program);
}

enum err program_end(struct program *program, struct op *op)
{
    close_fd(&program->fd);
    int status = await(program);
    enum err err =
        WIFEXITED(status) && WEXITSTATUS(status) == 0 ? OK : fail_with_words(program, op, status);

    close_fd(&program->said);
    return err;
}

void program_kill(struct program *program)
{
    close_fd(&program->fd);
    if (program->pid > 0) {
        (void)kill(program->pid, SIGKILL);
        (void)await(program);
    }
    close_fd(&program->said);
}

enum err program_run(struct op *op, const struct program_call *call)
{
    struct program program;
    enum err err = program_start(op, call, &program);

    return err == OK ? program_end(&program, op) : err;
}
