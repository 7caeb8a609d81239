/* Times in forms, see the header. Called by the pages of a device's readings and of its meter. */
#include "web/form_time.h"

#include "domain/zone.h"

#include <stdio.h>

static const char TIME_ERROR[] = "This is not a time. Write it like 2026-11-20 14:05:00.";

/* The instant at which the zone's clock shows `local_us`: the first of two where it is put
 * back, and an hour on where it skips that. */
static enum err from_local(struct web *web, const char *zone_name, int64_t local_us,
                           int64_t *out_us)
{
    struct zone zone;
    enum err err = zone_load(web->tx, zone_name, local_us - 2 * US_PER_DAY,
                             local_us + 2 * US_PER_DAY, &zone);

    if (err != OK) {
        return err;
    }
    int64_t before = local_us - zone_offset_at(&zone, local_us - US_PER_DAY) * US_PER_SECOND;
    int64_t after = local_us - zone_offset_at(&zone, local_us + US_PER_DAY) * US_PER_SECOND;
    bool is_after = before + zone_offset_at(&zone, before) * US_PER_SECOND != local_us &&
                    after + zone_offset_at(&zone, after) * US_PER_SECOND == local_us;
    *out_us = is_after ? after : before;
    return OK;
}

enum err form_time(struct web *web, const char *zone_name, struct field_view *field,
                   int64_t *out_us)
{
    char local[FORM_MAX_TIME_BYTES + 16];
    size_t len = strlen(field->value);
    int64_t local_us = 0;

    if (field->error || clock_parse_rfc3339(str_of(field->value), out_us)) {
        return OK;
    }
    const char *missing = len == 10 ? "T00:00:00Z" : len == 16 ? ":00Z" : "Z";
    snprintf(local, sizeof local, "%s%s", field->value, missing);
    /* years that a zone can be asked about */
    if (!clock_parse_rfc3339(str_of(local), &local_us) ||
        local_us < CLOCK_MIN_US + 3 * US_PER_DAY || local_us > CLOCK_MAX_US - 3 * US_PER_DAY) {
        field->error = TIME_ERROR;
        return OK;
    }
    return from_local(web, zone_name, local_us, out_us);
}
