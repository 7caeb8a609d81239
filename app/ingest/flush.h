/* What ingest learns with every request and writes now and then: each series' newest sample,
 * when devices were last heard of, what was stored of a day's quota, when tokens were used that
 * are not looked up any more. A thread of its own writes it every FLUSH_INTERVAL_MS and at the
 * end; where there is much of the first two, as seldom as keeps it idle nine tenths of its time.
 * What a killed process did not write, the worker repairs, but for quota and uses. */
#ifndef TIDEMARK_INGEST_FLUSH_H
#define TIDEMARK_INGEST_FLUSH_H

#include "db/conn.h"

struct ingest_flush;
struct quotas;
struct token_cache;

/* Starts the thread, on a connection of its own; it syncs `quotas` and notes the uses of `tokens`
 * too (NULL: none). NULL without memory or thread. */
struct ingest_flush *ingest_flush_start(const struct db_options *options, struct quotas *quotas,
                                        struct token_cache *tokens);

/* Writes what is left, ends the thread, frees. NULL is allowed. */
void ingest_flush_stop(struct ingest_flush *flush);

/* A newest sample of a series, or (tenant and value unused) a device and a time. */
struct flush_note {
    int32_t id;
    int32_t tenant_id;
    int64_t time_us;
    double value;
};
enum flush_kind { FLUSH_SERIES, FLUSH_DEVICE, FLUSH_KINDS };

/* Notes them for the next flush. Of several for one id the newest time counts, of equal times
 * the last noted. Beyond a bound of ids, those that are new are dropped. */
void ingest_flush_note(struct ingest_flush *flush, enum flush_kind kind,
                       const struct flush_note *notes, size_t n);

#endif
