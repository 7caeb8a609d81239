/* What keeps the cache's names true: a thread that asks the database every
 * NAME_CHANGES_INTERVAL_MS which devices and sites changed. While it cannot, names hold as long as
 * they would without it. */
#ifndef TIDEMARK_INGEST_NAME_FEED_H
#define TIDEMARK_INGEST_NAME_FEED_H

#include "db/conn.h"
#include "ingest/series_cache.h"

struct name_feed;

/* Starts the thread, on a connection of its own; the cache outlives it. NULL without memory or
 * thread. */
struct name_feed *name_feed_start(const struct db_options *options, struct series_cache *cache);

/* Ends the thread, frees. NULL is allowed. */
void name_feed_stop(struct name_feed *feed);

#endif
