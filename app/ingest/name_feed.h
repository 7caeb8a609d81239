/* What keeps the caches true: a thread that asks the database every NAME_CHANGES_INTERVAL_MS which
 * devices, sites, tokens and tenants changed. While it cannot, what is remembered holds as long as
 * it would without it. */
#ifndef TIDEMARK_INGEST_NAME_FEED_H
#define TIDEMARK_INGEST_NAME_FEED_H

#include "db/conn.h"
#include "ingest/series_cache.h"

struct name_feed;
struct token_cache;

/* Starts the thread, on a connection of its own; the caches outlive it (tokens NULL: none). NULL
 * without memory or thread. */
struct name_feed *name_feed_start(const struct db_options *options, struct series_cache *names,
                                  struct token_cache *tokens);

/* Ends the thread, frees. NULL is allowed. */
void name_feed_stop(struct name_feed *feed);

#endif
