/* Files that the archiver wrote after a tenant's catalogue: when it was killed, or the database
 * lost, before it wrote the next one. Used by rebuild.c. */
#ifndef TIDEMARK_ARCHIVE_REBUILD_LATE_H
#define TIDEMARK_ARCHIVE_REBUILD_LATE_H

#include "archive/archive.h"

/* Says which catalogue a tenant was made of; NULL: it is not to be made. */
struct late_tenants {
    const char *(*catalogue_of)(void *context, struct str slug);
    /* Told of the tenant of each object. */
    enum err (*meet)(void *context, struct str slug);
    void *context;
};

/* Notes the files of manifests that are younger than their tenant's catalogue, in a transaction
 * each; *out_n: how many manifests. A manifest that cannot be read is passed over, as nothing says
 * that it ever counted. The store's failure, or the database's. */
enum err late_files_take(struct archive *archive, const struct late_tenants *tenants,
                         int *out_n) MUST_CHECK;

#endif
