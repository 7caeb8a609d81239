/* What requests about rate schedules carry: a document in one of its forms, a place with days. */
#ifndef TIDEMARK_WEB_RATE_INPUT_H
#define TIDEMARK_WEB_RATE_INPUT_H

#include "domain/rate_assignment.h"
#include "domain/rate_schedule.h"
#include "web/web.h"

/* A document as the request's body has it. */
struct rate_input {
    const struct tariff *tariff;
    const char *format; /* rate_version's */
};

/* Reads and checks all of it, the zone against the database too. ERR_INVALID with every field that
 * is wrong in the response's errors; ERR_MEDIA_TYPE; ERR_MALFORMED and ERR_TOO_LARGE as
 * http_read_decoded_body. */
enum err rate_input_document(struct web *web, struct rate_input *out) MUST_CHECK;

/* The body {site|device, from, to}: a date, or a time for the day that it lies in by the schedule's
 * zone. ERR_INVALID with every field that is wrong. */
enum err rate_input_place(struct web *web, const char *zone, struct rate_place *out) MUST_CHECK;

#endif
