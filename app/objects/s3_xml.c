/* The XML that S3 servers answer with. Called by s3*.c. */
#include "objects/s3.h"

#include "base/clock.h"
#include "base/xml.h"

/* Walks the document; at each text says in which element it stands, and in which that is. */
struct walk {
    struct xml_reader reader;
    struct arena *arena;
    struct str path[8]; /* names of the open elements */
    int depth;
    struct str text;    /* of the element that has just ended, decoded */
    bool is_broken;
};

static struct walk walk_of(struct arena *arena, struct str body)
{
    return (struct walk){ .reader = xml_reader(body), .arena = arena };
}

/* Up to the end of the next element: its name is *name, its text walk->text, and depth that of the
 * element around it. False at the end of the document. */
static bool walk_next(struct walk *walk, struct str *name)
{
    struct xml_token token;

    for (;;) {
        xml_next(&walk->reader, &token);
        switch (token.kind) {
        case XML_OPEN:
            if (walk->depth == (int)(sizeof walk->path / sizeof walk->path[0])) {
                walk->is_broken = true;
                return false;
            }
            walk->path[walk->depth++] = token.name;
            walk->text = (struct str){ "", 0 };
            break;
        case XML_TEXT:
            if (!xml_decode(walk->arena, token.name, &walk->text)) {
                walk->is_broken = true;
                return false;
            }
            break;
        case XML_CLOSE:
            walk->depth -= walk->depth > 0;
            *name = token.name;
            return true;
        default:
            walk->is_broken = token.kind == XML_BROKEN || walk->depth > 0;
            return false;
        }
    }
}

/* That the element stands in one named so, which is the document's or stands in that. */
static bool is_in(const struct walk *walk, int depth, const char *around)
{
    return walk->depth == depth && str_equal(walk->path[depth - 1], str_of(around));
}

static bool is(struct str name, const char *wanted)
{
    return str_equal(name, str_of(wanted));
}

struct s3_error s3_read_error(struct arena *arena, struct str body)
{
    struct walk walk = walk_of(arena, body);
    struct s3_error error = { { NULL, 0 }, { NULL, 0 } };
    struct str name;

    while (walk_next(&walk, &name)) {
        if (is_in(&walk, 1, "Error") && is(name, "Code")) {
            error.code = walk.text;
        } else if (is_in(&walk, 1, "Error") && is(name, "Message")) {
            error.message = walk.text;
        }
    }
    return walk.is_broken ? (struct s3_error){ { NULL, 0 }, { NULL, 0 } } : error;
}

struct str s3_read_text(struct arena *arena, struct str body, const char *wanted)
{
    struct walk walk = walk_of(arena, body);
    struct str name;

    while (walk_next(&walk, &name)) {
        if (is(name, wanted)) {
            return walk.text;
        }
    }
    return (struct str){ NULL, 0 };
}

/* ---- lists ---- */

struct entry {
    const char *key, *id;
    int64_t size, time_us;
};

/* What an element within an entry says. False when it cannot be understood. */
static bool take_part(struct entry *entry, const struct walk *walk, struct str name)
{
    long long size;

    if (is(name, "Key")) {
        entry->key = arena_copy(walk->arena, walk->text);
        return entry->key != NULL;
    }
    if (is(name, "UploadId")) {
        entry->id = arena_copy(walk->arena, walk->text);
        return entry->id != NULL;
    }
    if (is(name, "Size")) {
        bool is_size = str_to_int64(walk->text, &size) && size >= 0;
        entry->size = is_size ? size : -1;
        return is_size;
    }
    if (is(name, "LastModified") || is(name, "Initiated")) {
        return clock_parse_rfc3339(walk->text, &entry->time_us);
    }
    return true;
}

bool s3_read_list(struct arena *arena, struct str body, int max, struct store_page *out)
{
    static const struct entry EMPTY = { NULL, NULL, -1, 0 };
    struct walk walk = walk_of(arena, body);
    struct entry entry = EMPTY;
    struct str name;
    bool is_more = false, is_list = false;

    *out = (struct store_page){ .objects = arena_array(arena, (size_t)max, sizeof *out->objects) };
    while (out->objects && walk_next(&walk, &name)) {
        if (is_in(&walk, 2, "Contents")) {
            walk.is_broken = !take_part(&entry, &walk, name);
        } else if (walk.depth == 1 && is(name, "Contents")) {
            walk.is_broken = !entry.key || entry.size < 0 || out->n == max;
            if (!walk.is_broken) {
                out->objects[out->n++] =
                    (struct store_object){ entry.key, entry.size, entry.time_us };
            }
            entry = EMPTY;
        } else if (walk.depth == 1 && is(name, "IsTruncated")) {
            is_more = is(walk.text, "true");
        } else if (walk.depth == 1 && is(name, "NextContinuationToken")) {
            out->next = arena_copy(arena, walk.text);
        } else if (walk.depth == 0) {
            is_list = is(name, "ListBucketResult");
        }
        if (walk.is_broken) {
            break;
        }
    }
    out->next = is_more ? out->next : NULL;
    return is_list && !walk.is_broken && (!is_more || out->next);
}

/* What the list says of itself. */
static void take_mark(struct s3_upload_page *out, const struct walk *walk, struct str name,
                      bool *is_more)
{
    if (is(name, "IsTruncated")) {
        *is_more = is(walk->text, "true");
    } else if (is(name, "NextKeyMarker")) {
        out->next_key = arena_copy(walk->arena, walk->text);
    } else if (is(name, "NextUploadIdMarker")) {
        out->next_id = arena_copy(walk->arena, walk->text);
    }
}

bool s3_read_uploads(struct arena *arena, struct str body, int max, struct s3_upload_page *out)
{
    struct walk walk = walk_of(arena, body);
    struct entry entry = { 0 };
    struct str name;
    bool is_list = false, is_more = false;

    *out = (struct s3_upload_page){ arena_array(arena, (size_t)max, sizeof *out->uploads), 0, NULL,
                                    NULL };
    while (out->uploads && !walk.is_broken && walk_next(&walk, &name)) {
        if (is_in(&walk, 2, "Upload")) {
            walk.is_broken = !take_part(&entry, &walk, name);
        } else if (walk.depth == 1 && is(name, "Upload")) {
            walk.is_broken = !entry.key || !entry.id || out->n == max;
            if (!walk.is_broken) {
                out->uploads[out->n++] = (struct s3_upload){ entry.key, entry.id, entry.time_us };
            }
            entry = (struct entry){ 0 };
        } else if (walk.depth == 1) {
            take_mark(out, &walk, name, &is_more);
        } else if (walk.depth == 0) {
            is_list = is(name, "ListMultipartUploadsResult");
        }
    }
    if (!is_more) {
        out->next_key = out->next_id = NULL;
    }
    return is_list && !walk.is_broken;
}

void s3_write_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': buf_add_text(out, "&amp;"); break;
        case '<': buf_add_text(out, "&lt;"); break;
        case '>': buf_add_text(out, "&gt;"); break;
        case '"': buf_add_text(out, "&quot;"); break;
        default: buf_add_char(out, *text);
        }
    }
}
