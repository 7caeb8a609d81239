/* What clang-tidy reads before each file: it looks into no other file than that, so it is told
 * here that fail() returns its code. Without, it follows paths on which a failure was none.
 * Used by tests/lint. */
#ifndef TIDEMARK_TESTS_LINT_H
#define TIDEMARK_TESTS_LINT_H

#include "base/op.h"

#undef fail
#define fail(op, code, ...) (op_fail((op), (code), __FILE__, __LINE__, __VA_ARGS__), (code))

#endif
