/* What a request may hold, by its sender, its format and its time. Called by the service and by
 * replay. */
#ifndef TIDEMARK_INGEST_RULES_H
#define TIDEMARK_INGEST_RULES_H

#include "ingest/service.h"

/* The rules of what `who` sent in the format and which arrived at that time, judged by now, in the
 * op's arena. Takes a connection for formats of local times; ERR_UNAVAILABLE without one. */
enum err ingest_rules_make(const struct ingest_options *options, struct op *op,
                           const struct identity *who, const struct ingest_format *format,
                           int64_t arrived_us, struct ingest_rules *out) MUST_CHECK;

#endif
