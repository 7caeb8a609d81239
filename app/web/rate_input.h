/* What requests about rate schedules carry: a document in one of its forms, a place with days. */
#ifndef TIDEMARK_WEB_RATE_INPUT_H
#define TIDEMARK_WEB_RATE_INPUT_H

#include "domain/problems.h"
#include "domain/rate_assignment.h"
#include "domain/rate_schedule.h"
#include "web/web.h"

/* Puts what is wrong with the body, a `what` ("rate schedule"), into the response's errors;
 * ERR_INVALID where anything is. */
enum err rate_input_refuse(struct web *web, const char *what,
                           const struct problems *problems) MUST_CHECK;

#define URDB_MEDIA_TYPE "application/vnd.openei.urdb+json"

/* A document as the request's body has it. */
struct rate_input {
    const struct tariff *tariff;
    const char *format; /* rate_version's */
    const struct problems *left; /* of URDB's: what was not taken over; NULL: another document */
};

/* A document's text, and of URDB's, which have none, zone and currency; ptr NULL: the tenant's. */
struct rate_text {
    struct str text;
    bool is_urdb;
    struct str timezone, currency;
};

/* Reads and checks all of it, the zone against the database too. The tariff is NULL where anything
 * is wrong, and then `problems`, initialised here, says what. */
enum err rate_input_read(struct web *web, const struct rate_text *text, struct problems *problems,
                         struct rate_input *out) MUST_CHECK;

/* The same of the request's body: our own documents and URDB's, whose zone and currency are in the
 * query. ERR_INVALID with every field that is wrong in the response's errors; ERR_MEDIA_TYPE;
 * ERR_MALFORMED and ERR_TOO_LARGE as http_read_decoded_body. */
enum err rate_input_document(struct web *web, struct rate_input *out) MUST_CHECK;

/* The body {site|device, from, to}: a date, or a time for the day that it lies in by the schedule's
 * zone. ERR_INVALID with every field that is wrong. */
enum err rate_input_place(struct web *web, const char *zone, struct rate_place *out) MUST_CHECK;

#endif
