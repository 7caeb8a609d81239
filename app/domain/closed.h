/* What is closed: figures that change only where they are derived again, and may be kept for as
 * long as a stamp is the same. Asked for first by whoever reads closed figures. */
#ifndef TIDEMARK_DOMAIN_CLOSED_H
#define TIDEMARK_DOMAIN_CLOSED_H

#include "base/op.h"

#include <stdint.h>

struct db_ask;
struct db_tx;

struct closed {
    int64_t until_us;  /* quarter hours that end by then are closed */
    const char *stamp; /* for db_ask: of the transaction's tenant */
};

/* In two steps, or in one. The answer is in the operation's arena. */
void closed_ask(struct op *op, struct db_ask *ask);
struct closed closed_read(const struct db_ask *ask);
enum err closed_load(struct db_tx *tx, struct closed *out) MUST_CHECK;

#endif
