/* Catalogues: what of a tenant its archived days do not tell, as an object beside them
 * (docs/archive.md), so that a database can be made of the store alone. Used by run.c and
 * rebuild.c. */
#ifndef TIDEMARK_ARCHIVE_CATALOGUE_H
#define TIDEMARK_ARCHIVE_CATALOGUE_H

#include "archive/archive.h"

#define CATALOGUE_PREFIX "archive/catalogue/tenant="
#define CATALOGUE_ENDING ".ndjson"
#define CATALOGUE_FORMAT 1
#define CATALOGUE_MAX_BYTES (160 << 20) /* they are made and loaded in memory */

/* Writes the catalogue of each tenant of which something changed since its last one, reads it back
 * and notes it. What fails is logged, counted in run->n_failed, and holds up nobody else's;
 * run->goes_on is asked after each; *is_stopped: it said no. */
enum err catalogues_write(struct archive *archive, struct archive_run *run,
                          bool *is_stopped) MUST_CHECK;

/* Reads a catalogue whole into the archive's memory of files, where what was there is released, and
 * holds it against its key; a NUL follows it. ERR_INVALID for one that is damaged, ERR_CONFLICT for
 * one of a newer format, ERR_NOT_FOUND where it is not there, or the store's failure. */
enum err catalogue_read(struct archive *archive, const char *key, struct str *out) MUST_CHECK;

#endif
