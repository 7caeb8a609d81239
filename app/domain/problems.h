/* What is wrong with a document that a person wrote: every field that is, with the reason. */
#ifndef TIDEMARK_DOMAIN_PROBLEMS_H
#define TIDEMARK_DOMAIN_PROBLEMS_H

#include "base/arena.h"

#define PROBLEMS_MAX 50 /* told at once; the rest is counted */

struct problem {
    const char *field;  /* a JSON pointer (RFC 6901): "/charges/0/prices/2/rate"; "" is the whole */
    const char *detail; /* a sentence's end, for its subject is the field: "must be a decimal" */
};

struct problems {
    struct arena *arena; /* holds the texts */
    struct problem items[PROBLEMS_MAX];
    int n;       /* of them */
    int n_total; /* with those that found no place */
};

/* None yet; `arena` is for those to come. */
void problems_init(struct problems *problems, struct arena *arena);

/* Adds one; both texts are copied. Always false, so that checks can return it. */
bool problems_add(struct problems *problems, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A pointer's step into a member or an element, in the problems' arena; "" without memory. */
const char *pointer_member(struct arena *arena, const char *pointer, struct str name);
const char *pointer_element(struct arena *arena, const char *pointer, int index);

#endif
