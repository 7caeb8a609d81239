/* Files that the archiver wrote after a tenant's catalogue: when it was killed, or the database
 * lost, before it wrote the next one. Used by rebuild.c. */
#ifndef TIDEMARK_ARCHIVE_REBUILD_LATE_H
#define TIDEMARK_ARCHIVE_REBUILD_LATE_H

#include "archive/archive.h"

/* What is known of tenants, and is told of them. */
struct late_tenants {
    /* Which catalogue a tenant was made of; NULL: it is not to be made. */
    const char *(*catalogue_of)(void *context, struct str slug);
    /* Told of the tenant of each object. */
    enum err (*meet)(void *context, struct str slug);
    /* Told of each manifest that is not what its key says; why is the archive's failure. */
    void (*refuse)(void *context, const char *key);
    void *context;
};

/* Notes the files of manifests that are younger than their tenant's catalogue, in a transaction
 * each; *out_n: how many manifests. What is not the manifest that its key says is refused, and the
 * others are noted all the same. The store's failure, or the database's. */
enum err late_files_take(struct archive *archive, const struct late_tenants *tenants,
                         int *out_n) MUST_CHECK;

#endif
