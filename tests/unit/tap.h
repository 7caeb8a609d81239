/* Test Anything Protocol for unit tests in C: each check is a line that says in a sentence
 * what holds. A skip is `ok N # skip why`, which prove counts as such. One translation unit a
 * test program; end main with `return done_testing();`. */
#ifndef TIDEMARK_TESTS_TAP_H
#define TIDEMARK_TESTS_TAP_H

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static struct {
    int n_run, n_failed;
} tap;

/* A remark under the last check; prove shows it. */
__attribute__((format(printf, 1, 2))) static inline void diag(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("# ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

__attribute__((format(printf, 2, 0))) static inline bool tap_report(bool has_passed,
                                                                    const char *format,
                                                                    va_list args)
{
    tap.n_run++;
    tap.n_failed += !has_passed;
    printf("%s %d - ", has_passed ? "ok" : "not ok", tap.n_run);
    vprintf(format, args);
    putchar('\n');
    return has_passed;
}

/* The check itself; the name is printf's. Returns whether it passed. */
__attribute__((format(printf, 2, 3))) static inline bool ok(bool has_passed, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    tap_report(has_passed, name, args);
    va_end(args);
    return has_passed;
}

__attribute__((format(printf, 3, 4))) static inline bool is_int(int64_t got, int64_t expected,
                                                                const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool has_passed = tap_report(got == expected, name, args);
    va_end(args);
    if (!has_passed) {
        diag("got %lld, expected %lld", (long long)got, (long long)expected);
    }
    return has_passed;
}

/* Equal to the last bit, so that 0 and -0 differ and a NaN equals itself. */
__attribute__((format(printf, 3, 4))) static inline bool is_double(double got, double expected,
                                                                   const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool has_passed = tap_report(memcmp(&got, &expected, sizeof got) == 0, name, args);
    va_end(args);
    if (!has_passed) {
        diag("got %.17g, expected %.17g", got, expected);
    }
    return has_passed;
}

/* Either may be NULL. */
__attribute__((format(printf, 3, 4))) static inline bool is_str(const char *got,
                                                                const char *expected,
                                                                const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool is_same = got && expected ? strcmp(got, expected) == 0 : got == expected;
    bool has_passed = tap_report(is_same, name, args);
    va_end(args);
    if (!has_passed) {
        diag("got      %s", got ? got : "(null)");
        diag("expected %s", expected ? expected : "(null)");
    }
    return has_passed;
}

/* A view against a NUL-terminated text. */
__attribute__((format(printf, 3, 4))) static inline bool is_view(struct str got,
                                                                 const char *expected,
                                                                 const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool has_passed = tap_report(str_equal(got, str_of(expected)), name, args);
    va_end(args);
    if (!has_passed) {
        diag("got      %.*s", (int)got.len, got.ptr ? got.ptr : "");
        diag("expected %s", expected);
    }
    return has_passed;
}

/* One check that cannot be made here, and why. */
__attribute__((format(printf, 1, 2))) static inline void skip(const char *why, ...)
{
    va_list args;
    va_start(args, why);
    printf("ok %d # skip ", ++tap.n_run);
    vprintf(why, args);
    putchar('\n');
    va_end(args);
}

/* Prints the plan; returns main's exit status. */
static inline int done_testing(void)
{
    printf("1..%d\n", tap.n_run);
    return tap.n_failed > 0 || tap.n_run == 0;
}

#endif
