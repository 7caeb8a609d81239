/* The log's one sink: standard error, a line a record, one write(2) a line. Answers for
 * the form of a line and its escaping; not for what is worth logging or secret. */
#include "base/log.h"

#include "base/clock.h"
#include "base/scan.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_BYTES 4096 /* PIPE_BUF: up to here a write to a pipe is atomic */
#define TAIL_BYTES 24   /* kept for a closing quote, the mark of a cut line and its end */
#define MAX_FIELDS 16

static struct {
    enum log_level level;
    enum log_format format;
    const char *process;
} sink = { LOG_INFO, LOG_LOGFMT, "tidemark" };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

struct line {
    char bytes[LINE_BYTES];
    size_t len;
    bool is_json;
    bool is_cut; /* something did not fit; nothing more is added but the tail */
};

void log_open(enum log_level level, enum log_format format, const char *process)
{
    sink.level = level;
    sink.format = format;
    sink.process = process;
}

bool log_is_enabled(enum log_level level)
{
    return level >= sink.level;
}

/* All of the bytes or none. */
static void line_add(struct line *line, const char *bytes, size_t len)
{
    if (line->is_cut || len > LINE_BYTES - TAIL_BYTES - line->len) {
        line->is_cut = true;
        return;
    }
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
}

/* Into the space kept for it. */
static void line_add_tail(struct line *line, const char *text)
{
    size_t len = strlen(text);
    memcpy(line->bytes + line->len, text, len);
    line->len += len;
}

/* The separator, the key and how its value begins (`start`): whole or not at all, so that a
 * cut line keeps its form. */
static void line_add_start(struct line *line, const char *key, const char *start)
{
    char text[128];
    int length;

    if (line->is_json) {
        length = snprintf(text, sizeof text, "%c\"%s\":%s", line->len == 0 ? '{' : ',', key, start);
    } else {
        length = snprintf(text, sizeof text, "%s%s=%s", line->len == 0 ? "" : " ", key, start);
    }
    line_add(line, text, (size_t)length < sizeof text ? (size_t)length : sizeof text);
}

/* A byte that cannot stand as it is: control, quote, backslash, or not UTF-8. */
static void line_add_escape(struct line *line, unsigned char c)
{
    char escape[8];
    int length;

    if (c == '"' || c == '\\') {
        length = snprintf(escape, sizeof escape, "\\%c", c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        length = snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    } else {
        length = snprintf(escape, sizeof escape, "\\u%04x", c < 0x80 ? c : 0xfffd);
    }
    line_add(line, escape, (size_t)length);
}

/* A text in quotes, escaped as JSON does it; readers of logfmt understand the same. */
static void line_add_quoted(struct line *line, const char *key, const char *value)
{
    const char *end = value + strlen(value);

    line_add_start(line, key, "\"");
    if (line->is_cut) {
        return;
    }
    while (value < end) {
        size_t length = 1;
        if (scan_is_plain(*value, true)) {
            line_add(line, value, length);
        } else if ((unsigned char)*value >= 0x80 && (length = utf8_length(value, end)) > 0) {
            line_add(line, value, length);
        } else {
            line_add_escape(line, (unsigned char)*value);
            length = 1;
        }
        value += length;
    }
    line_add_tail(line, "\"");
}

/* True when logfmt needs no quotes around it. */
static bool is_bare(const char *text)
{
    const char *at = text;
    while (scan_is_plain(*at, true) && *at != ' ' && *at != '=' && *at != 0x7f) {
        at++;
    }
    return *at == '\0' && at > text;
}

static void line_add_text(struct line *line, const char *key, const char *value)
{
    if (line->is_json || !is_bare(value)) {
        line_add_quoted(line, key, value);
    } else {
        line_add_start(line, key, "");
        line_add(line, value, strlen(value));
    }
}

static void line_add_field(struct line *line, const struct log_field *field)
{
    char number[32];

    if (field->type == LOG_FIELD_TEXT) {
        if (field->text) {
            line_add_text(line, field->key, field->text);
        }
        return;
    }
    if (field->type == LOG_FIELD_INT) {
        snprintf(number, sizeof number, "%lld", (long long)field->integer);
    } else if (isfinite(field->real)) {
        snprintf(number, sizeof number, "%.9g", field->real);
    } else {
        snprintf(number, sizeof number, "null"); /* JSON has no other word for it */
    }
    line_add_start(line, field->key, number);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (!log_is_enabled(level)) {
        return;
    }
    int saved_errno = errno;
    char now[CLOCK_TEXT_SIZE];
    struct line line; /* 4 KiB: not zeroed */
    line.len = 0;
    line.is_json = sink.format == LOG_JSON;
    line.is_cut = false;

    line_add_text(&line, "ts", clock_format(clock_now_us(), now));
    line_add_text(&line, "level", level_names[level]);
    line_add_text(&line, "process", sink.process);
    line_add_field(&line, &LOG_INT("pid", getpid()));
    line_add_text(&line, "msg", message);
    for (int i = 0; i < MAX_FIELDS && fields[i].type != LOG_FIELD_END; i++) {
        line_add_field(&line, &fields[i]);
    }
    if (line.is_cut) {
        line_add_tail(&line, line.is_json ? ",\"is_cut\":true" : " is_cut=true");
    }
    line_add_tail(&line, line.is_json ? "}\n" : "\n");
    /* Where the log itself cannot be written there is nobody left to tell. */
    while (write(STDERR_FILENO, line.bytes, line.len) < 0 && errno == EINTR) {
    }
    errno = saved_errno;
}
