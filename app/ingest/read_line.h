/* InfluxDB's line protocol, from a body to columns: one event a line. */
#ifndef TIDEMARK_INGEST_READ_LINE_H
#define TIDEMARK_INGEST_READ_LINE_H

#include "ingest/columns.h"

/* What a line's timestamp counts. */
enum line_precision { LINE_NS, LINE_US, LINE_MS, LINE_S, LINE_M, LINE_H, LINE_BY_SIZE };

/* Reads each line of the body as the item of its number, from 0. A line that is no good is
 * rejected (ERR_MALFORMED in InfluxDB's words) and leaves the others alone. Blank lines and
 * comments are none. Fails only where the columns break. */
enum err ingest_read_lines(struct str body, enum line_precision precision,
                           struct ingest_columns *columns) MUST_CHECK;

#endif
