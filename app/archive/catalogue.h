/* Catalogues: what of a tenant its archived days do not tell, as an object beside them
 * (docs/archive.md), so that a database can be made of the store alone. Used by run.c and
 * rebuild.c. */
#ifndef TIDEMARK_ARCHIVE_CATALOGUE_H
#define TIDEMARK_ARCHIVE_CATALOGUE_H

#include "archive/archive.h"

#define CATALOGUE_PREFIX "archive/catalogue/tenant="
#define CATALOGUE_ENDING ".ndjson"
#define CATALOGUE_FORMAT 2         /* that is written and read */
#define CATALOGUE_LINE_MIB 32      /* what a line with its newline has at most: held at once */
#define CATALOGUE_END "{\"end\": " /* how the last line begins */

/* Writes the catalogue of each tenant of which something changed since its last one, reads it back
 * and notes it. What fails is logged, counted in run->n_failed, and holds up nobody else's;
 * run->goes_on is asked after each; *is_stopped: it said no. */
enum err catalogues_write(struct archive *archive, struct archive_run *run,
                          bool *is_stopped) MUST_CHECK;

/* Takes the next lines of a catalogue, whole ones, each with its newline; anything but OK ends the
 * reading with that, as a failure of the archive. */
typedef enum err (*catalogue_take)(void *context, struct str lines);

/* What the key of a catalogue tells. */
struct catalogue_name {
    struct str tenant; /* its slug, in the key */
    int64_t made_us;
};

/* Reads archive/catalogue/tenant=acme/20261122T072327.000001Z-….ndjson; false: it is no such
 * key. */
bool catalogue_name_read(const char *key, struct catalogue_name *out) MUST_CHECK;

/* Reads a catalogue, some MiB at a time, in the archive's memory of files, where what was there is
 * released, and hands what is between its first and last line to `take`, which may be NULL. Whether
 * all was sound shows in the end: ERR_INVALID for one that is damaged, or of another tenant or time
 * than its key, ERR_CONFLICT for one of a newer format, ERR_NOT_FOUND where it is not there, or the
 * store's failure. */
enum err catalogue_read(struct archive *archive, const char *key, catalogue_take take,
                        void *context) MUST_CHECK;

#endif
