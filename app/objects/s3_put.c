/* Writing to a bucket: one PUT for what fits into a part, an upload in parts for what does not.
 * Each part lies in memory until the server has it, so that it can be sent again. Called by store.c
 * through s3.c. */
#include "objects/s3.h"

#define MIN_PART_BYTES (5u << 20) /* what S3 takes, but for the last */
#define PART_STEP_BYTES (544u << 10)
#define PARTS_A_STEP 1000 /* after so many, the next are a step longer */
#define MAX_PARTS 10000   /* what S3 takes; STORE_MAX_OBJECT_BYTES and a little more in all */
#define ETAG_SIZE 96

struct part {
    char etag[ETAG_SIZE];
};

struct s3_put {
    struct arena *arena;
    struct s3 *s3;
    const char *key;
    const char *upload_id; /* NULL until there is more than one part */
    char *bytes;           /* the part that is being filled, of `room` */
    size_t len, room;
    struct part *parts;    /* the server has; room for `parts_room` */
    int n_parts, parts_room;
};

static size_t part_bytes(int number)
{
    return MIN_PART_BYTES + (size_t)(number / PARTS_A_STEP) * PART_STEP_BYTES;
}

enum err s3_put_begin(void *self, struct op *op, struct arena *arena, const char *key, void **out)
{
    struct s3_put *put = arena_alloc(arena, sizeof *put);
    const char *copy = arena_copy(arena, str_of(key));

    if (!put || !copy) {
        return fail_memory(op);
    }
    *put = (struct s3_put){ .arena = arena, .s3 = self, .key = copy };
    *out = put;
    return OK;
}

/* ---- parts ---- */

static enum err begin_upload(struct s3_put *put, struct op *op)
{
    struct s3_request request = { .method = "POST", .key = put->key, .query = { { "uploads", "" } },
                                  .n_query = 1, .body = STR("") };
    struct s3_answer answer;
    enum err err = s3_send(put->s3, op, &request, &answer);

    if (err != OK) {
        return err;
    }
    struct str id = s3_read_text(put->s3->scratch.arena, answer.body, "UploadId");
    if (id.len == 0) {
        return fail(op, ERR_INTERNAL, "the object store began an upload without a name");
    }
    put->upload_id = arena_copy(put->arena, id);
    return put->upload_id ? OK : fail_memory(op);
}

/* Room for one part more. */
static bool grow_parts(struct s3_put *put)
{
    int room = put->parts_room > 0 ? put->parts_room * 2 : 128;

    if (put->n_parts < put->parts_room) {
        return true;
    }
    struct part *parts = arena_resize(put->arena, put->parts,
                                      (size_t)put->parts_room * sizeof *parts,
                                      (size_t)room * sizeof *parts);
    if (parts) {
        put->parts = parts;
        put->parts_room = room;
    }
    return parts != NULL;
}

static enum err send_part(struct s3_put *put, struct op *op)
{
    char number[16];
    struct s3_request request = {
        .method = "PUT",
        .key = put->key,
        .query = { { "partNumber", number }, { "uploadId", put->upload_id } },
        .n_query = 2,
        .body = { put->bytes, put->len },
    };
    struct s3_answer answer;

    if (put->n_parts == MAX_PARTS) {
        return fail(op, ERR_TOO_LARGE, "An object may have at most %d parts.", MAX_PARTS);
    }
    if (!grow_parts(put)) {
        return fail_memory(op);
    }
    snprintf(number, sizeof number, "%d", put->n_parts + 1);
    enum err err = s3_send(put->s3, op, &request, &answer);
    if (err != OK) {
        return err;
    }
    size_t len = answer.etag ? strlen(answer.etag) : 0;
    if (len == 0 || len >= ETAG_SIZE) {
        return fail(op, ERR_INTERNAL, "the object store took a part without naming it");
    }
    memcpy(put->parts[put->n_parts++].etag, answer.etag, len + 1);
    put->len = 0;
    return OK;
}

/* The room of the next part. Its memory is the system's until bytes come into it. */
static bool make_room(struct s3_put *put)
{
    size_t room = part_bytes(put->n_parts);

    if (put->room < room) {
        char *bytes = arena_resize(put->arena, put->bytes, put->room, room);
        put->bytes = bytes ? bytes : put->bytes;
        put->room = bytes ? room : put->room;
    }
    return put->bytes && put->room >= room;
}

/* To whom writes, what is not found is no address of theirs. */
static enum err lost(struct op *op, enum err err, const char *key)
{
    if (err != ERR_NOT_FOUND) {
        return err;
    }
    op_clear_fault(op);
    return fail(op, ERR_UNAVAILABLE, "the object store has given up %s", key);
}

static enum err flush_part(struct s3_put *put, struct op *op)
{
    enum err err = put->upload_id ? OK : begin_upload(put, op);
    return err == OK ? send_part(put, op) : err;
}

enum err s3_put_write(void *self, struct op *op, struct str bytes)
{
    struct s3_put *put = self;

    while (bytes.len > 0) {
        /* a full part leaves when more comes: what ends with it may be one request */
        if (put->bytes && put->len == part_bytes(put->n_parts)) {
            enum err err = flush_part(put, op);
            if (err != OK) {
                return lost(op, err, put->key);
            }
        }
        if (!make_room(put)) {
            return fail_memory(op);
        }
        size_t left = part_bytes(put->n_parts) - put->len;
        size_t n = bytes.len < left ? bytes.len : left;
        memcpy(put->bytes + put->len, bytes.ptr, n);
        put->len += n;
        bytes.ptr += n;
        bytes.len -= n;
    }
    return OK;
}

/* ---- the end ---- */

static enum err put_whole(struct s3_put *put, struct op *op)
{
    struct s3_request request = { .method = "PUT", .key = put->key,
                                  .body = { put->bytes ? put->bytes : "", put->len } };
    struct s3_answer answer;

    return s3_send(put->s3, op, &request, &answer);
}

/* The list of the parts. It is written where the parts were, the last of which has left. */
static const char *complete_body(struct s3_put *put, size_t *len)
{
    struct buf body = { .arena = put->arena, .data = put->bytes, .size = put->room,
                        .cap = put->room };

    buf_add_text(&body, "<CompleteMultipartUpload>");
    for (int i = 0; i < put->n_parts; i++) {
        buf_printf(&body, "<Part><PartNumber>%d</PartNumber><ETag>&quot;", i + 1);
        s3_write_text(&body, put->parts[i].etag);
        buf_add_text(&body, "&quot;</ETag></Part>");
    }
    buf_add_text(&body, "</CompleteMultipartUpload>");
    *len = body.len;
    return body.is_broken ? NULL : body.data;
}

/* Joins the parts. An answer of 200 may be an error's: it was begun before the outcome was known. A
 * repetition whose first answer was lost finds no upload any more; what is there is checked by who
 * calls. */
static enum err complete(struct s3_put *put, struct op *op)
{
    struct s3_request request = { .method = "POST", .key = put->key,
                                  .query = { { "uploadId", put->upload_id } }, .n_query = 1 };
    struct s3_answer answer;

    request.body.ptr = complete_body(put, &request.body.len);
    if (!request.body.ptr) {
        return fail_memory(op);
    }
    enum err err = s3_send(put->s3, op, &request, &answer);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return OK;
    }
    if (err != OK) {
        return err;
    }
    struct s3_error error = s3_read_error(put->s3->scratch.arena, answer.body);
    return error.code.len == 0
               ? OK
               : fail(op, ERR_UNAVAILABLE, "the object store could not join the parts: %.*s %.*s",
                      (int)error.code.len, error.code.ptr, (int)error.message.len,
                      error.message.ptr ? error.message.ptr : "");
}

/* That the server has as much as was written; servers are known that take less and say yes. */
static enum err check(struct s3_put *put, struct op *op, int64_t size)
{
    struct s3_request request = { .method = "HEAD", .key = put->key };
    struct s3_answer answer;
    enum err err = s3_send(put->s3, op, &request, &answer);

    if (err != OK) {
        return err;
    }
    return answer.content_length == size
               ? OK
               : fail(op, ERR_INTERNAL, "the object store has %lld bytes of %s, not the %lld that "
                      "were written", (long long)answer.content_length, put->key, (long long)size);
}

enum err s3_put_finish(void *self, struct op *op, const struct store_written *written)
{
    struct s3_put *put = self;
    enum err err = OK;

    if (!put->upload_id) {
        err = put_whole(put, op);
    } else {
        err = put->len > 0 ? send_part(put, op) : OK;
        if (err == OK) {
            err = complete(put, op);
        }
    }
    return lost(op, err == OK ? check(put, op, written->size) : err, put->key);
}

enum err s3_abort_upload(struct s3 *s3, struct op *op, const char *key, const char *id)
{
    struct s3_request request = { .method = "DELETE", .key = key, .query = { { "uploadId", id } },
                                  .n_query = 1 };
    struct s3_answer answer;

    return s3_send(s3, op, &request, &answer);
}

/* In an operation of its own: that of the put has failed, or is its caller's. */
void s3_put_abort(void *self)
{
    struct s3_put *put = self;
    struct op op;

    if (!put->upload_id) {
        return;
    }
    op_init(&op, put->arena, "abort an upload");
    if (s3_abort_upload(put->s3, &op, put->key, put->upload_id) == ERR_UNAVAILABLE) {
        op_log_fault(&op); /* the sweep will find it */
    }
}
