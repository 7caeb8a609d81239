/* Manifests: which files a day of a table got under a number, beside them in the store, so that
 * they are known without the database that noted them. Written by write_file.c, read by
 * rebuild_late.c and restore_lost.c. */
#ifndef TIDEMARK_ARCHIVE_MANIFEST_H
#define TIDEMARK_ARCHIVE_MANIFEST_H

#include "archive/write.h"

#define MANIFEST_ENDING ".json"
#define MANIFEST_MAX_BYTES (64 << 10)

struct manifest {
    const char *relation, *tenant, *day; /* as in struct archive_task */
    int n;                               /* from 1 on */
    int64_t written_us;
    struct archive_file files[ARCHIVE_MAX_FILES];
    int n_files; /* 1 at least, each of another kind */
};

/* Reads a manifest, which has to be of the tenant, table, day and files that its own key says.
 * What comes out is in the operation's memory and in `text`. ERR_INVALID, with the key and why. */
enum err manifest_parse(struct op *op, const char *key, struct str text,
                        struct manifest *out) MUST_CHECK;

/* Reads and judges the one in the store, in the archive's memory of rows, which is not released
 * first: as manifest_parse, or the store's failure. */
enum err manifest_fetch(struct archive *archive, const struct store_object *object,
                        struct manifest *out) MUST_CHECK;

/* Adds its files as five arguments: kinds, keys, rows, bytes and checksums. */
void manifest_list_files(struct db_args *args, const struct manifest *manifest);

#endif
