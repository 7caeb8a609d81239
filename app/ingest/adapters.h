/* Which conventions a tenant accepts, and its names for what they bring: the configuration of its
 * adapters, remembered in the process. A tenant without any costs a comparison. */
#ifndef TIDEMARK_INGEST_ADAPTERS_H
#define TIDEMARK_INGEST_ADAPTERS_H

#include "auth/identity.h"
#include "db/conn.h"
#include "ingest/format.h"

struct ingest_adapters;

/* An empty memory for ADAPTERS_KEPT tenants. NULL without memory. */
struct ingest_adapters *ingest_adapters_new(void);
void ingest_adapters_free(struct ingest_adapters *adapters); /* NULL is allowed */

/* The key of a convention's adapter. NULL for a format that only shapes answers. */
const char *ingest_adapter_key(const struct ingest_format *format);

/* The mapping of what `who` sends in the format, in the op's arena; NULL where there is none. Asks
 * the database where the configuration has changed since who->adapters_version was learnt.
 * ERR_FORBIDDEN for a convention that is turned off; ERR_CHANGING for a configuration that is not
 * understood; ERR_UNAVAILABLE without a connection. */
enum err ingest_adapters_find(struct ingest_adapters *adapters, struct db_pool *pool,
                              struct op *op, const struct identity *who,
                              const struct ingest_format *format,
                              const struct mapping **out) MUST_CHECK;

#endif
