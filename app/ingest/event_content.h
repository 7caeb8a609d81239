/* A form of an event's content in which the same content is the same bytes: white space and the
 * order of members mean nothing in JSON, nor does the order of metrics. */
#ifndef TIDEMARK_INGEST_EVENT_CONTENT_H
#define TIDEMARK_INGEST_EVENT_CONTENT_H

#include "base/buf.h"
#include "ingest/columns.h"

/* Appends the form of the draft's type, site, data and metrics. `form` is broken afterwards when
 * it is too small, or when the data is not JSON (which the formats have made sure of). */
void event_content_add(struct buf *form, const struct ingest_draft *draft);

#endif
