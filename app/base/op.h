/* An operation: what one request, one command or one pass of a job carries through
 * every layer: its memory, its failure, its name in the log. The failure is recorded
 * once, where it is discovered, and read once, where it is answered. */
#ifndef TIDEMARK_BASE_OP_H
#define TIDEMARK_BASE_OP_H

#include "base/arena.h"
#include "base/err.h"

struct fault {
    enum err code;    /* OK while nothing failed */
    char detail[512]; /* a sentence; the client's only where err_row says so */
    const char *file; /* where it was discovered */
    int line;
};

struct op {
    struct arena *arena; /* owned by whoever made the op */
    const char *id;      /* request id or job name, for the log; never NULL */
    struct fault fault;  /* the first failure */
    int db_patience_ms;  /* for an answer of the database; 0: as its connection has it */
    bool must_not_wait;  /* on a thread that others need: see op_may_wait */
    bool would_wait;     /* it came to where it had to: nothing was done, another thread may */
    bool is_long;        /* likewise: to work that takes long, not to somebody's answer */
};

/* Starts an operation on `arena`. */
void op_init(struct op *op, struct arena *arena, const char *id);

/* Records the first failure and returns `code`; later ones only return their code.
 * Use the macro, which adds the place. */
enum err op_fail(struct op *op, enum err code, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define fail(op, code, ...) op_fail((op), (code), __FILE__, __LINE__, __VA_ARGS__)

/* The failure of an exhausted arena: ERR_INTERNAL. */
#define fail_memory(op) fail((op), ERR_INTERNAL, "memory cap of the operation reached")

/* False (and would_wait is set) for an operation that must not wait: whoever is about to wait for
 * something, a connection to the database say, asks first, and fails where it may not. */
bool op_may_wait(struct op *op) MUST_CHECK;

/* What `err`, also OK, is of an operation that was refused memory for now (arena_meter): whatever
 * was taken for wrong, or for done, may be due to it. ERR_UNAVAILABLE then; else `err`. After a
 * failure the meter is taken off, so that it can be answered. */
enum err op_settle(struct op *op, enum err err) MUST_CHECK;

/* Forgets the failure, so that the operation can go on with something else. */
void op_clear_fault(struct op *op);

/* Writes the failure, if any, to the log at its code's level, with place and id. */
void op_log_fault(const struct op *op);

#endif
