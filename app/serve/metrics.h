/* What the processes of one `tidemark serve` count together, in memory they share: made before
 * they are forked, so it outlives each of them. Printed at /metrics. Nothing in it belongs to a
 * tenant. */
#ifndef TIDEMARK_SERVE_METRICS_H
#define TIDEMARK_SERVE_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define METRICS_MAX_ROUTES 224
#define METRICS_MAX_PROCESSES 80
#define METRICS_MAX_INGEST 32
#define METRICS_N_BUCKETS 12 /* of the latency histogram, without +Inf */

struct route_counters {
    _Atomic uint64_t by_class[6];                       /* answers by status / 100 */
    _Atomic uint64_t by_latency[METRICS_N_BUCKETS + 1]; /* not cumulative */
    _Atomic uint64_t total_us;
};

/* One process that the supervisor keeps. */
struct process_counters {
    _Atomic int32_t pid; /* 0: not running */
    _Atomic uint64_t starts;
};

struct metrics {
    int64_t started_us;                                   /* wall clock */
    struct route_counters routes[METRICS_MAX_ROUTES + 1]; /* the last one: no such address */
    struct process_counters processes[METRICS_MAX_PROCESSES];
    const char *process_names[METRICS_MAX_PROCESSES]; /* literals of kinds: "web", "ingest" */
    int n_processes;
    _Atomic uint64_t ingest[METRICS_MAX_INGEST]; /* by the rows of ingest_metrics.c */
};

/* Zeroed memory shared with children forked later. NULL when it is not to be had. */
struct metrics *metrics_new(void);

/* Counts an answered request; `route` is its index in ROUTES, or -1. */
void metrics_count(struct metrics *metrics, int route, int status, int64_t took_us);

/* Writes everything in Prometheus' text format 0.0.4. */
void metrics_print(const struct metrics *metrics, struct buf *out);

/* Writes the two lines of comment before a metric's values. */
void metrics_print_head(struct buf *out, const char *name, const char *type, const char *help);

#endif
