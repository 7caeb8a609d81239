/* Records and fields of CSV. A quote opens a field only at its beginning; inside, two stand for
 * one. Called by ingest/import_csv and domain/device_import. */
#include "base/csv.h"

/* The end of the quoted part that begins at `at`, behind its closing quote; NULL: not closed. */
static const char *quoted_end(const char *at, const char *end)
{
    at++;
    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote) {
            return NULL;
        }
        if (quote + 1 < end && quote[1] == '"') {
            at = quote + 2;
            continue;
        }
        return quote + 1;
    }
    return NULL;
}

static unsigned count_lines(const char *at, const char *end)
{
    unsigned lines = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        lines++;
        at++;
    }
    return lines;
}

size_t csv_record(struct str text, bool is_all, unsigned *lines)
{
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    bool is_field_start = true;

    while (at < end) {
        if (*at == '"' && is_field_start) {
            at = quoted_end(at, end);
            if (!at) {
                return 0;
            }
            is_field_start = false;
            continue;
        }
        if (*at == '\n') {
            *lines = count_lines(text.ptr, at + 1);
            return (size_t)(at + 1 - text.ptr);
        }
        is_field_start = *at == ',';
        at++;
    }
    *lines = count_lines(text.ptr, end) + 1;
    return is_all ? text.len : 0;
}

/* Unquotes the field at `at` in place; `*out` gets it. Returns where the text goes on. */
static char *take_quoted(char *at, const char *end, struct str *out)
{
    char *to = at + 1;

    *out = (struct str){ to, 0 };
    for (at++; at < end; at++) {
        if (*at == '"') {
            at++;
            if (at == end || *at != '"') {
                break;
            }
        }
        *to++ = *at;
    }
    out->len = (size_t)(to - out->ptr);
    return at;
}

int csv_split(char *record, size_t len, struct str *fields, int max)
{
    char *at = record;
    const char *end = record + len;
    int n = 0;

    while (end > at && (end[-1] == '\n' || end[-1] == '\r')) {
        end--;
    }
    if (at == end) {
        return 0;
    }
    for (;;) {
        if (n == max) {
            return -1;
        }
        if (at < end && *at == '"') {
            at = take_quoted(at, end, &fields[n++]);
        } else {
            char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
            size_t width = (size_t)((comma ? comma : end) - at);
            if (width && memchr(at, '"', width)) {
                return -1;
            }
            fields[n++] = (struct str){ at, width };
            at += width;
        }
        if (at >= end) {
            return n;
        }
        if (*at != ',') {
            return -1;
        }
        at++;
    }
}
