/* A JSON document that a person wrote, as a tree: for what has to be looked at in another order
 * than it is written in, and answered field by field. Off the hot paths; ingest pulls (base/json).
 * Members that nobody asked for are unknown, and told so. */
#ifndef TIDEMARK_DOMAIN_DOCUMENT_H
#define TIDEMARK_DOMAIN_DOCUMENT_H

#include "base/json.h"
#include "domain/problems.h"

#define DOCUMENT_MAX_MEMBERS 256 /* of one object */

struct doc_node {
    enum json_type type;
    struct str key;         /* of an object's member */
    int index;              /* of an array's element */
    struct str text;        /* a string's value, or a number as it is written */
    const struct doc_node *parent;
    struct doc_node *first, *next; /* its members or elements; the next beside it */
    int n;                  /* members or elements */
    bool is_asked_for;
};

struct doc {
    struct arena *arena;
    struct problems *problems;
    struct doc_node *root; /* an object */
};

/* Reads the text, whose bytes must stay. False with a problem where it is no JSON object, or has a
 * member twice. */
bool doc_parse(struct doc *doc, struct str text, struct arena *arena, struct problems *problems);

/* A problem of the node, or of a member that it lacks or has. Always false. */
bool doc_wrong(struct doc *doc, const struct doc_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool doc_member_wrong(struct doc *doc, const struct doc_node *object, const char *name,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A member; NULL where it is not there, null, or `object` is no object. */
struct doc_node *doc_member(struct doc_node *object, const char *name);

/* Whether the member is there; a problem where it is not, or `object` is no object. */
bool doc_require(struct doc *doc, struct doc_node *object, const char *name);

/* The same of a type; a problem where it has another one. */
struct doc_node *doc_array(struct doc *doc, struct doc_node *object, const char *name, int max);
struct doc_node *doc_object(struct doc *doc, struct doc_node *object, const char *name);

/* A member's value. False where it is not there or null (nothing is told) or wrong (a problem). */
bool doc_text(struct doc *doc, struct doc_node *object, const char *name, size_t max_bytes,
              struct str *out);
bool doc_int(struct doc *doc, struct doc_node *object, const char *name, int min, int max,
             int *out);
/* A decimal, as a number or a string, in billionths; nearer to zero than a billion. */
bool doc_decimal(struct doc *doc, struct doc_node *object, const char *name, int64_t *out);
/* "2026-11-20" as a day since 1970. */
bool doc_day(struct doc *doc, struct doc_node *object, const char *name, int64_t *out);
/* The same of the node itself. */
bool doc_day_of(struct doc *doc, const struct doc_node *node, int64_t *out);

/* A word of a list that NULL ends: its index. False likewise. */
bool doc_word(struct doc *doc, struct doc_node *object, const char *name, const char *const *words,
              int *out);

/* A problem for each member, at any depth, that was not asked for. */
void doc_refuse_unknown(struct doc *doc);

#endif
