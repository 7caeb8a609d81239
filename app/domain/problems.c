/* Collects problems. Called by readers of documents. */
#include "domain/problems.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_DETAIL_BYTES 300

void problems_init(struct problems *problems, struct arena *arena)
{
    *problems = (struct problems){ .arena = arena };
}

bool problems_add(struct problems *problems, const char *field, const char *format, ...)
{
    char detail[MAX_DETAIL_BYTES];
    va_list args;

    problems->n_total++;
    if (problems->n == PROBLEMS_MAX) {
        return false;
    }
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    const char *place = arena_copy(problems->arena, str_of(field));
    const char *kept = arena_copy(problems->arena, str_of(detail));
    problems->items[problems->n++] = (struct problem){
        .field = place ? place : "",
        .detail = kept ? kept : "is wrong",
    };
    return false;
}

const char *pointer_member(struct arena *arena, const char *pointer, struct str name)
{
    struct buf text;

    buf_init(&text, arena, 4096);
    buf_add_text(&text, pointer);
    buf_add_char(&text, '/');
    for (size_t i = 0; i < name.len; i++) {
        switch (name.ptr[i]) {
        case '~': buf_add_text(&text, "~0"); break;
        case '/': buf_add_text(&text, "~1"); break;
        default: buf_add_char(&text, name.ptr[i]);
        }
    }
    buf_add_char(&text, 0);
    return text.is_broken ? "" : text.data;
}

const char *pointer_element(struct arena *arena, const char *pointer, int index)
{
    const char *text = arena_printf(arena, "%s/%d", pointer, index);
    return text ? text : "";
}
