/* The interface of the stores: which one the settings name, keys that are none, and what was
 * written counted and hashed. Keeping it is dir.c's and s3.c's. Called by transfer and work. */
#include "objects/store.h"

#include "base/sha256.h"
#include "objects/kind.h"

#include <limits.h>

#define STORE_ARENA_BYTES (1u << 20) /* of an open store */
#define PUT_ARENA_BYTES (12u << 20)  /* of one put: the part that is being filled */

struct store_put {
    const struct store_kind *kind;
    void *self;          /* the kind's; NULL until it has begun */
    struct arena *arena; /* this is in it too */
    struct sha256 sha;
    int64_t size;
};

/* ---- opening ---- */

static enum err open_kind(struct op *op, const struct config *config, struct store *store)
{
    if (config->s3_endpoint) {
        return s3_open(op, store, config);
    }
    const char *path = arena_printf(store->arena, "%s/objects", config->home);
    return path ? dir_open(op, store, path, false) : fail_memory(op);
}

/* A folder as the directory store wants it: from the root, without slashes at its end. */
static enum err open_folder(struct op *op, const char *path, struct store *store)
{
    size_t len = strlen(path);
    char *here = arena_alloc(op->arena, PATH_MAX);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    if (len == 0 || (len == 1 && *path == '/')) {
        return fail(op, ERR_INVALID, "\"%s\" is no folder to keep files in", path);
    }
    if (!here || (*path != '/' && !getcwd(here, PATH_MAX))) {
        return fail(op, ERR_INTERNAL, "cannot tell where we are");
    }
    const char *whole = *path == '/'
                            ? arena_copy(store->arena, (struct str){ path, len })
                            : arena_printf(store->arena, "%s/%.*s", here, (int)len, path);
    return whole ? dir_open(op, store, whole, true) : fail_memory(op);
}

static enum err make_store(struct op *op, struct store **out)
{
    struct arena *arena = arena_new(STORE_ARENA_BYTES);
    struct store *store = arena ? arena_alloc(arena, sizeof *store) : NULL;

    if (!store) {
        arena_free(arena);
        return fail_memory(op);
    }
    store->arena = arena;
    *out = store;
    return OK;
}

/* Hands over a store that was opened, or releases one that was not. */
static enum err hand_over(struct store *store, enum err err, struct store **out)
{
    if (err != OK) {
        arena_free(store->arena);
        return err;
    }
    *out = store;
    return OK;
}

enum err store_open(struct op *op, const struct config *config, struct store **out)
{
    struct store *store;
    enum err err = make_store(op, &store);

    return err == OK ? hand_over(store, open_kind(op, config, store), out) : err;
}

enum err store_open_folder(struct op *op, const char *path, struct store **out)
{
    struct store *store;
    enum err err = make_store(op, &store);

    return err == OK ? hand_over(store, open_folder(op, path, store), out) : err;
}

void store_close(struct store *store)
{
    if (store) {
        store->kind->close(store->self);
        arena_free(store->arena);
    }
}

const char *store_name(const struct store *store)
{
    return store->name;
}

enum err store_prepare(struct store *store, struct op *op)
{
    return store->kind->prepare(store->self, op, STORE_MAKE);
}

enum err store_adopt(struct store *store, struct op *op)
{
    return store->kind->prepare(store->self, op, STORE_ADOPT);
}

enum err store_check(struct store *store, struct op *op)
{
    return store->kind->prepare(store->self, op, STORE_CHECK);
}

/* ---- keys ---- */

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool is_key(struct str key)
{
    if (key.len == 0 || key.len > STORE_MAX_KEY_BYTES || !str_is_utf8(key) || has_control(key)) {
        return false;
    }
    for (struct str rest = key; rest.ptr;) {
        struct str segment = str_cut(&rest, '/');
        if (segment.len == 0 || segment.len > 200 || segment.ptr[0] == '.') {
            return false;
        }
    }
    return true;
}

static enum err check_key(struct op *op, const char *key)
{
    return is_key(str_of(key)) ? OK : fail(op, ERR_INTERNAL, "not a key of an object: %s", key);
}

static enum err check_place(struct op *op, const struct store *store, const char *key)
{
    return store ? check_key(op, key)
                 : fail(op, ERR_UNAVAILABLE, "the object store could not be opened");
}

/* ---- writing ---- */

static enum err begin(struct store *store, struct op *op, const char *key, struct store_put *put)
{
    if (!sha256_open(&put->sha)) {
        return fail_memory(op);
    }
    return store->kind->put_begin(store->self, op, put->arena, key, &put->self);
}

static void put_free(struct store_put *put)
{
    sha256_close(&put->sha);
    arena_free(put->arena);
}

enum err store_put_begin(struct store *store, struct op *op, const char *key,
                         struct store_put **out)
{
    enum err err = check_place(op, store, key);

    if (err != OK) {
        return err;
    }
    struct arena *arena = arena_new(PUT_ARENA_BYTES);
    struct store_put *put = arena ? arena_alloc(arena, sizeof *put) : NULL;
    if (!put) {
        arena_free(arena);
        return fail_memory(op);
    }
    put->kind = store->kind;
    put->arena = arena;
    err = begin(store, op, key, put);
    if (err != OK) {
        put_free(put);
        return err;
    }
    *out = put;
    return OK;
}

enum err store_put_write(struct store_put *put, struct op *op, struct str bytes)
{
    if (bytes.len == 0) {
        return OK;
    }
    if ((int64_t)bytes.len > STORE_MAX_OBJECT_BYTES - put->size) {
        return fail(op, ERR_TOO_LARGE, "An object may have at most %lld bytes.",
                    (long long)STORE_MAX_OBJECT_BYTES);
    }
    put->size += (int64_t)bytes.len;
    sha256_add(&put->sha, bytes);
    return put->kind->put_write(put->self, op, bytes);
}

enum err store_put_finish(struct store_put *put, struct op *op, struct store_written *out)
{
    struct store_written written = { .size = put->size };
    enum err err = sha256_end(&put->sha, written.sha256)
                       ? put->kind->put_finish(put->self, op, &written)
                       : fail(op, ERR_INTERNAL, "SHA-256 cannot be computed");

    if (err != OK) {
        put->kind->put_abort(put->self);
    } else if (out) {
        *out = written;
    }
    put_free(put);
    return err;
}

void store_put_abort(struct store_put *put)
{
    if (put) {
        put->kind->put_abort(put->self);
        put_free(put);
    }
}

enum err store_put_bytes(struct store *store, struct op *op, const char *key, struct str bytes,
                         struct store_written *out)
{
    struct store_put *put = NULL;
    enum err err = store_put_begin(store, op, key, &put);

    if (err != OK) {
        return err;
    }
    err = store_put_write(put, op, bytes);
    if (err != OK) {
        store_put_abort(put);
        return err;
    }
    return store_put_finish(put, op, out);
}

/* ---- reading and removing ---- */

enum err store_head(struct store *store, struct op *op, const char *key, struct store_object *out)
{
    enum err err = check_key(op, key);
    return err == OK ? store->kind->head(store->self, op, key, out) : err;
}

enum err store_get(struct store *store, struct op *op, const char *key, struct store_range range,
                   store_sink sink, void *context)
{
    enum err err = check_place(op, store, key);
    return err == OK ? store->kind->get(store->self, op, key, range, sink, context) : err;
}

struct span {
    char *at;
    size_t room;
};

static enum err fill_span(void *context, struct op *op, struct str bytes)
{
    struct span *span = context;

    if (bytes.len > span->room) {
        return fail(op, ERR_INTERNAL, "the store gave more bytes than were asked for");
    }
    memcpy(span->at, bytes.ptr, bytes.len);
    span->at += bytes.len;
    span->room -= bytes.len;
    return OK;
}

enum err store_read(struct store *store, struct op *op, const char *key, int64_t from, size_t len,
                    void *out)
{
    struct span span = { out, len };

    if (len == 0) {
        return OK;
    }
    const struct store_range range = { from, (int64_t)len };
    enum err err = store_get(store, op, key, range, fill_span, &span);
    if (err == OK && span.room > 0) {
        err = fail(op, ERR_INTERNAL, "%s ends early", key);
    }
    return err;
}

enum err store_list(struct store *store, struct op *op, const char *prefix, const char *after,
                    int max, struct store_page *out)
{
    return store->kind->list(store->self, op, prefix, after,
                             max < 1 || max > STORE_MAX_LIST ? STORE_MAX_LIST : max, out);
}

enum err store_delete(struct store *store, struct op *op, const char *key)
{
    return store_delete_many(store, op, &key, 1);
}

enum err store_delete_many(struct store *store, struct op *op, const char *const *keys, int n)
{
    enum err err = n <= STORE_MAX_LIST ? OK : fail(op, ERR_INTERNAL, "too many keys at once");

    for (int i = 0; i < n && err == OK; i++) {
        err = check_key(op, keys[i]);
    }
    return err == OK && n > 0 ? store->kind->delete_many(store->self, op, keys, n) : err;
}

enum err store_sweep(struct store *store, struct op *op, int64_t age_s, int *out_n)
{
    *out_n = 0;
    return store->kind->sweep(store->self, op, age_s, out_n);
}
