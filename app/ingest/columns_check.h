/* The rules of an item, whatever its format. */
#ifndef TIDEMARK_INGEST_COLUMNS_CHECK_H
#define TIDEMARK_INGEST_COLUMNS_CHECK_H

#include "ingest/columns.h"

/* True when the item that the draft holds may be kept; its absent parts are filled in then. Else it
 * is rejected. */
bool columns_check(struct ingest_columns *columns);

#endif
