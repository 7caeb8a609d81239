/* The JSON object that an admin's request carries, read member by member. Getters collect what
 * is wrong, by field; body_finish answers with all of it at once. A member that no getter asked
 * for is wrong too, so a misspelt name is never passed over. Numbers and objects keep the text
 * they were written in: nothing is rounded on its way to the database. */
#ifndef TIDEMARK_WEB_BODY_H
#define TIDEMARK_WEB_BODY_H

#include "base/json.h"
#include "web/web.h"

#define BODY_MAX_MEMBERS 64 /* of one object */
#define BODY_MAX_ERRORS 32  /* told in one answer */

struct body_member {
    struct str name;
    enum json_type type;
    struct str raw;  /* the value as written */
    struct str text; /* a string's, without quotes and escapes */
    double number;
    bool is_known;   /* a getter asked for it */
};

struct body {
    struct web *web;
    struct body_member members[BODY_MAX_MEMBERS];
    int n;
    struct http_item_error errors[BODY_MAX_ERRORS];
    int n_errors;
};

/* Reads the request's body, at most the route's max_body bytes. ERR_MEDIA_TYPE unless it is
 * application/json (or, of PATCH, application/merge-patch+json), ERR_MALFORMED for what is not
 * one JSON object, ERR_TOO_LARGE beyond the limit. */
enum err body_read(struct web *web, struct body *out) MUST_CHECK;

/* Whether the member is there, null or not. Does not count as asking for it. */
bool body_has(const struct body *body, const char *name);

/* Whether it is there and null. Ask before the getter where null means something ("none"):
 * to the getters it is a value of the wrong type. */
bool body_is_null(struct body *body, const char *name);

/* A text of min to max bytes; ptr NULL when absent or wrong. */
struct str body_text(struct body *body, const char *name, size_t min, size_t max);

/* The place of the member's text in `choices`; -1 when absent or wrong. */
int body_choice(struct body *body, const char *name, const char *const *choices, int n_choices);

/* An integer of min to max; `fallback` when absent or wrong. */
int64_t body_int(struct body *body, const char *name, int64_t min, int64_t max, int64_t fallback);

/* A finite number as it was written, with its value; ptr NULL, and the value as it was, when absent
 * or wrong. */
struct str body_number(struct body *body, const char *name, double *value);

/* The same, or a text of such a number ("1.2"): what decimals may be. */
struct str body_decimal(struct body *body, const char *name, double *value);

/* True or false; `fallback` when absent or wrong. */
bool body_bool(struct body *body, const char *name, bool fallback);

/* An RFC 3339 time or an integer epoch, in µs; `fallback_us` when absent or wrong. */
int64_t body_time(struct body *body, const char *name, int64_t fallback_us);

/* An object as it was written, valid JSON of at most `max` bytes; ptr NULL when absent or
 * wrong. */
struct str body_object(struct body *body, const char *name, size_t max);

/* Notes an error where the member is absent. */
void body_require(struct body *body, const char *name);

/* Notes an error of the caller's own; `detail` (a sentence's end: "must …") must stay alive. */
void body_refuse(struct body *body, const char *name, const char *detail);

/* OK, or ERR_INVALID with the list of what is wrong, members that nobody asked for included. */
enum err body_finish(struct body *body) MUST_CHECK;

#endif
