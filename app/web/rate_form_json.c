/* Parts of documents as texts, and back. Called by the form of rate schedules. */
#include "web/rate_form_json.h"

#include <string.h>

#define MAX_QUOTED_BYTES 4096
#define BLANKS " \t\r\n"

static const char *copy(struct arena *arena, struct str text)
{
    const char *kept = arena_copy(arena, text);

    return kept ? kept : "";
}

/* ---- words in quotation marks ---- */

const char *form_quote(struct arena *arena, struct str text)
{
    struct buf out;

    buf_init(&out, arena, MAX_QUOTED_BYTES);
    buf_add_char(&out, '"');
    for (size_t i = 0; i < text.len; i++) {
        buf_add_text(&out, text.ptr[i] == '"' ? "\"" : NULL);
        buf_add_char(&out, text.ptr[i]);
    }
    buf_add_char(&out, '"');
    return out.is_broken ? NULL : arena_copy(arena, buf_str(&out));
}

bool form_unquote(struct arena *arena, struct str *rest, struct str *out)
{
    char *word = rest->len > 0 && rest->ptr[0] == '"' ? arena_alloc(arena, rest->len) : NULL;
    size_t n = 0;

    for (size_t at = 1; word && at < rest->len; at++) {
        bool is_mark = rest->ptr[at] == '"';
        if (is_mark && (at + 1 == rest->len || rest->ptr[at + 1] != '"')) {
            *out = (struct str){ word, n };
            *rest = (struct str){ rest->ptr + at + 1, rest->len - at - 1 };
            return true;
        }
        word[n++] = rest->ptr[at];
        at += is_mark;
    }
    return false;
}

/* ---- out of a document ---- */

const char *form_json_scalar(struct json_reader *json, struct arena *arena)
{
    struct str text = { NULL, 0 };

    if (json_peek(json) == JSON_STRING) {
        return json_read_string(json, &text) ? copy(arena, text) : "";
    }
    return json_skip(json, &text) ? copy(arena, text) : "";
}

static const char *word_of(struct json_reader *json, struct arena *arena)
{
    const char *word = form_json_scalar(json, arena);
    struct str text = str_of(word);
    bool is_plain = text.len > 0 && word[0] != '"' && !strchr(word, ',') &&
                    str_trim(text).len == text.len;

    return is_plain ? word : form_quote(arena, text);
}

const char *form_json_list(struct json_reader *json, struct arena *arena, const char *mark)
{
    char *all = NULL;

    if (!json_enter_array(json)) {
        return "";
    }
    while (json_next_element(json)) {
        const char *word = word_of(json, arena);
        word = word ? word : "";
        all = all ? arena_printf(arena, "%s%s%s", all, mark, word)
                  : arena_copy(arena, str_of(word));
    }
    return all ? all : "";
}

void form_json_row(struct json_reader *json, struct arena *arena,
                   const struct form_column *columns)
{
    struct str key;

    if (!json_enter_object(json)) {
        return;
    }
    while (json_next_member(json, &key)) {
        const struct form_column *column = columns;
        while (column->key && !str_equal(key, str_of(column->key))) {
            column++;
        }
        if (!column->key) {
            (void)json_skip(json, NULL);
        } else {
            *column->value = column->mark ? form_json_list(json, arena, column->mark)
                                          : form_json_scalar(json, arena);
        }
    }
}

/* ---- into a document ---- */

void form_member(struct json_writer *json, const char *key, const char *value)
{
    if (value && value[0]) {
        json_key(json, key);
        json_text(json, value);
    }
}

void form_member_number(struct json_writer *json, const char *key, const char *value)
{
    long long number;

    if (value && str_to_int64(str_of(value), &number)) {
        json_key(json, key);
        json_int(json, number);
    } else {
        form_member(json, key, value);
    }
}

static bool ends_word(char c, bool is_by_blanks)
{
    return c == ',' || (is_by_blanks && strchr(BLANKS, c));
}

/* Takes the next word off; false where none is left. */
static bool next_word(struct arena *arena, struct str *rest, bool is_by_blanks, struct str *word)
{
    size_t skip = 0, len = 0;

    while (skip < rest->len && ends_word(rest->ptr[skip], true)) {
        skip++;
    }
    *rest = (struct str){ rest->ptr + skip, rest->len - skip };
    if (rest->len == 0) {
        return false;
    }
    if (form_unquote(arena, rest, word)) {
        return true;
    }
    while (len < rest->len && !ends_word(rest->ptr[len], is_by_blanks)) {
        len++;
    }
    *word = str_trim((struct str){ rest->ptr, len });
    *rest = (struct str){ rest->ptr + len, rest->len - len };
    return true;
}

void form_member_list(struct json_writer *json, struct arena *arena, const char *key,
                      const char *value, const char *mark)
{
    struct str rest = str_of(value ? value : ""), word;

    if (rest.len == 0) {
        return;
    }
    json_key(json, key);
    json_open_array(json);
    while (next_word(arena, &rest, mark[0] == ' ', &word)) {
        json_string(json, word);
    }
    json_close_array(json);
}
