/* The ledger: what became of all that was received, counted by tenant and hour, and what was
 * rejected, kept with its reason. Requests only leave notes in memory; a thread of its own writes
 * them every FLUSH_INTERVAL_MS and at the end. A killed process loses the notes of that time:
 * its hours are short of them, all figures alike, and those rejections are not kept. */
#ifndef TIDEMARK_INGEST_LEDGER_H
#define TIDEMARK_INGEST_LEDGER_H

#include "base/str.h"
#include "db/conn.h"

struct ingest_ledger;

/* Starts the thread, on a connection of its own. NULL without memory or thread. */
struct ingest_ledger *ingest_ledger_start(const struct db_options *options);

/* Writes what is left, ends the thread, frees. NULL is allowed. */
void ingest_ledger_stop(struct ingest_ledger *ledger);

/* RECEIVED = ACCEPTED + DUPLICATES + UPDATED + REJECTED, in items; a body that could not be read
 * is one. REPLAYED are of those received, DROPPED of those rejected: not kept, for there were too
 * many. REFUSED are requests that are to be sent again, and count as nothing else. */
enum ledger_figure {
    LEDGER_RECEIVED, LEDGER_ACCEPTED, LEDGER_DUPLICATES, LEDGER_UPDATED, LEDGER_REJECTED,
    LEDGER_REPLAYED, LEDGER_DROPPED, LEDGER_REFUSED, LEDGER_FIGURES
};
struct ledger_account {
    uint64_t figures[LEDGER_FIGURES];
};

/* Adds to the tenant's account of this hour. */
void ingest_ledger_count(struct ingest_ledger *ledger, int32_t tenant_id,
                         const struct ledger_account *account);

/* Bits of a rejection's flags, as api.reject_add has them. */
#define REJECT_IS_BACKFILL 1
#define REJECT_IS_ITEM 2
#define REJECT_IS_WHOLE 4

/* One item, or a body, and the request it came with. All text is UTF-8 without NUL but `text`,
 * which may be any bytes; ptr NULL: none. */
struct ingest_reject {
    int32_t tenant_id, device_id, flags;
    int32_t item; /* -1: the body as a whole */
    uint32_t n_items; /* that it stands for; 0: one */
    int32_t size; /* bytes it had, of which `text` holds the first, or all, packed (packed.h) */
    int64_t time_us, token_id;
    struct str request_id, device, convention, field, reason;
    struct str method, target, content_type, text;
};

/* Keeps copies of rejections of one tenant; those beyond what a tenant, or all, may have between
 * two writes are counted as dropped. Neighbours with the same views share their copies. */
void ingest_ledger_keep(struct ingest_ledger *ledger, const struct ingest_reject *rejects,
                        size_t n);

/* Rejections kept and dropped since the start. */
struct ledger_counts {
    uint64_t kept, dropped;
};
struct ledger_counts ingest_ledger_counts(struct ingest_ledger *ledger);

#endif
