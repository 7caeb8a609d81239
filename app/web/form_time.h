/* A time as people write it into a form: RFC 3339, or a zone's clock. */
#ifndef TIDEMARK_WEB_FORM_TIME_H
#define TIDEMARK_WEB_FORM_TIME_H

#include "view/models_form.h"
#include "web/web.h"

#define FORM_MAX_TIME_BYTES 40

/* The field's time in µs: RFC 3339, or the zone's clock: "2026-11-20", "2026-11-20 14:05",
 * "2026-11-20 14:05:30.25"; the first of two where it is put back. What is none is noted beside the
 * field; nothing is read where something is noted there already. */
enum err form_time(struct web *web, const char *zone_name, struct field_view *field,
                   int64_t *out_us) MUST_CHECK;

#endif
