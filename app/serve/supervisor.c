/* The parent of `tidemark serve`. It opens no database and answers no request, so there is
 * little that could fail in it; it waits for signals and deadlines and for nothing else. Called
 * by cmd_serve. */
#include "serve/supervisor.h"

#include "base/clock.h"

#include <stdio.h>
#include <sys/prctl.h>

#define DRAIN_SECONDS 20 /* for running requests; then they are cut */
#define BACKOFF_FIRST_US (100 * INT64_C(1000))
#define BACKOFF_MAX_US (2 * US_PER_SECOND) /* devices wait for it to be over */
#define STEADY_US (30 * US_PER_SECOND) /* having run so long, a child starts anew at once */
#define NEVER INT64_MAX

struct child {
    const struct supervised *kind;
    struct process_counters *counters;
    pid_t pid;          /* 0: not running */
    int64_t started_us; /* monotonic */
    int64_t restart_us; /* when it is started again, while pid is 0 */
    int64_t backoff_us; /* what it waits after its next end */
};

struct supervisor {
    const struct serve_setup *setup;
    struct child children[METRICS_MAX_PROCESSES];
    int n_children;
    sigset_t signals; /* blocked, and waited for */
};

/* ---- children ---- */

/* In the child: never returns. Leaves without running the parent's cleanups. */
static void become_child(const struct supervisor *supervisor, const struct child *child,
                         pid_t parent)
{
    const struct config *config = supervisor->setup->config;
    char title[16]; /* all that the kernel keeps */

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(1); /* the parent died before we asked to be told */
    }
    log_open(config->log_level, config->log_format, child->kind->name);
    (void)snprintf(title, sizeof title, "tidemark-%s", child->kind->name);
    prctl(PR_SET_NAME, title); /* what `ps -o comm` and top show */
    /* SIGTERM stays blocked until the child's own stop descriptor takes it: none is lost */
    _exit(child->kind->run(supervisor->setup));
}

static void start_child(const struct supervisor *supervisor, struct child *child)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        become_child(supervisor, child, parent);
    }
    if (pid < 0) {
        log_error("starting a process failed", LOG_TEXT("process", child->kind->name),
                  LOG_INT("errno", errno));
        child->restart_us = clock_monotonic_us() + BACKOFF_MAX_US;
        return;
    }
    child->pid = pid;
    child->started_us = clock_monotonic_us();
    atomic_store(&child->counters->pid, pid);
    atomic_fetch_add(&child->counters->starts, 1);
    log_debug("started", LOG_TEXT("process", child->kind->name), LOG_INT("pid", pid));
}

static void note_end(struct child *child, int status)
{
    int64_t now_us = clock_monotonic_us();

    if (now_us - child->started_us >= STEADY_US) {
        child->backoff_us = 0;
    }
    child->pid = 0;
    child->restart_us = now_us + child->backoff_us;
    child->backoff_us = child->backoff_us == 0 ? BACKOFF_FIRST_US : child->backoff_us * 2;
    if (child->backoff_us > BACKOFF_MAX_US) {
        child->backoff_us = BACKOFF_MAX_US;
    }
    atomic_store(&child->counters->pid, 0);
    bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    LOG_AT(is_clean ? LOG_DEBUG : LOG_ERROR, "a process ended",
           LOG_TEXT("process", child->kind->name),
           LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
           LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0), LOG_END);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < supervisor->n_children; i++) {
            if (supervisor->children[i].pid == pid) {
                note_end(&supervisor->children[i], status);
            }
        }
    }
}

static void start_due(struct supervisor *supervisor)
{
    int64_t now_us = clock_monotonic_us();

    for (int i = 0; i < supervisor->n_children; i++) {
        struct child *child = &supervisor->children[i];
        if (child->pid == 0 && child->restart_us <= now_us) {
            start_child(supervisor, child);
        }
    }
}

static int64_t next_start_us(const struct supervisor *supervisor)
{
    int64_t next_us = NEVER;

    for (int i = 0; i < supervisor->n_children; i++) {
        const struct child *child = &supervisor->children[i];
        if (child->pid == 0 && child->restart_us < next_us) {
            next_us = child->restart_us;
        }
    }
    return next_us;
}

static int count_running(const struct supervisor *supervisor)
{
    int n = 0;

    for (int i = 0; i < supervisor->n_children; i++) {
        n += supervisor->children[i].pid != 0;
    }
    return n;
}

static void signal_all(const struct supervisor *supervisor, int signal_number)
{
    for (int i = 0; i < supervisor->n_children; i++) {
        if (supervisor->children[i].pid != 0) {
            (void)kill(supervisor->children[i].pid, signal_number);
        }
    }
}

/* ---- waiting ---- */

/* The next signal, or 0 at the deadline. */
static int wait_signal(const struct supervisor *supervisor, int64_t until_us)
{
    if (until_us == NEVER) {
        int signal_number = sigwaitinfo(&supervisor->signals, NULL);
        return signal_number > 0 ? signal_number : 0;
    }
    int64_t left_us = until_us - clock_monotonic_us();
    struct timespec wait = { 0 };
    if (left_us > 0) {
        wait.tv_sec = left_us / US_PER_SECOND;
        wait.tv_nsec = left_us % US_PER_SECOND * 1000;
    }
    int signal_number = sigtimedwait(&supervisor->signals, NULL, &wait);
    return signal_number > 0 ? signal_number : 0;
}

static void run_until_stopped(struct supervisor *supervisor)
{
    for (;;) {
        start_due(supervisor);
        int signal_number = wait_signal(supervisor, next_start_us(supervisor));
        if (signal_number == SIGTERM || signal_number == SIGINT) {
            return;
        }
        reap(supervisor);
    }
}

static int drain(struct supervisor *supervisor)
{
    int64_t until_us = clock_monotonic_us() + DRAIN_SECONDS * US_PER_SECOND;
    bool is_cut = false;

    signal_all(supervisor, SIGTERM);
    /* nginx learns at once that nobody will take a new connection */
    (void)shutdown(supervisor->setup->web_fd, SHUT_RD);
    (void)shutdown(supervisor->setup->export_fd, SHUT_RD);
    (void)shutdown(supervisor->setup->ingest_fd, SHUT_RD);
    (void)shutdown(supervisor->setup->upload_fd, SHUT_RD);
    for (reap(supervisor); count_running(supervisor) > 0; reap(supervisor)) {
        if (!is_cut && clock_monotonic_us() >= until_us) {
            log_warn("cutting what did not finish",
                     LOG_INT("processes", count_running(supervisor)));
            signal_all(supervisor, SIGKILL);
            is_cut = true;
        }
        (void)wait_signal(supervisor, is_cut ? NEVER : until_us);
    }
    return is_cut ? 1 : 0;
}

static void block_signals(struct supervisor *supervisor)
{
    sigemptyset(&supervisor->signals);
    sigaddset(&supervisor->signals, SIGTERM);
    sigaddset(&supervisor->signals, SIGINT);
    sigaddset(&supervisor->signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &supervisor->signals, NULL);
}

int supervise(const struct serve_setup *setup, const struct supervised *children, int n_children)
{
    struct supervisor supervisor = { .setup = setup };

    for (int i = 0; i < n_children && i < METRICS_MAX_PROCESSES; i++) {
        supervisor.children[i].kind = &children[i];
        supervisor.children[i].counters = &setup->metrics->processes[i];
        setup->metrics->process_names[i] = children[i].name;
        supervisor.n_children = i + 1;
    }
    setup->metrics->n_processes = supervisor.n_children;
    block_signals(&supervisor);
    run_until_stopped(&supervisor);
    log_info("stopping");
    return drain(&supervisor);
}
