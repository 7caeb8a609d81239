/* Files that come: from what is said of them to the row that makes them visible. */
#ifndef TIDEMARK_TRANSFER_RECEIVE_H
#define TIDEMARK_TRANSFER_RECEIVE_H

#include "domain/upload.h"
#include "objects/store.h"
#include "web/web.h"

#define RECEIVE_MAX_FILES 32 /* of one form */
#define RECEIVE_PIECE_BYTES (64u << 10)

/* One file that comes. */
struct receiving {
    struct upload_draft draft;
    struct upload_begun begun;
    struct store_put *put; /* NULL before it is begun and after it has ended */
    struct store_written written;
    int64_t most;          /* bytes that it may have */
};

/* What the address says of what is sent: `device` (that of the token where it is bound to one) and
 * `event`; and the settings' quota. ERR_FORBIDDEN for another device than a bound token's. */
enum err receive_draft(struct web *web, struct upload_draft *out) MUST_CHECK;

/* The name and type of a file, in the arena. ERR_INVALID for a name that can be none; a type that
 * is none becomes application/octet-stream. */
enum err receive_name(struct web *web, struct str name, struct str type,
                      struct upload_draft *draft) MUST_CHECK;

/* Notes the file (a transaction) and begins its object. */
enum err receive_begin(struct web *web, struct receiving *file) MUST_CHECK;
/* ERR_TOO_LARGE beyond what the file or the tenant may have. */
enum err receive_bytes(struct web *web, struct receiving *file, struct str bytes) MUST_CHECK;
/* The file is whole: its object is kept. */
enum err receive_end(struct web *web, struct receiving *file) MUST_CHECK;

/* Makes all of them visible (a transaction) or, where `err` or that is a failure, none, and leaves
 * nothing of them behind. */
enum err receive_settle(struct web *web, struct receiving *files, int n, enum err err) MUST_CHECK;

/* Takes the whole body of the request into an object: `most` bytes of it, and as many as its length
 * says. *out_n: how many came. */
enum err receive_body(struct web *web, struct store_put *put, int64_t most,
                      int64_t *out_n) MUST_CHECK;

/* All files of a form that was opened, visible together; *out_n of them in `files`, which has room
 * for RECEIVE_MAX_FILES. ERR_INVALID without any. */
struct multipart_stream;
enum err receive_form(struct web *web, struct multipart_stream *form, struct receiving *files,
                      int *out_n) MUST_CHECK;

/* The UUID in the address's {id}, in the arena; ERR_NOT_FOUND where it is none. */
enum err receive_id(struct web *web, const char **out) MUST_CHECK;

/* Writes one file's {id, name, size, sha256} as the answer, 201. */
enum err receive_answer(struct web *web, const struct receiving *file) MUST_CHECK;

#endif
