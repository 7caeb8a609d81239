/* The log: one line a record on standard error, logfmt or JSON, written with a
 * single write(2) so that processes and threads do not mix. Secrets are never
 * logged: callers pass what they may show. */
#ifndef TIDEMARK_BASE_LOG_H
#define TIDEMARK_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Sets the sink up once, before threads start. `process` names this process in every line. */
void log_open(enum log_level level, enum log_format format, const char *process);

/* A key with its value; keys are literals. LOG_END ends a list. */
struct log_field {
    const char *key;
    enum { LOG_FIELD_END, LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_REAL } type;
    const char *text;
    int64_t integer;
    double real;
};
#define LOG_TEXT(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_TEXT, .text = (v) })
#define LOG_INT(k, v) \
    ((struct log_field){ .key = (k), .type = LOG_FIELD_INT, .integer = (int64_t)(v) })
#define LOG_REAL(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_REAL, .real = (v) })

/* Writes `message` (a literal that says what was being attempted) with up to 16 fields.
 * A NULL text is left out. Safe from several threads. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

#define LOG_END ((struct log_field){ .type = LOG_FIELD_END })
#define LOG_AT(level, message, ...) \
    log_write((level), (message), (const struct log_field[]){ __VA_ARGS__ })

/* log_info("connection opened", LOG_TEXT("role", role), LOG_INT("pid", pid)); */
#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...) LOG_AT(LOG_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...) LOG_AT(LOG_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__, LOG_END)

/* True when a record of this level would be written. */
bool log_is_enabled(enum log_level level);

#endif
