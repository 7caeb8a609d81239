/* Files that people and devices send, as the database knows them: whose they are, how much has
 * come, and under which key the store has the bytes. A file is coming until upload_finish; before
 * that nobody sees it. Texts live in the operation's arena. */
#ifndef TIDEMARK_DOMAIN_UPLOAD_H
#define TIDEMARK_DOMAIN_UPLOAD_H

#include "base/crypto.h"
#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

#define UPLOAD_MAX_NAME_BYTES 255
#define UPLOAD_MAX_TYPE_BYTES 127

/* What is said of a file before it comes. */
struct upload_draft {
    const char *name;   /* any text without control characters */
    const char *type;   /* "image/png" */
    int64_t length;     /* bytes; -1: not known */
    const char *device; /* key, or NULL */
    const char *event;  /* UUID, or NULL */
    bool is_by_parts;
    int64_t quota;      /* bytes of the tenant; 0: any number */
};

struct upload_begun {
    const char *id;  /* UUID */
    const char *key; /* of its object */
    int64_t room;    /* bytes that the quota leaves */
};

/* ERR_INVALID for a device that the tenant has not, ERR_TOO_LARGE beyond the quota. */
enum err upload_begin(struct db_tx *tx, const struct upload_draft *draft,
                      struct upload_begun *out) MUST_CHECK;
/* Makes the file visible. ERR_CONFLICT when it was given up meanwhile, ERR_TOO_LARGE. */
enum err upload_finish(struct db_tx *tx, const char *id, int64_t size,
                       const uint8_t sha256[CRYPTO_HASH_BYTES], int64_t quota) MUST_CHECK;
/* Forgets a file unless it is visible; its objects are removed by the worker. */
enum err upload_abandon(struct db_tx *tx, const char *id) MUST_CHECK;

/* A file that the sender sends in parts. */
struct upload_progress {
    const char *id, *key;
    int64_t received;                  /* bytes, from its beginning on */
    bool is_stored;                    /* all of it, and visible; then: */
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

/* The newest of the draft's name, device and event and of `length` bytes by the same sender; *found
 * is false without one. */
enum err upload_resume(struct db_tx *tx, const struct upload_draft *draft, int64_t length,
                       bool *found, struct upload_progress *out) MUST_CHECK;
/* The file of that id; *found is false without one. */
enum err upload_find_progress(struct db_tx *tx, const char *id, bool *found,
                              struct upload_progress *out) MUST_CHECK;

/* One attempt to send a part, or to join them. */
struct upload_part_begun {
    const char *id;  /* UUID */
    const char *key; /* of its object, which no other attempt has */
};

/* Notes that a part of `size` bytes comes, which begins at byte `first`. ERR_CONFLICT unless that
 * is where those before it end. */
enum err upload_part_begin(struct db_tx *tx, const char *id, int64_t first, int64_t size,
                           struct upload_part_begun *out) MUST_CHECK;
/* The part is there. ERR_CONFLICT when another of the same place came first, or the file was given
 * up; *received: bytes of the file that are there. */
enum err upload_part_finish(struct db_tx *tx, const char *id, const char *part,
                            int64_t *received) MUST_CHECK;
/* Forgets an attempt, of a part or to join them, unless it is there or made the file visible; the
 * worker removes its object. */
enum err upload_part_abandon(struct db_tx *tx, const char *id, const char *part) MUST_CHECK;

struct upload_part {
    const char *id, *key;
    int64_t size;
};

struct upload_part_list {
    struct upload_part *items; /* in order */
    int n;
};

/* Notes that the parts of a file are joined into an object of the attempt's own. ERR_CONFLICT
 * unless all of them are there, or when the file is whole or was given up; ERR_CHANGING while
 * another attempt is at it, which it is until it ends or has not beaten for two minutes. */
enum err upload_join_begin(struct db_tx *tx, const char *id,
                           struct upload_part_begun *out) MUST_CHECK;
/* The attempt `join` is at work. ERR_CONFLICT when it was given up, or another took its place. */
enum err upload_join_beat(struct db_tx *tx, const char *id, const char *join) MUST_CHECK;
/* All parts of a file that is coming; ERR_CONFLICT when it is not. */
enum err upload_parts(struct db_tx *tx, const char *id, struct upload_part_list *out) MUST_CHECK;
/* Makes the file visible as the attempt `join` joined it. ERR_CONFLICT when it is whole already or
 * was given up, ERR_TOO_LARGE beyond the quota. */
enum err upload_join_finish(struct db_tx *tx, const char *id, const char *join,
                            const uint8_t sha256[CRYPTO_HASH_BYTES], int64_t quota) MUST_CHECK;
/* Forgets a part that the store has lost, and those behind it. *received: bytes of the file that
 * are there. ERR_CONFLICT when the file is whole or was given up. */
enum err upload_part_lost(struct db_tx *tx, const char *id, const char *part,
                          int64_t *received) MUST_CHECK;

struct upload {
    const char *id, *name, *type, *key; /* the key of upload_find alone */
    const char *device, *event;         /* NULL: none; of upload_list alone, like made_by */
    const char *made_by;
    const char *sha256; /* hexadecimal */
    int64_t size, stored_us;
};

struct upload_list {
    struct upload *items; /* the latest first */
    int n;
};

struct upload_filter {
    int64_t before_us;     /* only those before (before_us, before_id); INT64_MAX: all */
    const char *before_id; /* UUID */
    struct str device;     /* key; ptr NULL: any */
    const char *event;     /* UUID; NULL: any */
};
#define UPLOAD_LAST_ID "ffffffff-ffff-ffff-ffff-ffffffffffff"

enum err upload_list(struct db_tx *tx, const struct upload_filter *filter, int limit,
                     struct upload_list *out) MUST_CHECK;
/* ERR_NOT_FOUND for one that is not whole, too. */
enum err upload_find(struct db_tx *tx, const char *id, struct upload *out) MUST_CHECK;
struct upload_totals {
    int64_t files, bytes; /* that are whole */
    int64_t held;         /* bytes that the quota counts: of files that are coming, too */
};

/* How much the tenant has. */
enum err upload_total(struct db_tx *tx, struct upload_totals *out) MUST_CHECK;

/* Says of each event in the list whether a file belongs to it. */
struct event_list;
enum err upload_mark_events(struct db_tx *tx, struct event_list *events) MUST_CHECK;
/* Removes a file that is whole; its object goes with the worker's next run. ERR_NOT_FOUND. */
enum err upload_remove(struct db_tx *tx, const char *id) MUST_CHECK;

#endif
