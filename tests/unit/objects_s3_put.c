/* An object of as many parts as S3 takes, against a server that is played here. Its bytes are not: a part is said
 * to be full without being written, as 72 GiB of them tell nothing more. */
#include "objects/s3_put.c"

#include "tap.h"

#include "objects/store.h"

#define PUT_MEMORY_BYTES (12u << 20) /* what one transfer may take */

static struct {
    int parts;
    int64_t bytes;     /* in them */
    struct str joined; /* what the parts are joined by */
} server;

static struct s3_put *put;

/* In place of s3_request.c's. */
enum err s3_send(struct s3 *s3, struct op *op, const struct s3_request *request, struct s3_answer *out)
{
    *out = (struct s3_answer){ .status = 200, .content_length = -1, .modified_us = -1, .body = STR("") };
    arena_reset(s3->scratch.arena);
    (void)op;
    if (strcmp(request->method, "PUT") == 0) {
        server.parts++;
        server.bytes += (int64_t)request->body.len;
        out->etag = "0123456789abcdef0123456789abcdef";
    } else if (strcmp(request->method, "HEAD") == 0) {
        out->content_length = server.bytes;
    } else if (strcmp(request->query[0].name, "uploads") == 0) {
        out->body = STR("<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>");
    } else {
        server.joined = request->body;
        out->body = STR("<CompleteMultipartUploadResult/>");
    }
    return OK;
}

static bool fill_part(struct op *op)
{
    if (put->bytes && put->len == part_bytes(put->n_parts) && flush_part(put, op) != OK) {
        return false;
    }
    if (!make_room(put)) {
        return false;
    }
    put->len = part_bytes(put->n_parts);
    return true;
}

static int count(struct str text, const char *what)
{
    int n = 0;

    for (size_t i = 0, len = strlen(what); i + len <= text.len; i++) {
        n += memcmp(text.ptr + i, what, len) == 0;
    }
    return n;
}

static bool ends_with(struct str text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.ptr + text.len - len, end, len) == 0;
}

int main(void)
{
    struct arena *scratch = arena_new(1u << 20), *memory = arena_new(PUT_MEMORY_BYTES);
    struct s3 s3 = { .scratch = { .arena = scratch, .id = "test" } };
    struct op op;
    void *self = NULL;
    int n = 0;

    op_init(&op, arena_new(1u << 20), "test");
    is_int(s3_put_begin(&s3, &op, memory, "archive/long", &self), OK, "an object is begun");
    put = self;
    while (n < MAX_PARTS && fill_part(&op)) {
        n++;
    }
    is_int(n, 10000, "ten thousand parts are taken within the memory of one transfer");
    const struct store_written written = { .size = server.bytes + (int64_t)put->len };
    ok(written.size >= STORE_MAX_OBJECT_BYTES, "they are as much as an object may have");
    is_int(s3_put_finish(put, &op, &written), OK, "and are joined within that memory");
    is_int(server.parts, 10000, "the server has got all of them");
    is_int(count(server.joined, "<Part><PartNumber>"), 10000, "and is told to join as many");
    ok(ends_with(server.joined, "<Part><PartNumber>10000</PartNumber><ETag>&quot;0123456789abcdef0123456789abcdef&quot;"
                                "</ETag></Part></CompleteMultipartUpload>"), "the last one last");
    arena_free(memory);
    arena_free(scratch);
    arena_free(op.arena);
    return done_testing();
}
