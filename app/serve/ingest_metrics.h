/* The ingest service's statistics, brought into the memory that all processes share. Counters
 * go on from where they stood when an earlier ingest process ended. */
#ifndef TIDEMARK_SERVE_INGEST_METRICS_H
#define TIDEMARK_SERVE_INGEST_METRICS_H

#include "serve/metrics.h"

struct ingest_service;

struct ingest_metrics {
    struct metrics *shared;
    uint64_t base[METRICS_MAX_INGEST]; /* what earlier processes counted */
};

/* At the start of the ingest process. */
void ingest_metrics_begin(struct ingest_metrics *metrics, struct metrics *shared);

/* Brings the shared figures up to date; after each request, before it is answered. */
void ingest_metrics_copy(const struct ingest_metrics *metrics, struct ingest_service *service);

/* Writes them in Prometheus' text format. */
void ingest_metrics_print(const struct metrics *shared, struct buf *out);

#endif
