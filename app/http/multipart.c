/* Cutting a multipart form. Called by ingest's conventions that post files. */
#include "http/multipart.h"

#define MAX_BOUNDARY_BYTES 70 /* RFC 2046 */

/* Steps through `name=value; name="value"`; false at the end. */
static bool next_parameter(struct str *rest, struct str *name, struct str *value)
{
    const char *at = rest->ptr, *end = rest->ptr + rest->len;

    while (at < end && (*at == ';' || *at == ' ' || *at == '\t')) {
        at++;
    }
    if (at == end) {
        return false;
    }
    const char *start = at;
    while (at < end && *at != '=' && *at != ';') {
        at++;
    }
    *name = str_trim((struct str){ start, (size_t)(at - start) });
    at += at < end && *at == '=';
    bool is_quoted = at < end && *at == '"';
    at += is_quoted;
    start = at;
    while (at < end && *at != (is_quoted ? '"' : ';')) {
        at++;
    }
    *value = (struct str){ start, (size_t)(at - start) };
    at += is_quoted && at < end;
    *rest = (struct str){ at, (size_t)(end - at) };
    return true;
}

/* The value of a parameter behind the header's first word; ptr NULL when there is none. */
static struct str parameter(struct str header, const char *wanted)
{
    struct str rest = header, name, value;

    (void)str_cut(&rest, ';');
    while (rest.ptr && next_parameter(&rest, &name, &value)) {
        if (str_equal_nocase(name, str_of(wanted))) {
            return value;
        }
    }
    return (struct str){ NULL, 0 };
}

struct cutter {
    const char *at, *end;
    struct str boundary;
    bool has_cr; /* lines end in CRLF */
};

/* Steps behind the line at `delimiter` where it is the boundary's; *is_last where it closes the
 * form. */
static bool pass_delimiter(struct cutter *cutter, const char *delimiter, bool *is_last)
{
    const char *at = delimiter;
    size_t len = cutter->boundary.len;

    if ((size_t)(cutter->end - at) < len + 2 || at[0] != '-' || at[1] != '-' ||
        memcmp(at + 2, cutter->boundary.ptr, len) != 0) {
        return false;
    }
    at += 2 + len;
    *is_last = cutter->end - at >= 2 && at[0] == '-' && at[1] == '-';
    if (*is_last) {
        return true;
    }
    while (at < cutter->end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    cutter->has_cr = at < cutter->end && *at == '\r';
    at += cutter->has_cr;
    if (at == cutter->end || *at != '\n') {
        return false;
    }
    cutter->at = at + 1;
    return true;
}

/* Steps behind the next delimiter, from where the cutter stands. Returns where it begins; NULL:
 * there is none. */
static const char *find_delimiter(struct cutter *cutter, bool *is_last)
{
    const char *at = cutter->at;

    while (at && at < cutter->end) {
        if (pass_delimiter(cutter, at, is_last)) {
            return at;
        }
        at = memchr(at, '\n', (size_t)(cutter->end - at));
        at = at ? at + 1 : NULL;
    }
    return NULL;
}

struct str http_multipart_boundary(struct str content_type)
{
    return parameter(content_type, "boundary");
}

/* Takes what a line of a part's headers says. */
static void take_header(struct str line, struct http_part *part, struct str *type)
{
    struct str value = line;
    struct str name = str_trim(str_cut(&value, ':'));

    if (value.ptr && str_equal_nocase(name, STR("Content-Disposition"))) {
        part->name = parameter(value, "name");
        part->file_name = parameter(value, "filename");
    } else if (value.ptr && str_equal_nocase(name, STR("Content-Type"))) {
        *type = str_trim(str_cut(&value, ';'));
    }
}

bool http_read_part_head(struct str headers, struct http_part *part, struct str *type)
{
    struct str rest = headers;

    *part = (struct http_part){ .name = { NULL, 0 } };
    *type = (struct str){ NULL, 0 };
    while (rest.ptr) {
        take_header(str_trim(str_cut(&rest, '\n')), part, type);
    }
    return part->name.ptr != NULL;
}

/* Reads a part's headers up to the empty line. */
static bool read_headers(struct cutter *cutter, struct http_part *part)
{
    struct str type;

    while (cutter->at < cutter->end) {
        struct str rest = { cutter->at, (size_t)(cutter->end - cutter->at) };
        struct str value = str_trim(str_cut(&rest, '\n'));
        cutter->at = rest.ptr ? rest.ptr : cutter->end;
        if (value.len == 0) {
            return part->name.ptr != NULL;
        }
        take_header(value, part, &type);
    }
    return false;
}

/* Reads the part where the cutter stands, and steps to what follows it. */
static bool read_part(struct cutter *cutter, struct http_part *part, bool *is_last)
{
    *part = (struct http_part){ .name = { NULL, 0 } };
    if (!read_headers(cutter, part)) {
        return false;
    }
    const char *start = cutter->at;
    bool has_cr = cutter->has_cr;
    const char *delimiter = find_delimiter(cutter, is_last);
    if (!delimiter) {
        return false;
    }
    const char *end = delimiter > start ? delimiter - 1 : start; /* the LF before it */
    if (has_cr && end > start && end[-1] == '\r') {
        end--;
    }
    part->content = (struct str){ start, (size_t)(end - start) };
    return true;
}

enum err http_read_multipart(struct op *op, struct str content_type, struct str body,
                             struct http_part *parts, int max, int *out_n)
{
    const char *start = body.ptr ? body.ptr : ""; /* NULL of an empty one has no end */
    struct cutter cutter = { .at = start, .end = start + body.len,
                             .boundary = http_multipart_boundary(content_type) };
    bool is_last = false;

    *out_n = 0;
    if (cutter.boundary.len == 0 || cutter.boundary.len > MAX_BOUNDARY_BYTES) {
        return fail(op, ERR_MALFORMED, "The content type names no boundary.");
    }
    if (!find_delimiter(&cutter, &is_last)) {
        return fail(op, ERR_MALFORMED, "The form does not begin with its boundary.");
    }
    while (!is_last) {
        if (*out_n == max) {
            return fail(op, ERR_MALFORMED, "The form holds more than %d parts.", max);
        }
        if (!read_part(&cutter, &parts[*out_n], &is_last)) {
            return fail(op, ERR_MALFORMED, "The form is cut short, or a part of it has no name.");
        }
        (*out_n)++;
    }
    return OK;
}
