/* The parts of the directory store, for dir*.c alone; others see store.h. */
#ifndef TIDEMARK_OBJECTS_DIR_H
#define TIDEMARK_OBJECTS_DIR_H

#include "objects/kind.h"

#include <sys/stat.h>

struct dir_store {
    const char *root; /* absolute, without a slash at its end */
};

/* The failure in errno of a system call on the store; `verb` as in "cannot read". ERR_INTERNAL
 * where somebody has to put rights right, else ERR_UNAVAILABLE. */
enum err dir_fail(struct op *op, const char *verb, const char *path) MUST_CHECK;

/* When a file was last written, in µs since 1970. */
int64_t dir_modified_us(const struct stat *status);

/* store_list of a struct dir_store; fails as dir_fail does. */
enum err dir_list(void *self, struct op *op, const char *prefix, const char *after, int max,
                  struct store_page *out) MUST_CHECK;

#endif
