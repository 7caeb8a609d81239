/* A pull parser for the little of XML 1.0 that devices use. */
#include "base/xml.h"

#include <string.h>

#define MAX_REFERENCE_BYTES 10 /* "#x10FFFF", and the names are shorter */

struct xml_reader xml_reader(struct str text)
{
    return (struct xml_reader){ .rest = text };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip(struct xml_reader *reader, size_t n)
{
    reader->rest.ptr += n;
    reader->rest.len -= n;
}

static void skip_blanks(struct xml_reader *reader)
{
    while (reader->rest.len > 0 && is_blank(reader->rest.ptr[0])) {
        skip(reader, 1);
    }
}

/* Up to the end of what begins here, and past it. False where it does not end. */
static bool skip_past(struct xml_reader *reader, struct str end)
{
    const char *found = memmem(reader->rest.ptr, reader->rest.len, end.ptr, end.len);

    if (found) {
        skip(reader, (size_t)(found - reader->rest.ptr) + end.len);
    }
    return found != NULL;
}

static struct str take_name(struct xml_reader *reader)
{
    struct str name = { reader->rest.ptr, 0 };

    while (name.len < reader->rest.len && !is_blank(name.ptr[name.len]) &&
           !strchr("=<>/'\"", name.ptr[name.len])) {
        name.len++;
    }
    skip(reader, name.len);
    return name;
}

static bool take(struct xml_reader *reader, char c)
{
    bool is_there = reader->rest.len > 0 && reader->rest.ptr[0] == c;

    if (is_there) {
        skip(reader, 1);
    }
    return is_there;
}

static bool read_attribute(struct xml_reader *reader, struct xml_token *out)
{
    struct xml_attribute attribute = { .name = take_name(reader) };

    skip_blanks(reader);
    if (attribute.name.len == 0 || out->n_attributes == XML_MAX_ATTRIBUTES || !take(reader, '=')) {
        return false;
    }
    skip_blanks(reader);
    char quote = reader->rest.len > 0 ? reader->rest.ptr[0] : '\0';
    if ((quote != '"' && quote != '\'') || !take(reader, quote)) {
        return false;
    }
    const char *end = memchr(reader->rest.ptr, quote, reader->rest.len);
    if (!end) {
        return false;
    }
    attribute.value = (struct str){ reader->rest.ptr, (size_t)(end - reader->rest.ptr) };
    skip(reader, attribute.value.len + 1);
    out->attributes[out->n_attributes++] = attribute;
    return true;
}

/* A tag, past its '<'. */
static bool read_tag(struct xml_reader *reader, struct xml_token *out)
{
    out->kind = take(reader, '/') ? XML_CLOSE : XML_OPEN;
    out->name = take_name(reader);
    skip_blanks(reader);
    while (out->kind == XML_OPEN && reader->rest.len > 0 && !strchr("/>", reader->rest.ptr[0])) {
        if (!read_attribute(reader, out)) {
            return false;
        }
        skip_blanks(reader);
    }
    if (out->kind == XML_OPEN && take(reader, '/')) {
        reader->closing = out->name;
    }
    return out->name.len > 0 && take(reader, '>');
}

/* A document type with declarations of its own is none that a device writes. */
static bool skip_doctype(struct xml_reader *reader)
{
    struct str start = reader->rest;

    if (!skip_past(reader, STR(">"))) {
        return false;
    }
    return !memchr(start.ptr, '[', start.len - reader->rest.len);
}

/* Past all that says nothing. False where it does not end. */
static bool skip_asides(struct xml_reader *reader)
{
    bool is_whole = true;

    while (is_whole) {
        if (str_starts_with(reader->rest, STR("<?"))) {
            is_whole = skip_past(reader, STR("?>"));
        } else if (str_starts_with(reader->rest, STR("<!--"))) {
            is_whole = skip_past(reader, STR("-->"));
        } else if (str_starts_with(reader->rest, STR("<!"))) {
            is_whole = skip_doctype(reader);
        } else {
            return true;
        }
    }
    return false;
}

void xml_next(struct xml_reader *reader, struct xml_token *out)
{
    out->kind = XML_BROKEN;
    out->n_attributes = 0;
    if (reader->closing.ptr) {
        out->kind = XML_CLOSE;
        out->name = reader->closing;
        reader->closing = (struct str){ NULL, 0 };
        return;
    }
    if (!reader->rest.ptr || !skip_asides(reader)) {
        reader->rest = (struct str){ NULL, 0 };
    } else if (reader->rest.len == 0) {
        out->kind = XML_END;
    } else if (!take(reader, '<')) {
        const char *end = memchr(reader->rest.ptr, '<', reader->rest.len);
        out->kind = XML_TEXT;
        out->name = reader->rest;
        out->name.len = end ? (size_t)(end - out->name.ptr) : out->name.len;
        skip(reader, out->name.len);
    } else if (!read_tag(reader, out)) {
        out->kind = XML_BROKEN;
        *reader = (struct xml_reader){ .rest = { NULL, 0 } };
    }
}

struct str xml_attribute(const struct xml_token *token, const char *name)
{
    for (int i = 0; i < token->n_attributes; i++) {
        if (str_equal(token->attributes[i].name, str_of(name))) {
            return token->attributes[i].value;
        }
    }
    return (struct str){ NULL, 0 };
}

/* "#233" and "#xE9". 0 for what is no character. */
static uint32_t read_character(struct str digits)
{
    bool is_hex = digits.len > 0 && digits.ptr[0] == 'x';
    uint32_t base = is_hex ? 16 : 10, character = 0;

    if (digits.len < (is_hex ? 2u : 1u)) {
        return 0;
    }
    for (size_t i = is_hex; i < digits.len; i++) {
        char c = digits.ptr[i], lower = (char)(c | 0x20);
        uint32_t digit = c >= '0' && c <= '9'                             ? (uint32_t)(c - '0')
                         : is_hex && lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a') + 10
                                                                          : base;
        character = character * base + digit;
        if (digit == base || character > 0x10ffff) {
            return 0;
        }
    }
    return character;
}

static size_t write_character(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) {
        out[i] = (char)(unsigned char)(0x80 | (c & 0x3f));
    }
    out[0] = (char)(unsigned char)((0xf00u >> n & 0xff) | c);
    return n;
}

/* What stands between & and ;. 0: nothing that is known. */
static uint32_t resolve(struct str name)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {
        { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
    };

    if (name.len > 0 && name.ptr[0] == '#') {
        return read_character((struct str){ name.ptr + 1, name.len - 1 });
    }
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (str_equal(name, str_of(entities[i].name))) {
            return (uint32_t)entities[i].c;
        }
    }
    return 0;
}

bool xml_decode(struct arena *arena, struct str text, struct str *out)
{
    *out = text;
    if (!memchr(text.ptr, '&', text.len)) {
        return str_is_utf8(text);
    }
    char *bytes = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (!bytes) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '&') {
            bytes[len++] = text.ptr[i];
            continue;
        }
        const struct str rest = { text.ptr + i + 1, text.len - i - 1 };
        const char *end = memchr(rest.ptr, ';', rest.len);
        size_t n = end ? (size_t)(end - rest.ptr) : 0;
        uint32_t character = n > MAX_REFERENCE_BYTES ? 0 : resolve((struct str){ rest.ptr, n });
        if (character == 0) {
            return false;
        }
        len += write_character(character, bytes + len); /* never longer than what says it */
        i += n + 1;
    }
    *out = (struct str){ bytes, len };
    return str_is_utf8(*out);
}
