/* A tenant's own names and units for what a convention brings (domain/mapping.h), put on each item
 * before it is checked. */
#ifndef TIDEMARK_INGEST_MAPPING_H
#define TIDEMARK_INGEST_MAPPING_H

#include "ingest/columns.h"

/* Renames in the draft by rules.mapping, which must be there. False when nothing of the item is
 * left: it is passed over. */
bool ingest_map_names(struct ingest_columns *columns);

#endif
