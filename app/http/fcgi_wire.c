/* Reading and writing FastCGI's records. A state machine over bytes, fed as they come; a record's
 * content goes to the arena, never further than the limits. Called by http/fcgi_loop. */
#include "http/fcgi_wire.h"

#define FCGI_VERSION 1
#define FCGI_RESPONDER 1
#define FCGI_KEEP_CONN 1
#define MAX_PARAMS_BYTES (128u << 10) /* nginx takes 32 KiB of headers */
#define FIRST_VARIABLES 32
#define BEGIN_BYTES 8
#define MAX_RECORD_BYTES 65528 /* of content, a multiple of eight: no padding */

enum record_type {
    RECORD_BEGIN = 1, RECORD_ABORT = 2, RECORD_END = 3, RECORD_PARAMS = 4, RECORD_STDIN = 5,
    RECORD_STDOUT = 6
};

/* ---- the request, as http/request sees it ---- */

static const char *read_variable(struct http_transport *transport, const char *name)
{
    const struct fcgi_wire *wire = (const struct fcgi_wire *)transport;
    size_t len = strlen(name);

    for (size_t i = 0; i < wire->n_variables; i++) {
        const struct http_param *variable = &wire->variables[i];
        if (variable->name.len == len && memcmp(variable->name.ptr, name, len) == 0) {
            return variable->value.ptr;
        }
    }
    return NULL;
}

static int64_t read_body(struct http_transport *transport, char *out, size_t cap)
{
    struct fcgi_wire *wire = (struct fcgi_wire *)transport;
    size_t n = wire->body.len - wire->read_at;

    n = n < cap ? n : cap;
    if (n > 0) {
        memcpy(out, wire->body.data + wire->read_at, n);
        wire->read_at += n;
    }
    return (int64_t)n;
}

static struct str whole_body(struct http_transport *transport)
{
    struct fcgi_wire *wire = (struct fcgi_wire *)transport;
    struct str body = { "", 0 };

    if (wire->body.len > wire->read_at) {
        body = (struct str){ wire->body.data + wire->read_at, wire->body.len - wire->read_at };
    }
    wire->read_at = wire->body.len;
    return body;
}

void fcgi_wire_begin(struct fcgi_wire *wire, struct arena *arena, size_t max_body)
{
    *wire = (struct fcgi_wire){ .transport = { read_variable, read_body, whole_body, true },
                                .arena = arena, .max_body = max_body, .content_length = -1 };
    buf_init(&wire->params, arena, MAX_PARAMS_BYTES);
    buf_init(&wire->body, arena, max_body);
}

void fcgi_wire_expect_body(struct fcgi_wire *wire)
{
    size_t length = wire->content_length > 0 ? (size_t)wire->content_length : 0;

    if (length > wire->body.len && length < wire->max_body) {
        (void)buf_reserve(&wire->body, length + 1 - wire->body.len);
    }
}

void fcgi_wire_drop_body(struct fcgi_wire *wire)
{
    wire->is_dropping = true;
}

void fcgi_wire_rewind(struct fcgi_wire *wire)
{
    wire->read_at = 0;
}

/* ---- parameters ---- */

/* A length of one byte, or of four where the first one's high bit is set. False when cut. */
static bool read_length(struct str *rest, size_t *out)
{
    const uint8_t *bytes = (const uint8_t *)rest->ptr;
    size_t width = rest->len > 0 && bytes[0] & 0x80 ? 4 : 1;

    if (rest->len < width) {
        return false;
    }
    *out = bytes[0];
    if (width == 4) {
        *out = (size_t)(bytes[0] & 0x7f) << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
               bytes[3];
    }
    rest->ptr += width;
    rest->len -= width;
    return true;
}

static bool take_text(struct fcgi_wire *wire, struct str *rest, size_t len, struct str *out)
{
    char *copy = len <= rest->len ? arena_copy(wire->arena, (struct str){ rest->ptr, len }) : NULL;

    if (!copy) {
        return false;
    }
    *out = (struct str){ copy, len };
    rest->ptr += len;
    rest->len -= len;
    return true;
}

static void note_content_length(struct fcgi_wire *wire)
{
    const char *said = read_variable(&wire->transport, "CONTENT_LENGTH");
    long long length;

    if (said && str_to_int64(str_of(said), &length) && length >= 0) {
        wire->content_length = length;
    }
}

/* The next variable's place. NULL without memory. */
static struct http_param *add_variable(struct fcgi_wire *wire)
{
    size_t size = wire->variables_size;

    if (wire->n_variables == size) {
        size_t larger = size ? size * 2 : FIRST_VARIABLES;
        struct http_param *moved =
            arena_resize(wire->arena, wire->variables, size * sizeof *wire->variables,
                         larger * sizeof *wire->variables);
        if (!moved) {
            return NULL;
        }
        wire->variables = moved;
        wire->variables_size = larger;
    }
    return &wire->variables[wire->n_variables];
}

/* All parameters are there: their names and values. */
static bool read_variables(struct fcgi_wire *wire)
{
    struct str rest = buf_str(&wire->params);

    while (rest.len > 0) {
        struct http_param *variable = add_variable(wire);
        size_t name_len, value_len;
        if (!variable || !read_length(&rest, &name_len) || !read_length(&rest, &value_len) ||
            !take_text(wire, &rest, name_len, &variable->name) ||
            !take_text(wire, &rest, value_len, &variable->value)) {
            return false;
        }
        wire->n_variables++;
    }
    note_content_length(wire);
    return true;
}

/* ---- records ---- */

static void set_state(struct fcgi_wire *wire, bool is_good, enum fcgi_wire_state next)
{
    wire->state = is_good ? next : FCGI_WIRE_BROKEN;
}

static bool is_known(const struct fcgi_wire *wire, enum record_type type)
{
    uint16_t id = (uint16_t)(wire->header[2] << 8 | wire->header[3]);

    if (type == RECORD_BEGIN) {
        return !wire->has_begun && id != 0 && wire->content_left == BEGIN_BYTES;
    }
    return wire->has_begun && id == wire->id;
}

/* The body is there: a NUL follows it. False when it is too large. */
static bool end_body(struct fcgi_wire *wire)
{
    char *end = buf_reserve(&wire->body, 1);

    if (end) {
        *end = '\0';
    }
    wire->transport.is_coming = false;
    return end != NULL;
}

/* A record's header is whole: what it means where its content is empty, and whether it may come
 * now at all. Records of the connection itself (id 0) are passed over. */
static void begin_record(struct fcgi_wire *wire)
{
    const uint8_t *header = wire->header;
    enum record_type type = header[1];
    bool is_empty;

    wire->content_left = (size_t)header[4] << 8 | header[5];
    wire->padding_left = header[6];
    is_empty = wire->content_left == 0;
    if (header[0] != FCGI_VERSION) {
        wire->state = FCGI_WIRE_BROKEN;
    } else if (header[2] == 0 && header[3] == 0 && type != RECORD_BEGIN) {
        return;
    } else if (!is_known(wire, type)) {
        wire->state = FCGI_WIRE_BROKEN;
    } else if (type == RECORD_BEGIN) {
        wire->id = (uint16_t)(header[2] << 8 | header[3]);
        wire->has_begun = true;
    } else if (type == RECORD_PARAMS && wire->state == FCGI_WIRE_HEAD) {
        if (is_empty) {
            set_state(wire, read_variables(wire), FCGI_WIRE_BODY);
        }
    } else if (type == RECORD_STDIN && wire->state == FCGI_WIRE_BODY) {
        if (is_empty) {
            set_state(wire, end_body(wire), FCGI_WIRE_WHOLE);
        }
    } else {
        wire->state = FCGI_WIRE_BROKEN; /* aborted, or out of order */
    }
}

/* Of the eight bytes that begin a request: the role in two, flags, and what is reserved. */
static void take_begin(struct fcgi_wire *wire, const uint8_t *bytes, size_t n)
{
    size_t at = BEGIN_BYTES - wire->content_left - n;

    for (size_t i = 0; i < n; i++) {
        bool is_role = at + i < 2;
        if (is_role && bytes[i] != (at + i == 1 ? FCGI_RESPONDER : 0)) {
            wire->state = FCGI_WIRE_BROKEN;
        }
        if (at + i == 2) {
            wire->is_kept = bytes[i] & FCGI_KEEP_CONN;
        }
    }
}

/* Some of the record's content, which content_left does not count any more. */
static void take_content(struct fcgi_wire *wire, const uint8_t *bytes, size_t n)
{
    switch (wire->header[1]) {
    case RECORD_BEGIN: take_begin(wire, bytes, n); break;
    case RECORD_PARAMS: buf_add(&wire->params, bytes, n); break;
    case RECORD_STDIN:
        if (!wire->is_dropping) {
            buf_add(&wire->body, bytes, n);
        }
        break;
    default: break; /* the connection's own */
    }
    if (wire->params.is_broken || wire->body.is_broken) {
        wire->state = FCGI_WIRE_BROKEN;
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t fcgi_wire_feed(struct fcgi_wire *wire, const uint8_t *bytes, size_t n)
{
    size_t at = 0;

    while (wire->state < FCGI_WIRE_WHOLE && at < n) {
        size_t step;
        if (wire->header_len < FCGI_HEADER_BYTES) {
            step = least(FCGI_HEADER_BYTES - wire->header_len, n - at);
            memcpy(wire->header + wire->header_len, bytes + at, step);
            wire->header_len += step;
            if (wire->header_len == FCGI_HEADER_BYTES) {
                begin_record(wire);
            }
        } else if (wire->content_left > 0) {
            step = least(wire->content_left, n - at);
            wire->content_left -= step;
            take_content(wire, bytes + at, step);
        } else {
            step = least(wire->padding_left, n - at);
            wire->padding_left -= step;
        }
        at += step;
        if (wire->header_len == FCGI_HEADER_BYTES && wire->content_left + wire->padding_left == 0) {
            wire->header_len = 0;
        }
    }
    return at;
}

/* ---- answers ---- */

static void add_record(struct buf *out, enum record_type type, uint16_t id, struct str content)
{
    buf_add_char(out, FCGI_VERSION);
    buf_add_char(out, (char)type);
    buf_add_be16(out, id);
    buf_add_be16(out, (uint16_t)content.len);
    buf_add_be16(out, 0); /* no padding, reserved */
    buf_add_str(out, content);
}

static void add_output(struct buf *out, uint16_t id, struct str text)
{
    while (text.len > 0) {
        struct str piece = { text.ptr, least(text.len, MAX_RECORD_BYTES) };
        add_record(out, RECORD_STDOUT, id, piece);
        text.ptr += piece.len;
        text.len -= piece.len;
    }
}

static void add_header(struct buf *out, const char *name, const char *value)
{
    buf_add_text(out, name);
    buf_add_text(out, ": ");
    buf_add_text(out, value);
    buf_add_text(out, "\r\n");
}

static void add_head(struct buf *out, const struct http_response *response, bool has_body)
{
    buf_add_text(out, "Status: ");
    buf_add_int(out, response->status);
    buf_add_char(out, ' ');
    buf_add_text(out, http_reason(response->status));
    buf_add_text(out, "\r\n");
    if (has_body) {
        buf_add_text(out, "Content-Length: ");
        buf_add_int(out, (int64_t)response->body.len);
        buf_add_text(out, "\r\n");
    }
    if (has_body && response->content_type) {
        add_header(out, "Content-Type", response->content_type);
    }
    for (int i = 0; i < response->n_headers; i++) {
        add_header(out, response->headers[i].name, response->headers[i].value);
    }
    buf_add_text(out, "\r\n");
}

void fcgi_wire_answer(struct buf *out, uint16_t id, const struct http_response *response,
                      bool is_head)
{
    static const char COMPLETE[8] = { 0 }; /* exit status 0, FCGI_REQUEST_COMPLETE */
    bool has_body = response->status != 204 && response->status != 304;
    struct buf head;

    buf_init(&head, response->arena, MAX_RECORD_BYTES);
    add_head(&head, response, has_body);
    out->is_broken |= head.is_broken;
    add_output(out, id, buf_str(&head));
    if (has_body && !is_head) {
        add_output(out, id, buf_str(&response->body));
    }
    add_record(out, RECORD_STDOUT, id, (struct str){ "", 0 });
    add_record(out, RECORD_END, id, (struct str){ COMPLETE, sizeof COMPLETE });
}
