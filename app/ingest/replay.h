/* Replays: what admins marked in the database is read and stored again, as of the time of its
 * arrival and with its sender's rights. */
#ifndef TIDEMARK_INGEST_REPLAY_H
#define TIDEMARK_INGEST_REPLAY_H

#include "ingest/service.h"

struct ingest_replay;

/* Starts a thread that looks for what is to be replayed every REPLAY_INTERVAL_MS. `options` are
 * the service's. NULL without memory or thread. */
struct ingest_replay *ingest_replay_start(struct ingest_service *service,
                                          const struct ingest_options *options);

/* Finishes what is under way and ends the thread. NULL is allowed. */
void ingest_replay_stop(struct ingest_replay *replay);

#endif
