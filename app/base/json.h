/* JSON writing, and reading without a tree (RFC 8259). The reader is a pull parser
 * over bytes in memory: the caller says what it expects next, nothing is allocated
 * but unescaped strings. It validates all it passes over: UTF-8, numbers, escapes,
 * nesting, and refuses \u0000 and lone surrogates, which jsonb cannot hold. Members of
 * the same name are all shown, in order: what a repetition means is the caller's rule. */
#ifndef TIDEMARK_BASE_JSON_H
#define TIDEMARK_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

/* ---- writing: commas and quotes are the writer's business (json_write.c) ---- */

struct json_writer {
    struct buf *out;
    uint64_t is_started; /* bit per depth: a member was written, a comma is due */
    int depth;           /* at most 60 */
    bool is_after_key;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
void json_key_str(struct json_writer *writer, struct str key);
/* What is not UTF-8 in it becomes U+FFFD: the output is always valid. */
void json_string(struct json_writer *writer, struct str value);
void json_text(struct json_writer *writer, const char *value); /* NULL writes null */
void json_int(struct json_writer *writer, int64_t value);
void json_double(struct json_writer *writer, double value); /* not finite writes null */
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
/* A value that is valid JSON already (jsonb from the database). */
void json_raw(struct json_writer *writer, struct str value);

/* ---- reading (json_read.c, json_number.c) ---- */

#define JSON_DEPTH_LIMIT 256 /* the deepest nesting a reader can be asked to allow */

enum json_type {
    JSON_NONE, /* no value: end of input or an error, see `error` */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json_reader {
    struct arena *arena; /* for strings with escapes */
    const char *start, *at, *end;
    int depth, max_depth;
    bool is_first;        /* an object or array was just entered: no comma is due */
    const char *error;    /* NULL, or a sentence without its subject: "unterminated string" */
    const char *error_at; /* where in the input */
};
/* `max_depth` counts objects and arrays, 1 to JSON_DEPTH_LIMIT. The text must outlive the
 * reader and what it returned. */
void json_reader_init(struct json_reader *reader, struct str text, struct arena *arena,
                      int max_depth);

/* The type of the value that starts here, by its first byte; nothing is consumed but white
 * space. JSON_NONE without an error at the end of the input, with one before any other byte. */
enum json_type json_peek(struct json_reader *reader);
/* Enters the object or array that starts here. False (with error) when there is none. */
bool json_enter_object(struct json_reader *reader);
bool json_enter_array(struct json_reader *reader);
/* Steps to the next member: true with its key, the reader before its value; false at the
 * closing brace, which is consumed, or on an error. The value must be read or skipped. */
bool json_next_member(struct json_reader *reader, struct str *key);
/* Steps to the next element; false at the closing bracket, which is consumed, or on an error. */
bool json_next_element(struct json_reader *reader);

/* Reads the value that starts here. A string without escapes is a view into the input,
 * else a copy in the arena. False (with error) on another type or a malformed value. */
bool json_read_string(struct json_reader *reader, struct str *out);
/* A number as double (correctly rounded; infinite beyond the double's range), and the text
 * it was written as (`text` may be NULL). */
bool json_read_number(struct json_reader *reader, double *out, struct str *text);
bool json_read_bool(struct json_reader *reader, bool *out);
bool json_read_null(struct json_reader *reader);
/* Passes over one whole value, validating it; `text` (may be NULL) gets its bytes. */
bool json_skip(struct json_reader *reader, struct str *text);
/* True when there was no error and only white space is left. */
bool json_at_end(struct json_reader *reader);
/* Bytes consumed, or where the error stands. */
size_t json_offset(const struct json_reader *reader);

/* Records an error of the caller's own ("time is not a time") where the reader stands, which
 * is then at its end, as after its own errors. Always false. `error` is a literal. */
bool json_fail(struct json_reader *reader, const char *error);

#endif
