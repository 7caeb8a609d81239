/* Reading JSON by pulling. Answers for RFC 8259's grammar, UTF-8, escapes and nesting; not
 * for what the values mean. On ingest's hot path: an error moves the reader to its end, so
 * that no step has to ask whether an earlier one failed. */
#include "base/json.h"

#include "base/json_number.h"
#include "base/scan.h"
#include "base/utf8.h"

void json_reader_init(struct json_reader *reader, struct str text, struct arena *arena,
                      int max_depth)
{
    static const char nothing[] = "";
    const char *start = text.len > 0 ? text.ptr : nothing;

    *reader = (struct json_reader){
        .start = start,
        .at = start,
        .end = start + text.len,
        .arena = arena,
        .max_depth = max_depth < JSON_DEPTH_LIMIT ? max_depth : JSON_DEPTH_LIMIT,
    };
}

bool json_fail(struct json_reader *reader, const char *error)
{
    if (!reader->error) {
        reader->error = error;
        reader->error_at = reader->at;
        reader->at = reader->end;
    }
    return false;
}

/* The error of meeting anything but `wanted` here. */
__attribute__((cold, noinline)) static bool fail_here(struct json_reader *reader,
                                                      const char *wanted)
{
    return json_fail(reader, reader->at == reader->end ? "unexpected end" : wanted);
}

static inline void skip_space(struct json_reader *reader)
{
    const char *at = reader->at;
    const char *end = reader->end;

    while (at < end && (unsigned char)*at <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    reader->at = at;
}

/* Consumes `c` where it stands next after white space. */
static inline bool take(struct json_reader *reader, char c)
{
    skip_space(reader);
    if (reader->at < reader->end && *reader->at == c) {
        reader->at++;
        return true;
    }
    return false;
}

/* By the first byte of a value. */
static const unsigned char types[256] = {
    ['{'] = JSON_OBJECT, ['['] = JSON_ARRAY,  ['"'] = JSON_STRING, ['t'] = JSON_TRUE,
    ['f'] = JSON_FALSE,  ['n'] = JSON_NULL,   ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER,
    ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER,
    ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER, ['8'] = JSON_NUMBER,
    ['9'] = JSON_NUMBER,
};

enum json_type json_peek(struct json_reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end) {
        return JSON_NONE;
    }
    enum json_type type = (enum json_type)types[(unsigned char)*reader->at];
    if (type == JSON_NONE) {
        json_fail(reader, "a value was expected");
    }
    return type;
}

/* ---- objects and arrays ---- */

static inline bool enter(struct json_reader *reader)
{
    if (reader->depth >= reader->max_depth) {
        return json_fail(reader, "nested too deeply");
    }
    reader->depth++;
    reader->is_first = true;
    return true;
}

bool json_enter_object(struct json_reader *reader)
{
    return take(reader, '{') ? enter(reader) : fail_here(reader, "an object was expected");
}

bool json_enter_array(struct json_reader *reader)
{
    return take(reader, '[') ? enter(reader) : fail_here(reader, "an array was expected");
}

/* The comma before the next item, or the closing bracket: true when an item is due. */
static inline bool step(struct json_reader *reader, char bracket)
{
    bool is_first = reader->is_first;

    reader->is_first = false;
    if (take(reader, bracket)) {
        reader->depth--;
        return false;
    }
    if (is_first) {
        return true;
    }
    return take(reader, ',') || fail_here(reader, "a comma or the closing bracket was expected");
}

static inline bool take_string(struct json_reader *reader, struct str *out);

static inline bool at_quote(struct json_reader *reader, const char *wanted)
{
    skip_space(reader);
    return (reader->at < reader->end && *reader->at == '"') || fail_here(reader, wanted);
}

static inline bool take_colon(struct json_reader *reader)
{
    return take(reader, ':') || fail_here(reader, "a colon was expected");
}

bool json_next_member(struct json_reader *reader, struct str *key)
{
    return step(reader, '}') && at_quote(reader, "a member's name was expected") &&
           take_string(reader, key) && take_colon(reader);
}

bool json_next_element(struct json_reader *reader)
{
    return step(reader, ']');
}

/* ---- strings ---- */

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at `at`, or -1. */
static int32_t hex_quad(const char *at, const char *end)
{
    int32_t value = 0;

    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* "\uXXXX", or two of them for a character beyond U+FFFF, at `at`: returns the length and
 * the character, or 0 with the error. */
static size_t take_unicode(const char *at, const char *end, int32_t *out, const char **error)
{
    int32_t high = hex_quad(at + 2, end);

    *out = high;
    if (high < 0) {
        *error = "an escape without four hexadecimal digits";
    } else if (high == 0) {
        *error = "\\u0000 is not allowed";
    } else if (high < 0xd800 || high > 0xdfff) {
        return 6;
    } else {
        *error = "half of a surrogate pair";
        int32_t low = -1;
        if (high < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
            low = hex_quad(at + 8, end);
        }
        *out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
    }
    return 0;
}

/* What the letter after a backslash stands for; 0 when nothing. */
static char escape_value(char letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return '\0';
    }
}

/* One escape at `at` (a backslash): its length and character, or 0 with the error. */
static size_t take_escape(const char *at, const char *end, int32_t *out, const char **error)
{
    if (end - at < 2) {
        *error = "unterminated string";
        return 0;
    }
    if (at[1] == 'u') {
        return take_unicode(at, end, out, error);
    }
    *out = escape_value(at[1]);
    *error = "an unknown escape";
    return *out != '\0' ? 2 : 0;
}

/* Validates from `at` (after the opening quote) to the closing quote, which it returns;
 * NULL on an error. */
static inline const char *string_end(struct json_reader *reader, const char *at, bool *has_escape)
{
    const char *end = reader->end;
    const char *error = "unterminated string";
    int32_t character;

    for (;;) {
        at = scan_quoted(at, end);
        if (at == end) {
            break;
        }
        if (*at == '"') {
            return at;
        }
        size_t length = 0;
        if ((unsigned char)*at >= 0x80) {
            length = utf8_length(at, end);
            error = "a string that is not UTF-8";
        } else if (*at == '\\') {
            *has_escape = true;
            length = take_escape(at, end, &character, &error);
        } else {
            error = "an unescaped control character";
        }
        if (length == 0) {
            break;
        }
        error = "unterminated string";
        at += length;
    }
    reader->at = at;
    json_fail(reader, error);
    return NULL;
}

/* Encodes a character as UTF-8; returns the length. */
static size_t put_utf8(char *out, int32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(marks[length] | c);
    return length;
}

/* A copy of validated text with its escapes replaced; it can only become shorter. */
static bool unescape(struct json_reader *reader, struct str text, struct str *out)
{
    char *copy = arena_alloc(reader->arena, text.len);
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    size_t length = 0;

    if (!copy) {
        return json_fail(reader, "too long for the memory allowed");
    }
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(copy + length, at, plain);
        length += plain;
        at += plain;
        if (escape) {
            int32_t character = 0;
            const char *error = NULL;
            at += take_escape(at, end, &character, &error);
            length += put_utf8(copy + length, character);
        }
    }
    *out = (struct str){ copy, length };
    return true;
}

/* The string at the reader, which stands at its opening quote. */
static inline bool take_string(struct json_reader *reader, struct str *out)
{
    const char *start = reader->at + 1;
    bool has_escape = false;
    const char *quote = string_end(reader, start, &has_escape);

    if (!quote) {
        return false;
    }
    *out = (struct str){ start, (size_t)(quote - start) };
    if (has_escape && !unescape(reader, *out, out)) {
        return false;
    }
    reader->at = quote + 1;
    return true;
}

bool json_read_string(struct json_reader *reader, struct str *out)
{
    return at_quote(reader, "a string was expected") && take_string(reader, out);
}

/* ---- other scalars ---- */

bool json_read_number(struct json_reader *reader, double *out, struct str *text)
{
    skip_space(reader);
    const char *start = reader->at;
    const char *end = json_number_read(start, reader->end, out);

    if (!end) {
        return fail_here(reader, "a number was expected");
    }
    if (text) {
        *text = (struct str){ start, (size_t)(end - start) };
    }
    reader->at = end;
    return true;
}

/* Consumes `word` where it stands here. */
static inline bool take_word(struct json_reader *reader, struct str word)
{
    struct str rest = { reader->at, (size_t)(reader->end - reader->at) };

    if (!str_starts_with(rest, word)) {
        return false;
    }
    reader->at += word.len;
    return true;
}

bool json_read_bool(struct json_reader *reader, bool *out)
{
    skip_space(reader);
    *out = take_word(reader, STR("true"));
    return *out || take_word(reader, STR("false")) ||
           fail_here(reader, "true or false was expected");
}

bool json_read_null(struct json_reader *reader)
{
    skip_space(reader);
    return take_word(reader, STR("null")) || fail_here(reader, "null was expected");
}

/* ---- whole values ---- */

/* The string at the reader, without unescaping it. */
static inline bool skip_string(struct json_reader *reader)
{
    bool has_escape;
    const char *quote = string_end(reader, reader->at + 1, &has_escape);

    reader->at = quote ? quote + 1 : reader->at;
    return quote != NULL;
}

/* json_next_member for a key that nobody asks for. */
static inline bool skip_key(struct json_reader *reader)
{
    return step(reader, '}') && at_quote(reader, "a member's name was expected") &&
           skip_string(reader) && take_colon(reader);
}

static bool skip_scalar(struct json_reader *reader, enum json_type type)
{
    const char *end;

    switch (type) {
    case JSON_STRING: return skip_string(reader);
    case JSON_NUMBER:
        end = json_number_end(reader->at, reader->end);
        if (!end) {
            return fail_here(reader, "a number was expected");
        }
        reader->at = end;
        return true;
    case JSON_TRUE:
        return take_word(reader, STR("true")) || fail_here(reader, "a value was expected");
    case JSON_FALSE:
        return take_word(reader, STR("false")) || fail_here(reader, "a value was expected");
    case JSON_NULL:
        return take_word(reader, STR("null")) || fail_here(reader, "a value was expected");
    default: return fail_here(reader, "a value was expected");
    }
}

/* One value after another, down into objects and arrays and up again, until the one that
 * was begun with is complete. Without recursion: the kinds of the open ones are a bit each. */
static bool skip_value(struct json_reader *reader)
{
    uint64_t is_object[JSON_DEPTH_LIMIT / 64 + 1] = { 0 };
    int outside = reader->depth;

    for (;;) {
        enum json_type type = json_peek(reader);
        if (type == JSON_OBJECT || type == JSON_ARRAY) {
            reader->at++;
            if (!enter(reader)) {
                return false;
            }
            uint64_t bit = UINT64_C(1) << (reader->depth % 64);
            uint64_t *word = &is_object[reader->depth / 64];
            *word = type == JSON_OBJECT ? *word | bit : *word & ~bit;
        } else if (!skip_scalar(reader, type)) {
            return false;
        }
        /* Up through all that ends here, then to the next value. */
        for (;;) {
            if (reader->depth == outside) {
                return true;
            }
            bool in_object = is_object[reader->depth / 64] >> (reader->depth % 64) & 1;
            if (in_object ? skip_key(reader) : json_next_element(reader)) {
                break;
            }
            if (reader->error) {
                return false;
            }
        }
    }
}

bool json_skip(struct json_reader *reader, struct str *text)
{
    skip_space(reader);
    const char *start = reader->at;

    if (!skip_value(reader)) {
        return false;
    }
    if (text) {
        *text = (struct str){ start, (size_t)(reader->at - start) };
    }
    return true;
}

bool json_at_end(struct json_reader *reader)
{
    skip_space(reader);
    return !reader->error && reader->at == reader->end;
}

size_t json_offset(const struct json_reader *reader)
{
    return (size_t)((reader->error ? reader->error_at : reader->at) - reader->start);
}
