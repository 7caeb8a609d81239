/* A scanner of names, quoted texts and words, and one function for each form of statement. What is
 * not understood is passed over, up to the semicolon that ends it. Called by web/compat_influx. */
#include "domain/influxql.h"

static void pass_blanks(struct influxql *ql)
{
    while (ql->at < ql->end && (*ql->at == ' ' || *ql->at == '\t' || *ql->at == '\n' ||
                                    *ql->at == '\r')) {
        ql->at++;
    }
}

static bool take_char(struct influxql *ql, char c)
{
    pass_blanks(ql);
    if (ql->at == ql->end || *ql->at != c) {
        return false;
    }
    ql->at++;
    return true;
}

/* Text between quotes, with \" and \\ read; ptr NULL where it does not close. */
static struct str take_quoted(struct influxql *ql, char quote)
{
    const char *start = ++ql->at;
    char *out = arena_alloc(ql->arena, (size_t)(ql->end - start) + 1);
    size_t n = 0;

    for (; out && ql->at < ql->end && *ql->at != quote; ql->at++) {
        ql->at += *ql->at == '\\' && ql->at + 1 < ql->end;
        out[n++] = *ql->at;
    }
    return out && take_char(ql, quote) ? (struct str){ out, n } : (struct str){ NULL, 0 };
}

/* A name, quoted or bare up to what ends one; ptr NULL when there is none. IoTaWatt does not quote
 * measurements. */
static struct str take_name(struct influxql *ql)
{
    pass_blanks(ql);
    if (ql->at < ql->end && (*ql->at == '"' || *ql->at == '\'')) {
        return take_quoted(ql, *ql->at);
    }
    const char *start = ql->at;
    while (ql->at < ql->end && !strchr(" \t\r\n()=;,'\"", *ql->at)) {
        ql->at++;
    }
    return (struct str){ ql->at > start ? start : NULL, (size_t)(ql->at - start) };
}

/* True, and past it, where the next word is this one in either case. */
static bool take_word(struct influxql *ql, const char *word)
{
    struct influxql ahead = *ql;
    struct str name = take_name(&ahead);

    if (!name.ptr || !str_equal_nocase(name, str_of(word))) {
        return false;
    }
    *ql = ahead;
    return true;
}

/* "tag"='value' [AND …] */
static bool read_conditions(struct influxql *ql, struct influx_point *point)
{
    do {
        struct str name = take_name(ql);
        if (!name.ptr || !take_char(ql, '=') || point->n_tags == INFLUX_MAX_TAGS) {
            return false;
        }
        struct str value = take_name(ql);
        if (!value.ptr) {
            return false;
        }
        point->tags[point->n_tags].name = name;
        point->tags[point->n_tags++].value = value;
    } while (take_word(ql, "and"));
    return true;
}

/* SELECT was taken. False for any other question than for the last of a field. */
static bool read_select(struct influxql *ql, struct influx_point *point)
{
    *point = (struct influx_point){ .n_tags = 0 };
    if (!take_word(ql, "last") || !take_char(ql, '(')) {
        return false;
    }
    point->field = take_name(ql);
    if (!point->field.ptr || !take_char(ql, ')') || !take_word(ql, "from")) {
        return false;
    }
    point->measurement = take_name(ql);
    if (!point->measurement.ptr) {
        return false;
    }
    bool is_read = !take_word(ql, "where") || read_conditions(ql, point);
    pass_blanks(ql);
    return is_read && (ql->at == ql->end || *ql->at == ';');
}

/* Past the end of the statement. */
static void pass_statement(struct influxql *ql)
{
    char quote = '\0';

    for (; ql->at < ql->end && (quote || *ql->at != ';'); ql->at++) {
        char c = *ql->at;
        if (c == '\\' && ql->at + 1 < ql->end) {
            ql->at++;
        } else if (quote) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        }
    }
    ql->at += ql->at < ql->end;
}

void influxql_init(struct influxql *ql, struct str text, struct arena *arena)
{
    *ql = (struct influxql){ text.ptr, text.ptr + text.len, arena };
}

/* The statement that begins there. */
static enum influxql_kind read_statement(struct influxql *ql, struct influx_point *point)
{
    if (take_word(ql, "select")) {
        return read_select(ql, point) ? INFLUXQL_LAST : INFLUXQL_SELECT;
    }
    if (take_word(ql, "show")) {
        return take_word(ql, "databases") ? INFLUXQL_SHOW_DATABASES : INFLUXQL_SHOW;
    }
    return take_word(ql, "create") ? INFLUXQL_CREATE : INFLUXQL_OTHER;
}

enum influxql_kind influxql_next(struct influxql *ql, struct influx_point *point)
{
    pass_blanks(ql);
    if (ql->at == ql->end) {
        return INFLUXQL_END;
    }
    struct influxql statement = *ql;
    pass_statement(ql);
    return read_statement(&statement, point);
}
