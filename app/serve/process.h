/* The processes that the supervisor forks: what they are given, and their mains. */
#ifndef TIDEMARK_SERVE_PROCESS_H
#define TIDEMARK_SERVE_PROCESS_H

#include "base/config.h"

struct metrics;
struct quotas;
struct turns;

/* Made by cmd_serve before anything is forked; read-only afterwards, but for metrics and quotas. */
struct serve_setup {
    const struct config *config;
    int web_fd, export_fd, ingest_fd, upload_fd; /* listening, non-blocking */
    const char *web_url, *ingest_url;
    const char *operator_url; /* NULL where nothing tells it: no pages for operators */
    struct metrics *metrics;
    struct quotas *quotas;    /* shared as the metrics are */
    struct turns *turns;      /* of the web processes */
};

/* Serve until SIGTERM or SIGINT, then finish what runs. Return the exit status. */
int web_process_run(const struct serve_setup *setup);
int export_process_run(const struct serve_setup *setup);
int ingest_process_run(const struct serve_setup *setup);
int upload_process_run(const struct serve_setup *setup);

#endif
