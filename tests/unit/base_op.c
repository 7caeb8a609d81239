/* Failures: the table of what they mean, and the operation that carries one. */
#include "base/op.h"

#include "tap.h"

static void test_table(void)
{
    static const struct {
        enum err code;
        int status;
    } cases[] = {
        { OK, 200 },
        { ERR_MALFORMED, 400 },
        { ERR_UNAUTHORIZED, 401 },
        { ERR_FORBIDDEN, 403 },
        { ERR_NOT_FOUND, 404 },
        { ERR_METHOD, 405 },
        { ERR_NOT_ACCEPTABLE, 406 },
        { ERR_CONFLICT, 409 },
        { ERR_LENGTH_REQUIRED, 411 },
        { ERR_PRECONDITION, 412 },
        { ERR_TOO_LARGE, 413 },
        { ERR_MEDIA_TYPE, 415 },
        { ERR_INVALID, 422 },
        { ERR_RATE_LIMITED, 429 },
        { ERR_INTERNAL, 500 },
        { ERR_UNAVAILABLE, 503 },
        { ERR_MAINTENANCE, 503 },
        { ERR_CHANGING, 503 },
        { ERR_DAMAGED, 500 },
    };
    is_int(sizeof cases / sizeof cases[0], ERR_COUNT, "each code is looked at");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct err_row *row = err_row(cases[i].code);
        ok(row->code == cases[i].code && row->status == cases[i].status,
           "code %d stands at its place with status %d", (int)cases[i].code, cases[i].status);
        /* those of the last three are sentences of ours */
        bool is_public = row->status < 500 || row->code == ERR_MAINTENANCE ||
                         row->code == ERR_CHANGING || row->code == ERR_DAMAGED;
        ok(err_may_pass(row->code) == (row->status == 503), "%s: whether it may pass", row->slug);
        ok(row->is_detail_public == is_public, "%s: a detail is shown below 500, not of faults",
           row->slug);
    }
    is_int(err_row((enum err)99)->status, 500, "an unknown code is a fault of ours");
}

static void test_operation(void)
{
    struct arena *arena = arena_new(4096);
    struct op op;
    char long_text[2000];

    op_init(&op, arena, "req-1");
    ok(op.fault.code == OK && op.arena == arena, "an operation begins without a failure");
    is_int((int)fail(&op, ERR_INVALID, "metric %s is %d", "x", 3), ERR_INVALID,
           "a failure returns its code");
    int line = __LINE__ - 2;
    is_str(op.fault.detail, "metric x is 3", "its detail is kept");
    is_str(op.fault.file, __FILE__, "with the file");
    is_int(op.fault.line, line, "and the line where it was discovered");
    is_int((int)fail(&op, ERR_INTERNAL, "later"), ERR_INTERNAL, "a later one returns its own code");
    is_int((int)op.fault.code, ERR_INVALID, "but the first is remembered");
    op_clear_fault(&op);
    is_int((int)op.fault.code, OK, "clearing forgets it");

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    is_int((int)fail(&op, ERR_MALFORMED, "%s", long_text), ERR_MALFORMED, "a long detail is cut");
    is_int((int64_t)strlen(op.fault.detail), sizeof op.fault.detail - 1, "to its room");
    op_clear_fault(&op);
    is_int((int)fail_memory(&op), ERR_INTERNAL, "an exhausted arena is a fault of ours");
    arena_free(arena);
}

int main(void)
{
    test_table();
    test_operation();
    return done_testing();
}
