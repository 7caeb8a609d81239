/* A page of the ledger: the notes between two writes. For ledger.c, which fills pages, and
 * ledger_write.c, which writes them. */
#ifndef TIDEMARK_INGEST_LEDGER_PAGE_H
#define TIDEMARK_INGEST_LEDGER_PAGE_H

#include "base/op.h"
#include "ingest/ledger.h"

#include <stdbool.h>

struct ledger_hour {
    int32_t tenant_id;
    int64_t hour_us;
    struct ledger_account account;
    size_t kept_rows, kept_bytes; /* of the tenant's rejections in this page */
};

struct ledger_page {
    struct arena *arena;
    struct ledger_hour *hours;
    uint32_t *slots; /* positions in hours by tenant and hour, open addressing */
    struct ingest_reject *rejects;
    size_t n_hours, hours_size, n_rejects, rejects_size;
    size_t reject_bytes;
};

/* Writes the page in one transaction, as number `number` of the process `writer` (a UUID): what
 * was committed without our hearing of it is not written twice. ERR_UNAVAILABLE: try again. What
 * the database refuses for good is given up with a line in the log, rejections first. */
enum err ledger_page_write(const struct ledger_page *page, struct op *op, struct db_conn *conn,
                           const char *writer, int64_t number) MUST_CHECK;

#endif
