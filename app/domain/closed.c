/* Reads until when figures are closed, and their stamp. Called by whoever reads closed figures. */
#include "domain/closed.h"

#include "db/ask.h"
#include "gen/queries.h"

void closed_ask(struct op *op, struct db_ask *ask)
{
    db_ask_init(ask, op, &q_closed_stamp);
}

struct closed closed_read(const struct db_ask *ask)
{
    return (struct closed){
        .until_us = db_time(ask->rows, 0, CLOSED_STAMP_CLOSED_UNTIL),
        .stamp = db_text(ask->rows, 0, CLOSED_STAMP_STAMP),
    };
}

enum err closed_load(struct db_tx *tx, struct closed *out)
{
    struct db_ask ask;

    closed_ask(db_op(tx), &ask);
    enum err err = db_ask_all(tx, &ask, 1);
    if (err == OK) {
        *out = closed_read(&ask);
    }
    return err;
}
