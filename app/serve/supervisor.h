/* Keeps a set of child processes running until it is told to stop. */
#ifndef TIDEMARK_SERVE_SUPERVISOR_H
#define TIDEMARK_SERVE_SUPERVISOR_H

#include "serve/metrics.h"
#include "serve/process.h"

struct supervised {
    const char *name;                            /* in the log; a literal */
    int (*run)(const struct serve_setup *setup); /* the child's main */
};

/* Forks one process for each of `children`, starts again what ends (later and later where it
 * keeps ending), and at SIGTERM or SIGINT lets all finish, for DRAIN_SECONDS at most. Returns
 * when none is left: 0, or 1 when some had to be killed. */
int supervise(const struct serve_setup *setup, const struct supervised *children, int n_children);

#endif
