/* Streaming a file of any size through the ingest service: read, parse and commit overlap, and
 * memory does not grow with the file. */
#ifndef TIDEMARK_INGEST_IMPORT_H
#define TIDEMARK_INGEST_IMPORT_H

#include "ingest/import_csv.h"
#include "ingest/service.h"

enum import_format { IMPORT_NDJSON, IMPORT_CSV };

struct import_progress {
    uint64_t bytes;  /* read */
    uint64_t accepted, duplicates, updated, rejected; /* of what is committed */
};

struct import_options {
    int fd;
    enum import_format format;
    struct str device;      /* of records that name none; ptr NULL: those are rejected */
    struct str time_column; /* of CSV; ptr NULL: the usual names */
    struct str device_column; /* of CSV; ptr NULL: device */
    const struct zone *zone;
    int patience_ms;        /* how long to go on trying when the database is away */

    /* Called after each chunk that is committed, and for each rejected record of it (those that
     * columns list). NULL: nobody. */
    void (*on_progress)(void *context, const struct import_progress *progress);
    void (*on_reject)(void *context, uint32_t line, const char *detail);
    void *context;
};

/* Imports until the end of the file. On failure `out` says what was stored until then; what is
 * sent again is a duplicate. ERR_INVALID for a header that cannot be used, ERR_UNAVAILABLE when
 * the database stayed away, ERR_INTERNAL when the file cannot be read. */
enum err import_run(struct op *op, struct ingest_service *service,
                    const struct ingest_sender *sender, const struct import_options *options,
                    struct import_progress *out) MUST_CHECK;

#endif
