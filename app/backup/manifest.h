/* A backup's manifest as JSON: written when the dump is stored, read by all others. For the parts
 * of this folder. */
#ifndef TIDEMARK_BACKUP_MANIFEST_H
#define TIDEMARK_BACKUP_MANIFEST_H

#include "backup/backup.h"

#define MANIFEST_MAX_BYTES (256u << 10)

/* The text of a manifest in the arena; ptr NULL without memory. */
struct str manifest_write(struct arena *arena, const struct backup *backup);

/* Fills `out`, its name excepted, from a manifest; what it holds lies in the op's arena.
 * ERR_INVALID for another text, or of a later form. */
enum err manifest_read(struct op *op, struct str text, struct backup *out) MUST_CHECK;

#endif
