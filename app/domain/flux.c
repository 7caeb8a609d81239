/* Looks for what tells the question, and for rows' conditions between brackets; of Flux's grammar
 * it knows no more. Called by web/compat_flux. */
#include "domain/flux.h"

#include "base/clock.h"

#include <string.h>

struct scan {
    const char *at, *end;
    struct flux *out;
};

static bool holds(struct str text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static bool is_name_char(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static void pass_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' ||
                                    *scan->at == '\r')) {
        scan->at++;
    }
}

/* Text between quotes; ptr NULL where there is none. */
static struct str take_quoted(struct scan *scan)
{
    struct str text = { NULL, 0 };

    pass_blanks(scan);
    if (scan->at == scan->end || *scan->at != '"') {
        return text;
    }
    const char *start = ++scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        scan->at++;
    }
    if (scan->at < scan->end) {
        text = (struct str){ start, (size_t)(scan->at++ - start) };
    }
    return text;
}

/* `r.name == "value"` whose name is at hand: one more thing that is known of the point. */
static void read_condition(struct scan *scan, struct influx_point *point)
{
    const char *start = scan->at;

    while (scan->at < scan->end && is_name_char(*scan->at)) {
        scan->at++;
    }
    struct str name = { start, (size_t)(scan->at - start) };
    pass_blanks(scan);
    if (scan->end - scan->at < 2 || scan->at[0] != '=' || scan->at[1] != '=') {
        return;
    }
    scan->at += 2;
    struct str value = take_quoted(scan);
    if (!value.ptr) {
        return;
    }
    if (str_equal(name, STR("_measurement"))) {
        point->measurement = value;
    } else if (str_equal(name, STR("_field"))) {
        point->field = value;
    } else if (point->n_tags < INFLUX_MAX_TAGS) {
        point->tags[point->n_tags].name = name;
        point->tags[point->n_tags++].value = value;
    }
}

/* A bracket closes what is known of one point. */
static void end_point(struct scan *scan, struct influx_point *point)
{
    if (point->measurement.len && point->field.len && scan->out->n < FLUX_MAX_POINTS) {
        scan->out->points[scan->out->n++] = *point;
    }
    *point = (struct influx_point){ .n_tags = 0 };
}

static void read_filter(struct scan *scan)
{
    struct influx_point point = { .n_tags = 0 };

    while (scan->at < scan->end) {
        bool is_row = *scan->at == 'r' && scan->end - scan->at > 1 && scan->at[1] == '.';
        if (is_row) {
            scan->at += 2;
            read_condition(scan, &point);
        } else if (*scan->at == ')') {
            end_point(scan, &point);
            scan->at++;
        } else if (*scan->at == '"') {
            (void)take_quoted(scan);
        } else {
            scan->at++;
        }
    }
}

/* The number after "start:"; 0 without one. */
static int64_t read_start(struct str text)
{
    const char *at = memmem(text.ptr, text.len, "start:", 6);
    const char *end = text.ptr + text.len;
    int64_t seconds = 0;

    for (at = at ? at + 6 : end; at < end && *at == ' ';) {
        at++;
    }
    for (; at < end && *at >= '0' && *at <= '9' && seconds < CLOCK_MAX_US / US_PER_SECOND; at++) {
        seconds = seconds * 10 + (*at - '0');
    }
    return seconds;
}

bool flux_read(struct str text, struct flux *out)
{
    struct scan scan = { text.ptr, text.ptr + text.len, out };

    if (!holds(text, "last()") || !holds(text, "uint(v:1000000000)")) {
        return false;
    }
    *out = (struct flux){ .n = 0, .start_s = read_start(text) };
    read_filter(&scan);
    return true;
}
