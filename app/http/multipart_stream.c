/* A form with files, cut as it comes. Called by transfer/. */
#include "http/multipart_stream.h"

#include "http/multipart.h"

enum err multipart_open(struct multipart_stream *stream, struct http_request *request)
{
    struct str boundary = http_multipart_boundary(http_header(request, "Content-Type"));

    *stream = (struct multipart_stream){ .op = request->op, .transport = request->transport };
    if (boundary.len == 0 || boundary.len > MULTIPART_MAX_BOUNDARY_BYTES) {
        return fail(request->op, ERR_MALFORMED, "The content type names no boundary.");
    }
    stream->buffer = arena_alloc(request->op->arena, MULTIPART_BUFFER_BYTES);
    if (!stream->buffer) {
        return fail_memory(request->op);
    }
    memcpy(stream->delimiter, "\r\n--", 4);
    memcpy(stream->delimiter + 4, boundary.ptr, boundary.len);
    stream->delimiter_len = boundary.len + 4;
    /* the first delimiter begins the body: what stands before it is a part that nobody reads */
    memcpy(stream->buffer, "\r\n", 2);
    stream->len = 2;
    stream->is_in_part = true;
    return OK;
}

static enum err fail_cut(struct multipart_stream *stream)
{
    return fail(stream->op, ERR_MALFORMED, "The form is cut short.");
}

/* More bytes behind those that are there. ERR_MALFORMED at the body's end. */
static enum err fill(struct multipart_stream *stream)
{
    if (stream->start > 0) {
        memmove(stream->buffer, stream->buffer + stream->start, stream->len);
        stream->start = 0;
    }
    int64_t n = stream->transport->read(stream->transport, stream->buffer + stream->len,
                                        MULTIPART_BUFFER_BYTES - stream->len);
    if (n <= 0) {
        return fail_cut(stream);
    }
    stream->len += (size_t)n;
    stream->received += n;
    return OK;
}

static void skip(struct multipart_stream *stream, size_t n)
{
    stream->start += n;
    stream->len -= n;
}

/* Behind a delimiter: `--` ends the form, else a line's end begins a part's headers. */
static enum err end_part(struct multipart_stream *stream)
{
    stream->is_in_part = false;
    while (stream->len < 2) {
        enum err err = fill(stream);
        if (err != OK) {
            return err;
        }
    }
    if (memcmp(stream->buffer + stream->start, "--", 2) == 0) {
        stream->is_over = true;
    }
    return OK;
}

enum err multipart_read(struct multipart_stream *stream, struct str *piece)
{
    *piece = (struct str){ "", 0 };
    while (stream->is_in_part) {
        const char *at = stream->buffer + stream->start;
        const char *found = memmem(at, stream->len, stream->delimiter, stream->delimiter_len);
        size_t held = stream->delimiter_len - 1; /* may be the beginning of one */
        size_t n = found ? (size_t)(found - at) : stream->len > held ? stream->len - held : 0;

        if (n > 0) {
            *piece = (struct str){ at, n };
            skip(stream, n);
            return OK;
        }
        if (found) {
            skip(stream, stream->delimiter_len);
        }
        enum err err = found ? end_part(stream) : fill(stream);
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

enum err multipart_read_text(struct multipart_stream *stream, size_t most, struct str *out)
{
    char *text = arena_alloc(stream->op->arena, most + 1);
    size_t len = 0;

    if (!text) {
        return fail_memory(stream->op);
    }
    for (;;) {
        struct str piece;
        enum err err = multipart_read(stream, &piece);
        if (err != OK) {
            return err;
        }
        if (piece.len == 0) {
            *out = (struct str){ text, len };
            return OK;
        }
        if (piece.len > most - len) {
            return fail(stream->op, ERR_TOO_LARGE, "A field of the form has more than %zu bytes.",
                        most);
        }
        memcpy(text + len, piece.ptr, piece.len);
        len += piece.len;
    }
}

/* The part's headers, which end with an empty line: a view of the buffer. */
static enum err read_headers(struct multipart_stream *stream, struct str *out)
{
    for (;;) {
        const char *at = stream->buffer + stream->start;
        const char *end = memmem(at, stream->len, "\r\n\r\n", 4);
        if (end) {
            *out = (struct str){ at, (size_t)(end - at) };
            skip(stream, out->len + 4);
            return OK;
        }
        if (stream->len > MULTIPART_BUFFER_BYTES / 2) {
            return fail(stream->op, ERR_MALFORMED, "A part's headers do not end.");
        }
        enum err err = fill(stream);
        if (err != OK) {
            return err;
        }
    }
}

/* Past what nobody wants of this part. */
static enum err skip_part(struct multipart_stream *stream)
{
    struct str piece;
    enum err err;

    do {
        err = multipart_read(stream, &piece);
    } while (err == OK && piece.len > 0);
    return err;
}

/* To the body's end, so that the connection is where the next request may begin. */
static enum err skip_rest(struct multipart_stream *stream)
{
    int64_t n;

    do {
        n = stream->transport->read(stream->transport, stream->buffer, MULTIPART_BUFFER_BYTES);
        stream->received += n > 0 ? n : 0;
    } while (n > 0);
    return n < 0 ? fail_cut(stream) : OK;
}

static bool copy(struct arena *arena, struct str *text)
{
    if (text->ptr) {
        text->ptr = arena_copy(arena, *text);
    }
    return text->ptr || text->len == 0;
}

/* The character that browsers write as these three in a name (HTML, "multipart/form-data encoding
 * algorithm"), and no other; 0: they are none. */
static char unescaped(const char *at)
{
    return memcmp(at, "%22", 3) == 0   ? '"'
           : memcmp(at, "%0D", 3) == 0 ? '\r'
           : memcmp(at, "%0A", 3) == 0 ? '\n'
                                       : '\0';
}

/* The same of a name, as it was before a browser wrote it into a header. */
static bool copy_name(struct arena *arena, struct str *name)
{
    char *out = name->ptr ? arena_copy(arena, *name) : NULL;
    size_t len = 0;

    if (!out) {
        return name->len == 0;
    }
    for (size_t i = 0; i < name->len; i++) {
        char c = name->len - i >= 3 ? unescaped(name->ptr + i) : '\0';
        out[len++] = c ? c : name->ptr[i];
        i += c ? 2 : 0;
    }
    *name = (struct str){ out, len };
    return true;
}

/* An empty part's delimiter begins with the line's end that ended its headers. */
static enum err begin_content(struct multipart_stream *stream)
{
    const size_t bare_len = stream->delimiter_len - 2;

    while (stream->len < bare_len) {
        enum err err = fill(stream);
        if (err != OK) {
            return err;
        }
    }
    if (memcmp(stream->buffer + stream->start, stream->delimiter + 2, bare_len) == 0) {
        skip(stream, bare_len);
        return end_part(stream);
    }
    return OK;
}

enum err multipart_next(struct multipart_stream *stream, struct multipart_head *head,
                        bool *is_there)
{
    struct str headers;
    enum err err = skip_part(stream);

    *is_there = false;
    if (err != OK || stream->is_over) {
        return err == OK ? skip_rest(stream) : err;
    }
    err = read_headers(stream, &headers);
    if (err != OK) {
        return err;
    }
    struct http_part part;
    if (!http_read_part_head(headers, &part, &head->type)) {
        return fail(stream->op, ERR_MALFORMED, "A part of the form has no name.");
    }
    head->name = part.name;
    head->file_name = part.file_name;
    struct arena *arena = stream->op->arena;
    if (!copy_name(arena, &head->name) || !copy_name(arena, &head->file_name) ||
        !copy(arena, &head->type)) {
        return fail_memory(stream->op);
    }
    stream->is_in_part = true;
    *is_there = true;
    return begin_content(stream);
}
