/* Writing a batch to the database: the fast lane for what is new, the late lane for the rest. */
#ifndef TIDEMARK_INGEST_LANES_H
#define TIDEMARK_INGEST_LANES_H

#include "db/conn.h"
#include "ingest/batch.h"

#define SQLSTATE_LOCKED "55P03" /* a lock was not to be had in the time that there was for it */

/* One transaction: the rows by a plain insert, the ranges of those older than OPEN_WINDOW_MINUTES
 * before `now_us`, or of a time that rollups have closed, to the change log, the events. After the
 * commit notes the outcomes in the columns. With something older than FAST_DAYS it waits no longer
 * than LOCK_GLANCE_MS for a lock. On failure nothing is noted and batch->sqlstate says why. */
enum err lanes_write_fast(struct ingest_batch *batch, struct db_conn *conn,
                          int64_t now_us) MUST_CHECK;

/* One transaction per UTC day, each noted when committed: rows that may be there already; then
 * likewise the events. The batch is in the order of batch_sort_by_day. A day whose lock is not to
 * be had within LOCK_PATIENCE_MS is passed over: its requests are marked as put off, and their
 * events are left out. On another failure the days before are stored, and are taken out of the
 * batch, so that it can be tried again. */
enum err lanes_write_late(struct ingest_batch *batch, struct db_conn *conn) MUST_CHECK;

/* Notes the outcomes that the batch would have, which is of one tenant, by reading alone. */
enum err lanes_try(struct ingest_batch *batch, struct db_conn *conn, int32_t tenant_id) MUST_CHECK;

/* Makes the partitions that the batch's rows and events need, in a transaction of its own. */
enum err lanes_make_partitions(struct ingest_batch *batch, struct db_conn *conn) MUST_CHECK;

#endif
