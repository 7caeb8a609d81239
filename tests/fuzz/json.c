/* The JSON reader against jansson, on whatever bytes: both accept a text or both refuse it,
 * and what is read by pulling is what jansson's tree holds. Where they differ by intent:
 * jansson's limit of depth is another, it refuses numbers beyond the double's range (ours
 * are infinite), and it keeps the last of several members of one name (ours shows all, so
 * only texts without such are compared value by value).
 * The writer is not linked: two of its functions have jansson's names. */

/* Both libraries name their types alike: ours go by other names here. */
#define JSON_OBJECT OUR_OBJECT
#define JSON_ARRAY OUR_ARRAY
#define JSON_STRING OUR_STRING
#define JSON_NUMBER OUR_NUMBER
#define JSON_TRUE OUR_TRUE
#define JSON_FALSE OUR_FALSE
#define JSON_NULL OUR_NULL
#define json_type our_type
#define json_string our_string
#define json_null our_null
#include "base/json.h"
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NUMBER
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#undef json_type
#undef json_string
#undef json_null

#include <jansson.h>
#include <stdlib.h>

#define MAX_DEPTH 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool is_same(struct json_reader *reader, const json_t *tree);

static bool is_same_object(struct json_reader *reader, const json_t *tree)
{
    struct str key;
    size_t n_members = 0;

    if (!json_is_object(tree) || !json_enter_object(reader)) {
        return false;
    }
    while (json_next_member(reader, &key)) {
        struct json_reader ahead = *reader;
        char *name = arena_copy(reader->arena, key);
        require(name != NULL, "the arena is large enough");
        if (!is_same(reader, json_object_get(tree, name)) || !json_skip(&ahead, NULL) ||
            ahead.at != reader->at) {
            return false;
        }
        n_members++;
    }
    return !reader->error && n_members == json_object_size(tree);
}

static bool is_same_array(struct json_reader *reader, const json_t *tree)
{
    size_t n_elements = 0;

    if (!json_is_array(tree) || !json_enter_array(reader)) {
        return false;
    }
    while (json_next_element(reader)) {
        if (!is_same(reader, json_array_get(tree, n_elements++))) {
            return false;
        }
    }
    return !reader->error && n_elements == json_array_size(tree);
}

static bool is_same_string(struct json_reader *reader, const json_t *tree)
{
    struct str value;
    return json_is_string(tree) && json_read_string(reader, &value) &&
           str_equal(value, (struct str){ json_string_value(tree), json_string_length(tree) });
}

static bool is_same_number(struct json_reader *reader, const json_t *tree)
{
    double value;
    struct str text;
    return json_is_real(tree) && json_read_number(reader, &value, &text) && text.len > 0 &&
           value == json_real_value(tree);
}

/* Reads the value that starts here and compares it with jansson's (NULL: it has none). */
static bool is_same(struct json_reader *reader, const json_t *tree)
{
    bool flag;

    switch (json_peek(reader)) {
    case OUR_OBJECT: return is_same_object(reader, tree);
    case OUR_ARRAY: return is_same_array(reader, tree);
    case OUR_STRING: return is_same_string(reader, tree);
    case OUR_NUMBER: return is_same_number(reader, tree);
    case OUR_TRUE: return json_read_bool(reader, &flag) && flag && json_is_true(tree);
    case OUR_FALSE: return json_read_bool(reader, &flag) && !flag && json_is_false(tree);
    case OUR_NULL: return json_read_null(reader) && json_is_null(tree);
    default: return false;
    }
}

static void compare(struct str text, struct arena *arena)
{
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    json_error_t error;
    struct json_reader reader;

    json_reader_init(&reader, text, arena, MAX_DEPTH);
    bool is_ours = json_skip(&reader, NULL) && json_at_end(&reader);
    require(arena_used(arena) == 0, "skipping allocates nothing");
    require(json_offset(&reader) <= text.len, "an error stands within the text");
    if (reader.error && strcmp(reader.error, "nested too deeply") == 0) {
        return;
    }
    if (memchr(text.ptr, '\0', text.len)) {
        require(!is_ours, "a NUL byte has no place in JSON"); /* jansson 2.14 overlooks some */
        return;
    }
    json_t *tree = json_loadb(text.ptr, text.len, flags, &error);
    if (tree) {
        require(is_ours, "jansson accepts it and we do not");
        json_decref(tree);
    } else if (json_error_code(&error) != json_error_numeric_overflow) {
        require(!is_ours, "we accept it and jansson does not");
    }
    tree = json_loadb(text.ptr, text.len, flags | JSON_REJECT_DUPLICATES, &error);
    if (tree) {
        json_reader_init(&reader, text, arena, MAX_DEPTH);
        require(is_same(&reader, tree) && json_at_end(&reader), "a value differs from jansson's");
        json_decref(tree);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nothing[] = "";
    struct arena *arena = arena_new(64 << 20);

    require(arena != NULL, "there is memory");
    compare((struct str){ size > 0 ? (const char *)data : nothing, size }, arena);
    arena_free(arena);
    return 0;
}
