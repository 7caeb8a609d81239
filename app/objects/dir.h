/* The parts of the directory store, for dir*.c alone; others see store.h. */
#ifndef TIDEMARK_OBJECTS_DIR_H
#define TIDEMARK_OBJECTS_DIR_H

#include "objects/kind.h"

#include <sys/stat.h>

struct dir_store {
    const char *root; /* absolute, without a slash at its end */
    const char *mark; /* the folder in it that makes it a store's, and in which objects come */
    bool is_named;    /* somebody named it: what was copied there is read without the mark, too */
};

/* The failure in errno of a system call on the store; `verb` as in "cannot read". ERR_INTERNAL
 * where somebody has to put rights right, else ERR_UNAVAILABLE. */
enum err dir_fail(struct op *op, const char *verb, const char *path) MUST_CHECK;

/* Whether the root is there and is a store's: what is not found below any other says nothing.
 * `is_read`: it is not to be written. ERR_UNAVAILABLE where it is not, as when its disk is not
 * mounted; else as dir_fail. */
enum err dir_check(const struct dir_store *store, struct op *op, bool is_read) MUST_CHECK;

/* When a file was last written, in µs since 1970. */
int64_t dir_modified_us(const struct stat *status);

/* store_list of a struct dir_store; fails as dir_fail does. */
enum err dir_list(void *self, struct op *op, const char *prefix, const char *after, int max,
                  struct store_page *out) MUST_CHECK;

#endif
