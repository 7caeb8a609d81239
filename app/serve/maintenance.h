/* Maintenance mode: while it is on, everybody but operators is told to come back later. A process
 * asks the database for it every few seconds at most. */
#ifndef TIDEMARK_SERVE_MAINTENANCE_H
#define TIDEMARK_SERVE_MAINTENANCE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct passage;

/* What a process remembers of it; zeroed at first. Safe from several threads. */
struct maintenance {
    _Atomic int64_t asked_us; /* monotonic; 0: never */
    atomic_bool is_on;
};

/* ERR_MAINTENANCE where the mode is on and the passage is neither public, nor the login's, nor an
 * operator's. Comes after gate_admit. Where the database cannot be asked, its last word counts. */
enum err maintenance_check(struct passage *passage) MUST_CHECK;

#endif
