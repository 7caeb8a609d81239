/* What a kind of store has to do, between store.c, which checks keys and counts and hashes what is
 * written, and dir.c and s3.c, which keep it. For those alone; others see store.h. */
#ifndef TIDEMARK_OBJECTS_KIND_H
#define TIDEMARK_OBJECTS_KIND_H

#include "objects/store.h"

/* What is done about a store's place. */
enum store_step {
    STORE_CHECK, /* store_check */
    STORE_ADOPT, /* store_adopt */
    STORE_MAKE,  /* store_prepare */
};

/* Each as its namesake of store.h says, with keys already checked. */
struct store_kind {
    void (*close)(void *self);
    enum err (*prepare)(void *self, struct op *op, enum store_step step);
    enum err (*put_begin)(void *self, struct op *op, struct arena *arena, const char *key,
                          void **out);
    enum err (*put_write)(void *put, struct op *op, struct str bytes);
    /* Makes it visible; after an error put_abort follows. */
    enum err (*put_finish)(void *put, struct op *op, const struct store_written *written);
    void (*put_abort)(void *put);
    enum err (*head)(void *self, struct op *op, const char *key, struct store_object *out);
    enum err (*get)(void *self, struct op *op, const char *key, struct store_range range,
                    store_sink sink, void *context);
    enum err (*list)(void *self, struct op *op, const char *prefix, const char *after, int max,
                     struct store_page *out);
    enum err (*delete_many)(void *self, struct op *op, const char *const *keys, int n);
    enum err (*sweep)(void *self, struct op *op, int64_t age_s, int *out_n);
};

struct store {
    const struct store_kind *kind;
    void *self;          /* the kind's, in `arena` */
    const char *name;    /* for people */
    struct arena *arena; /* lives as long as the store */
};

/* Each fills kind, self and name of a store whose arena is there. `is_named`: by somebody. */
enum err dir_open(struct op *op, struct store *store, const char *path, bool is_named) MUST_CHECK;
enum err s3_open(struct op *op, struct store *store, const struct config *config) MUST_CHECK;

#endif
