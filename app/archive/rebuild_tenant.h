/* A tenant made of its catalogue. Used by rebuild.c. */
#ifndef TIDEMARK_ARCHIVE_REBUILD_TENANT_H
#define TIDEMARK_ARCHIVE_REBUILD_TENANT_H

#include "archive/archive.h"

struct rebuild_tenant {
    const char *catalogue;     /* its key */
    const struct str *keys;    /* of all its catalogues in the store */
    size_t n_keys;
    const char *password_hash; /* of its members */

    /* out */
    bool is_new; /* else it is there already */
    const char *slug; /* in the archive's memory of rows */
    int64_t n_devices, n_series, n_days; /* that it has */
};

/* Makes the tenant, in one transaction, in the archive's memory of rows and files. Failures of
 * catalogue_read, or the database's. */
enum err rebuild_tenant_load(struct archive *archive, struct rebuild_tenant *tenant) MUST_CHECK;

#endif
