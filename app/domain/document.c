/* Trees of documents. Called by readers of rate schedules and of what is imported as such. */
#include "domain/document.h"

#include "base/limits.h"
#include "domain/money.h"
#include "domain/span.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- problems ---- */

static const char *pointer_of(struct doc *doc, const struct doc_node *node)
{
    if (!node->parent || doc->problems->n == PROBLEMS_MAX) {
        return "";
    }
    const char *parent = pointer_of(doc, node->parent);
    return node->parent->type == JSON_ARRAY ? pointer_element(doc->arena, parent, node->index)
                                            : pointer_member(doc->arena, parent, node->key);
}

__attribute__((format(printf, 3, 0))) static bool add_problem(struct doc *doc, const char *pointer,
                                                              const char *format, va_list args)
{
    char detail[256];

    vsnprintf(detail, sizeof detail, format, args);
    return problems_add(doc->problems, pointer, "%s", detail);
}

bool doc_wrong(struct doc *doc, const struct doc_node *node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_problem(doc, pointer_of(doc, node), format, args);
    va_end(args);
    return false;
}

bool doc_member_wrong(struct doc *doc, const struct doc_node *object, const char *name,
                      const char *format, ...)
{
    const char *pointer = pointer_member(doc->arena, pointer_of(doc, object), str_of(name));
    va_list args;

    va_start(args, format);
    add_problem(doc, pointer, format, args);
    va_end(args);
    return false;
}

/* ---- reading ---- */

static bool read_value(struct doc *doc, struct json_reader *reader, struct doc_node *node);

/* Appends a node to its parent, behind `last`. */
static struct doc_node *append(struct doc *doc, struct json_reader *reader,
                               struct doc_node *parent, struct doc_node *last)
{
    struct doc_node *node = arena_alloc(doc->arena, sizeof *node);

    if (!node) {
        json_fail(reader, "it is too large");
        return NULL;
    }
    node->parent = parent;
    node->index = parent->n++;
    if (last) {
        last->next = node;
    } else {
        parent->first = node;
    }
    return node;
}

static struct doc_node *find(const struct doc_node *object, struct str key)
{
    struct doc_node *member = object->first;

    while (member && !str_equal(member->key, key)) {
        member = member->next;
    }
    return member;
}

static bool read_object(struct doc *doc, struct json_reader *reader, struct doc_node *object)
{
    struct doc_node *last = NULL;
    struct str key;

    json_enter_object(reader);
    while (json_next_member(reader, &key)) {
        bool is_repeated = find(object, key) != NULL;
        if (object->n == DOCUMENT_MAX_MEMBERS) {
            return json_fail(reader, "an object has too many members");
        }
        last = append(doc, reader, object, last);
        if (!last) {
            return false;
        }
        last->key = key;
        if (is_repeated) {
            doc_wrong(doc, last, "is there twice");
        }
        if (!read_value(doc, reader, last)) {
            return false;
        }
    }
    return !reader->error;
}

static bool read_array(struct doc *doc, struct json_reader *reader, struct doc_node *array)
{
    struct doc_node *last = NULL;

    json_enter_array(reader);
    while (json_next_element(reader)) {
        last = append(doc, reader, array, last);
        if (!last || !read_value(doc, reader, last)) {
            return false;
        }
    }
    return !reader->error;
}

static bool read_value(struct doc *doc, struct json_reader *reader, struct doc_node *node)
{
    node->type = json_peek(reader);
    switch (node->type) {
    case JSON_OBJECT: return read_object(doc, reader, node);
    case JSON_ARRAY: return read_array(doc, reader, node);
    case JSON_STRING: return json_read_string(reader, &node->text);
    default: return json_skip(reader, &node->text);
    }
}

bool doc_parse(struct doc *doc, struct str text, struct arena *arena, struct problems *problems)
{
    struct json_reader reader;

    *doc = (struct doc){ .arena = arena, .problems = problems };
    doc->root = arena_alloc(arena, sizeof *doc->root);
    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    if (!doc->root) {
        return problems_add(problems, "", "is too large");
    }
    if (!read_value(doc, &reader, doc->root) || !json_at_end(&reader)) {
        return problems_add(problems, "", "is not JSON: %s, at byte %zu",
                            reader.error ? reader.error : "there is more behind it",
                            json_offset(&reader));
    }
    if (doc->root->type != JSON_OBJECT) {
        return problems_add(problems, "", "must be an object");
    }
    return problems->n_total == 0;
}

/* ---- asking ---- */

struct doc_node *doc_member(struct doc_node *object, const char *name)
{
    struct doc_node *member = object->type == JSON_OBJECT ? find(object, str_of(name)) : NULL;

    if (member) {
        member->is_asked_for = true;
    }
    return member && member->type != JSON_NULL ? member : NULL;
}

bool doc_require(struct doc *doc, struct doc_node *object, const char *name)
{
    if (object->type != JSON_OBJECT) {
        return doc_wrong(doc, object, "must be an object");
    }
    return doc_member(object, name) || doc_member_wrong(doc, object, name, "is missing");
}

struct doc_node *doc_array(struct doc *doc, struct doc_node *object, const char *name, int max)
{
    struct doc_node *array = doc_member(object, name);

    if (array && array->type != JSON_ARRAY) {
        doc_wrong(doc, array, "must be a list");
        return NULL;
    }
    if (array && array->n > max) {
        doc_wrong(doc, array, "has %d items, at most %d may be", array->n, max);
        return NULL;
    }
    return array;
}

struct doc_node *doc_object(struct doc *doc, struct doc_node *object, const char *name)
{
    struct doc_node *member = doc_member(object, name);

    if (member && member->type != JSON_OBJECT) {
        doc_wrong(doc, member, "must be an object");
        return NULL;
    }
    return member;
}

bool doc_text(struct doc *doc, struct doc_node *object, const char *name, size_t max_bytes,
              struct str *out)
{
    struct doc_node *node = doc_member(object, name);

    if (!node) {
        return false;
    }
    if (node->type != JSON_STRING) {
        return doc_wrong(doc, node, "must be a text");
    }
    if (node->text.len == 0 || node->text.len > max_bytes) {
        return doc_wrong(doc, node, "must have 1 to %zu bytes", max_bytes);
    }
    *out = node->text;
    return true;
}

bool doc_int(struct doc *doc, struct doc_node *object, const char *name, int min, int max,
             int *out)
{
    struct doc_node *node = doc_member(object, name);
    long long value;

    if (!node) {
        return false;
    }
    if (node->type != JSON_NUMBER || !str_to_int64(node->text, &value) || value < min ||
        value > max) {
        return doc_wrong(doc, node, "must be a whole number from %d to %d", min, max);
    }
    *out = (int)value;
    return true;
}

bool doc_decimal(struct doc *doc, struct doc_node *object, const char *name, int64_t *out)
{
    struct doc_node *node = doc_member(object, name);
    int64_t value;

    if (!node) {
        return false;
    }
    if ((node->type != JSON_NUMBER && node->type != JSON_STRING) ||
        !decimal_parse(node->text, MONEY_MAX_DECIMALS, &value) || value <= -NANO * NANO ||
        value >= NANO * NANO) {
        return doc_wrong(doc, node, "must be a decimal with at most %d decimals, below a billion",
                         MONEY_MAX_DECIMALS);
    }
    *out = value;
    return true;
}

bool doc_day_of(struct doc *doc, const struct doc_node *node, int64_t *out)
{
    if (node->type != JSON_STRING || !span_day_parse(node->text, out)) {
        return doc_wrong(doc, node, "must be a date such as 2026-11-20");
    }
    return true;
}

bool doc_day(struct doc *doc, struct doc_node *object, const char *name, int64_t *out)
{
    struct doc_node *node = doc_member(object, name);

    return node && doc_day_of(doc, node, out);
}

/* "a, b or c" */
static const char *list_of(struct arena *arena, const char *const *words)
{
    const char *list = words[0];

    for (int i = 1; words[i] && list; i++) {
        list = arena_printf(arena, "%s%s%s", list, words[i + 1] ? ", " : " or ", words[i]);
    }
    return list ? list : "another word";
}

bool doc_word(struct doc *doc, struct doc_node *object, const char *name, const char *const *words,
              int *out)
{
    struct doc_node *node = doc_member(object, name);

    if (!node) {
        return false;
    }
    for (int i = 0; words[i] && node->type == JSON_STRING; i++) {
        if (str_equal(node->text, str_of(words[i]))) {
            *out = i;
            return true;
        }
    }
    return doc_wrong(doc, node, "must be %s", list_of(doc->arena, words));
}

/* ---- what nobody asked for ---- */

static void refuse_unknown(struct doc *doc, const struct doc_node *node)
{
    for (const struct doc_node *child = node->first; child; child = child->next) {
        if (node->type == JSON_OBJECT && !child->is_asked_for) {
            doc_wrong(doc, child, "is not known here");
        } else {
            refuse_unknown(doc, child);
        }
    }
}

void doc_refuse_unknown(struct doc *doc)
{
    refuse_unknown(doc, doc->root);
}
