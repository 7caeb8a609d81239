/* Objects: bytes under a key, whole or not there. One interface over two stores, chosen by the
 * settings: a directory, or a bucket of an S3 server. A store belongs to one thread; several may
 * be open on the same place, in any processes.
 *
 * Keys are made by the program, never by a user. A key is 1 to 1,000 bytes of UTF-8 without control
 * characters: segments of 1 to 200 bytes between slashes, none of which begins with a dot. A key
 * must not be the beginning of another's path ("a" beside "a/b"). Any other is ERR_INTERNAL.
 *
 * Errors of all: ERR_NOT_FOUND, no such object; ERR_UNAVAILABLE, the store cannot take it or
 * cannot be reached, after retries, or there is no bucket (its detail says why, for the log);
 * ERR_INTERNAL, it refuses us (keys, rights, clock) or holds something else than was written. */
#ifndef TIDEMARK_OBJECTS_STORE_H
#define TIDEMARK_OBJECTS_STORE_H

#include "base/config.h"
#include "base/crypto.h"
#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

#define STORE_MAX_KEY_BYTES 1000
#define STORE_MAX_LIST 1000 /* objects of one page, and keys of one store_delete_many */
/* What ten thousand parts can hold, with the memory of one transfer bounded. */
#define STORE_MAX_OBJECT_BYTES (INT64_C(72) << 30)

struct store;
struct store_put; /* an object that is being written */

/* Opens what the settings name, and reaches nothing yet. ERR_INVALID for settings that contradict
 * each other. Release with store_close. */
enum err store_open(struct op *op, const struct config *config, struct store **out) MUST_CHECK;
/* The same in a folder that somebody named, absolute or not, which need not be there yet. What is
 * in it is read whoever put it there, and whether it was prepared or not. ERR_INVALID for an empty
 * name. */
enum err store_open_folder(struct op *op, const char *path, struct store **out) MUST_CHECK;
void store_close(struct store *store); /* NULL is allowed */

/* "$TIDEMARK_HOME/objects" or "https://host/bucket", for people. */
const char *store_name(const struct store *store);

/* Sees to it that the place is there: makes the directory and marks it as a store's, or the bucket
 * where it may. Called by migrate and, for a store that was away then, by the worker, and only
 * while the database knows of no object: a place that is missing with objects in it is the wrong
 * one. Nothing else makes a place. */
enum err store_prepare(struct store *store, struct op *op) MUST_CHECK;

/* store_check for a place that is to hold objects: a directory that is there, lacks the mark and is
 * not empty gets it, as when it was copied without what begins with a dot. */
enum err store_adopt(struct store *store, struct op *op) MUST_CHECK;

/* Whether the place is there and answers; makes nothing. ERR_UNAVAILABLE where it is not, or is a
 * directory without the mark, as when its disk is not mounted; so are all that follows there. */
enum err store_check(struct store *store, struct op *op) MUST_CHECK;

/* ---- writing ---- */

struct store_written {
    int64_t size;                      /* bytes */
    uint8_t sha256[CRYPTO_HASH_BYTES]; /* of them */
};

/* Begins an object, which takes the place of any of that key when it is finished, and not before.
 * A store that is NULL, of which that could not be opened, is one that cannot be reached.
 * Holds up to 12 MiB until finish or abort, one of which must follow; several may be open at once.
 * `key` is copied. */
enum err store_put_begin(struct store *store, struct op *op, const char *key,
                         struct store_put **out) MUST_CHECK;
/* Adds bytes. After an error only abort is of use. ERR_TOO_LARGE beyond STORE_MAX_OBJECT_BYTES. */
enum err store_put_write(struct store_put *put, struct op *op, struct str bytes) MUST_CHECK;
/* Makes the object visible and durable, and ends the put whatever comes out. On an error the object
 * is not there (or as it was before); only when the answer of a server was lost it may be. */
enum err store_put_finish(struct store_put *put, struct op *op,
                          struct store_written *out) MUST_CHECK;
/* Leaves nothing behind and ends the put. NULL is allowed. */
void store_put_abort(struct store_put *put);

/* All three for bytes in memory; `out` may be NULL. */
enum err store_put_bytes(struct store *store, struct op *op, const char *key, struct str bytes,
                         struct store_written *out) MUST_CHECK;

/* ---- reading ---- */

struct store_object {
    const char *key;     /* in the op's arena */
    int64_t size;        /* bytes */
    int64_t modified_us; /* when it was written, to the second at least */
};

/* Takes the next bytes of an object; anything but OK ends the reading with that. It must not use
 * the store that it reads from. */
typedef enum err (*store_sink)(void *context, struct op *op, struct str bytes);

enum err store_head(struct store *store, struct op *op, const char *key,
                    struct store_object *out) MUST_CHECK;

struct store_range {
    int64_t from; /* the first byte, from 0 */
    int64_t len;  /* how many; negative: all there are */
};
#define STORE_WHOLE ((struct store_range){ 0, -1 })

/* Hands the bytes of the range to the sink, in pieces of any size. Resumes by itself where a
 * connection was cut. ERR_INTERNAL when the object has fewer. */
enum err store_get(struct store *store, struct op *op, const char *key, struct store_range range,
                   store_sink sink, void *context) MUST_CHECK;

/* Exactly `len` bytes from `from` on into `out`. */
enum err store_read(struct store *store, struct op *op, const char *key, int64_t from, size_t len,
                    void *out) MUST_CHECK;

struct store_page {
    struct store_object *objects; /* ascending by the bytes of their keys; in the op's arena */
    int n;
    const char *next; /* what to give for `after`; NULL: these were the last */
};

/* Objects whose keys begin with `prefix` (any bytes of a key, or ""), at most `max` (1 to
 * STORE_MAX_LIST). `after`: NULL, or `next` of the page before. */
enum err store_list(struct store *store, struct op *op, const char *prefix, const char *after,
                    int max, struct store_page *out) MUST_CHECK;

/* ---- removing ---- */

/* Removes the object; one that is not there is removed, but not where there is no store. */
enum err store_delete(struct store *store, struct op *op, const char *key) MUST_CHECK;
/* The same for at most STORE_MAX_LIST keys. On an error some may be left. */
enum err store_delete_many(struct store *store, struct op *op, const char *const *keys,
                           int n) MUST_CHECK;

/* Removes what was begun more than `age_s` seconds ago and never finished: of processes that were
 * killed. *out_n: how many. */
enum err store_sweep(struct store *store, struct op *op, int64_t age_s, int *out_n) MUST_CHECK;

#endif
