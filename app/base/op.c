/* The operation's failure: recorded once, logged once. */
#include "base/op.h"

#include <stdio.h>

void op_init(struct op *op, struct arena *arena, const char *id)
{
    *op = (struct op){ .arena = arena, .id = id };
}

enum err op_fail(struct op *op, enum err code, const char *file, int line, const char *format, ...)
{
    struct fault *fault = &op->fault;

    if (fault->code != OK) {
        return code;
    }
    fault->code = code;
    fault->file = file;
    fault->line = line;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(fault->detail, sizeof fault->detail, format, args);
    va_end(args);
    if (length < 0) {
        fault->detail[0] = '\0';
    }
    return code;
}

bool op_may_wait(struct op *op)
{
    op->would_wait |= op->must_not_wait;
    return !op->must_not_wait;
}

enum err op_settle(struct op *op, enum err err)
{
    bool was_refused = arena_was_refused(op->arena);

    if (err || was_refused) {
        arena_meter(op->arena, 0, NULL, NULL); /* what says so needs room */
    }
    if (!was_refused) {
        return err;
    }
    op_clear_fault(op);
    return fail(op, ERR_UNAVAILABLE, "too much is at work");
}

void op_clear_fault(struct op *op)
{
    op->fault = (struct fault){ .code = OK };
}

void op_log_fault(const struct op *op)
{
    const struct fault *fault = &op->fault;

    if (fault->code == OK) {
        return;
    }
    const struct err_row *row = err_row(fault->code);
    LOG_AT(row->level, "operation failed", LOG_TEXT("id", op->id), LOG_TEXT("error", row->slug),
           LOG_TEXT("detail", fault->detail), LOG_TEXT("file", fault->file),
           LOG_INT("line", fault->line), LOG_END);
}
