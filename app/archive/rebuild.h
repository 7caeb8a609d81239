/* A database made of the object store alone: of each tenant's newest catalogue, and of all its
 * archived days. Called by `tidemark restore --from-archive`. */
#ifndef TIDEMARK_ARCHIVE_REBUILD_H
#define TIDEMARK_ARCHIVE_REBUILD_H

#include "archive/archive.h"

#include <stdio.h>

struct rebuild_wish {
    bool skips_damaged; /* goes on without what is damaged or missing */
    FILE *progress;     /* gets a line a tenant and a day; may be NULL */
};

/* Fills a migrated database that has neither tenants nor persons, or goes on with one that was
 * begun: each tenant and each day is a transaction of its own, so that whatever ends it leaves it
 * to be called again. All catalogues are judged before anything is written. When all is there, it
 * notes that rollups, energy and costs are to be made, which the worker does. ERR_CONFLICT for a
 * database that is not empty, or a catalogue of a newer format; ERR_NOT_FOUND where there is no
 * catalogue; ERR_INVALID where something is damaged or missing, each of which is told to
 * `progress`: the rest is there, and it can be called again. */
enum err archive_rebuild(struct archive *archive, const struct rebuild_wish *wish) MUST_CHECK;

#endif
