/* The caps of decoders, and what is said beyond them. Called by coding.c and inflate.c. */
#include "http/unpack.h"

#include "base/limits.h"

size_t http_unpack_cap(const struct op *op, size_t cap)
{
    return op->must_not_wait && cap > QUICK_BODY_BYTES ? QUICK_BODY_BYTES : cap;
}

enum err http_fail_over(struct op *op, size_t cap)
{
    if (http_unpack_cap(op, cap) < cap && !op_may_wait(op)) {
        op->is_long = true;
        return fail(op, ERR_UNAVAILABLE, "a long body is to be unpacked");
    }
    return fail(op, ERR_TOO_LARGE, "The body inflates to more than %zu bytes.", cap);
}
