/* What a database left in the store that a restored backup took the place of. Called by archive.c
 * when it sweeps. */
#ifndef TIDEMARK_ARCHIVE_GIVEN_UP_H
#define TIDEMARK_ARCHIVE_GIVEN_UP_H

#include "archive/archive.h"

/* A week after a backup was restored: notes as garbage what of the archive is older than that and
 * unknown. That is catalogues, files without a manifest, and those of days whose numbers the
 * database has given to others, of tenants that it does not have, or derived. What is of a free
 * number stays, as may be the only copy of that: such are looked for again each week. Else it does
 * nothing. Fails as the store and the database do. */
enum err archive_take_back(struct archive *archive) MUST_CHECK;

#endif
