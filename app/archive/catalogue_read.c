/* Catalogues on their way out of the store: a line is a JSON object, the first tells the format,
 * tenant and time, the last one the SHA-256 of all bytes before it. */
#include "archive/catalogue.h"

#include "archive/parts.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>

#define TEXT_BYTES ((size_t)CATALOGUE_LINE_MIB << 20)
#define BATCH_BYTES (4u << 20)  /* handed on at once, but for a longer line */
#define LINE_DEPTH 4            /* of the first and last line's JSON, with room */

struct scan {
    struct op *op;
    const char *key;
    catalogue_take take;
    void *context;
    struct sha256 sha;   /* of all lines but the last */
    char *text;          /* lines to be handed on, then what has no newline yet */
    size_t n_lines_bytes, len;
    bool is_begun;       /* by a first line */
    bool is_ended;       /* by a sound last line */
};

static enum err fail_damaged(const struct scan *scan, const char *why)
{
    return fail(scan->op, ERR_INVALID, "%s is damaged: %s", scan->key, why);
}

/* ---- its name ---- */

bool catalogue_name_read(const char *key, struct catalogue_name *out)
{
    size_t prefix = strlen(CATALOGUE_PREFIX);
    const char *slug = key + prefix;
    const char *end = strncmp(key, CATALOGUE_PREFIX, prefix) == 0 ? strchr(slug, '/') : NULL;
    char text[CLOCK_TEXT_SIZE];

    if (end == NULL || strlen(end + 1) < strlen("20261122T072327.000001Z-")) {
        return false;
    }
    const char *at = end + 1; /* a time as ISO 8601 has it, without marks */
    int n = snprintf(text, sizeof text, "%.4s-%.2s-%.2s%.1s%.2s:%.2s:%.10s", at, at + 4, at + 6,
                     at + 8, at + 9, at + 11, at + 13);
    out->tenant = (struct str){ slug, (size_t)(end - slug) };
    return n > 0 && (size_t)n < sizeof text && clock_parse_rfc3339(str_of(text), &out->made_us);
}

/* ---- lines ---- */

struct head {
    double format;
    struct str tenant, made_at;
};

/* Enters the object that is the only member `name` of the line. */
static bool enter_line(struct json_reader *json, struct str line, struct arena *arena,
                       struct str name)
{
    struct str found;

    json_reader_init(json, line, arena, LINE_DEPTH);
    return json_enter_object(json) && json_next_member(json, &found) && str_equal(found, name) &&
           json_enter_object(json);
}

static bool read_head(struct str line, struct arena *arena, struct head *out)
{
    struct json_reader json;
    struct str name;
    bool is_read = enter_line(&json, line, arena, STR("catalogue"));

    *out = (struct head){ .format = 0 };
    while (is_read && json_next_member(&json, &name)) {
        if (str_equal(name, STR("format"))) {
            is_read = json_read_number(&json, &out->format, NULL);
        } else if (str_equal(name, STR("tenant"))) {
            is_read = json_read_string(&json, &out->tenant);
        } else if (str_equal(name, STR("made_at"))) {
            is_read = json_read_string(&json, &out->made_at);
        } else {
            is_read = json_skip(&json, NULL);
        }
    }
    return is_read && out->format >= CATALOGUE_FORMAT && out->format < 1e6;
}

/* It is what its key says: another's, or one of another time, would take that one's place. */
static enum err check_name(const struct scan *scan, const struct head *head)
{
    struct catalogue_name name;
    int64_t made_us;

    if (!catalogue_name_read(scan->key, &name)) {
        return fail_damaged(scan, "its name is not that of a catalogue");
    }
    if (!str_equal(head->tenant, name.tenant)) {
        return fail(scan->op, ERR_INVALID, "%s is damaged: it is the catalogue of %.*s", scan->key,
                    (int)head->tenant.len, head->tenant.ptr);
    }
    if (!clock_parse_rfc3339(head->made_at, &made_us) || made_us != name.made_us) {
        return fail(scan->op, ERR_INVALID, "%s is damaged: it was made at %.*s", scan->key,
                    (int)head->made_at.len, head->made_at.ptr);
    }
    return OK;
}

static enum err take_first(struct scan *scan, struct str line)
{
    struct head head;

    if (!read_head(line, scan->op->arena, &head)) {
        return fail(scan->op, ERR_INVALID, "%s is no catalogue", scan->key);
    }
    if (head.format > CATALOGUE_FORMAT) {
        return fail(scan->op, ERR_CONFLICT,
                    "%s is of format %d, this tidemark knows %d: take the tidemark that made it "
                    "or a later one",
                    scan->key, (int)head.format, CATALOGUE_FORMAT);
    }
    scan->is_begun = true;
    return check_name(scan, &head);
}

static bool is_sum(struct scan *scan, struct str wanted)
{
    uint8_t told[CRYPTO_HASH_BYTES], found[CRYPTO_HASH_BYTES];

    return crypto_hex_decode(wanted, told, sizeof told) && sha256_end(&scan->sha, found) &&
           memcmp(told, found, sizeof told) == 0;
}

static enum err take_last(struct scan *scan, struct str line)
{
    struct json_reader json;
    struct str name, sum;

    if (!enter_line(&json, line, scan->op->arena, STR("end")) || !json_next_member(&json, &name) ||
        !str_equal(name, STR("sha256")) || !json_read_string(&json, &sum) || !is_sum(scan, sum)) {
        return fail_damaged(scan, "its SHA-256 is not that of its last line");
    }
    scan->is_ended = true;
    return OK;
}

/* *is_kept: the line is to be handed on. */
static enum err take_line(struct scan *scan, struct str line, bool *is_kept)
{
    struct str end = STR(CATALOGUE_END);

    *is_kept = false;
    if (scan->is_ended) {
        return fail_damaged(scan, "it goes on after its last line");
    }
    if (line.len > end.len && memcmp(line.ptr, end.ptr, end.len) == 0) {
        return take_last(scan, line);
    }
    sha256_add(&scan->sha, line);
    if (!scan->is_begun) {
        return take_first(scan, line);
    }
    *is_kept = true;
    return OK;
}

/* ---- bytes ---- */

/* Hands on what there is of whole lines, and leaves the rest. */
static enum err hand_on(struct scan *scan)
{
    struct str lines = { scan->text, scan->n_lines_bytes };

    if (lines.len == 0) {
        return OK;
    }
    enum err err = scan->take != NULL ? scan->take(scan->context, lines) : OK;
    memmove(scan->text, scan->text + lines.len, scan->len - lines.len);
    scan->len -= lines.len;
    scan->n_lines_bytes = 0;
    return err;
}

/* Goes through the lines of which the last bytes have just come, from there on. */
static enum err take_lines(struct scan *scan)
{
    enum err err = OK;
    const char *end;

    while (err == OK && (end = memchr(scan->text + scan->n_lines_bytes, '\n',
                                      scan->len - scan->n_lines_bytes)) != NULL) {
        char *start = scan->text + scan->n_lines_bytes;
        size_t len = (size_t)(end - start) + 1;
        bool is_kept;
        err = take_line(scan, (struct str){ start, len }, &is_kept);
        if (err == OK && is_kept) {
            scan->n_lines_bytes += len;
            err = scan->n_lines_bytes >= BATCH_BYTES ? hand_on(scan) : OK;
        } else if (err == OK) {
            memmove(start, start + len, scan->len - scan->n_lines_bytes - len);
            scan->len -= len;
        }
    }
    return err;
}

static enum err add(void *context, struct op *op, struct str bytes)
{
    struct scan *scan = context;
    enum err err = OK;

    (void)op;
    while (bytes.len > 0 && err == OK) {
        size_t room = TEXT_BYTES - scan->len;
        size_t n = bytes.len < room ? bytes.len : room;
        if (n == 0) {
            return fail_damaged(scan, "a line is too long");
        }
        memcpy(scan->text + scan->len, bytes.ptr, n);
        scan->len += n;
        bytes = (struct str){ bytes.ptr + n, bytes.len - n };
        err = take_lines(scan);
    }
    return err;
}

static enum err end(struct scan *scan)
{
    enum err err = hand_on(scan);

    if (err != OK) {
        return err;
    }
    if (!scan->is_begun) {
        return fail(scan->op, ERR_INVALID, "%s is no catalogue", scan->key);
    }
    return scan->is_ended && scan->len == 0 ? OK : fail_damaged(scan, "its last line is missing");
}

enum err catalogue_read(struct archive *archive, const char *key, catalogue_take take,
                        void *context)
{
    struct scan scan = { .op = &archive->file, .key = key, .take = take, .context = context };

    arena_reset(archive->files);
    scan.text = arena_alloc(archive->files, TEXT_BYTES);
    if (scan.text == NULL || !sha256_open(&scan.sha)) {
        return archive_fail(archive, fail_memory(&archive->file));
    }
    enum err err = store_get(archive->store, &archive->file, key, STORE_WHOLE, add, &scan);
    err = err ? err : end(&scan);
    sha256_close(&scan.sha);
    return archive_fail(archive, err);
}
