/* What is told of changes, in three times. Called by the caches of ingest and of tokens. */
#include "base/hearing.h"

#include "base/clock.h"
#include "base/limits.h"

void hearing_init(struct hearing *hearing)
{
    *hearing = (struct hearing){ .heard_us = INT64_MIN, .told_us = INT64_MIN };
}

void hearing_tell(struct hearing *hearing)
{
    hearing->told_us = clock_monotonic_us();
}

void hearing_note(struct hearing *hearing, int64_t began_us)
{
    if (!hearing_is_on(hearing)) {
        hearing->since_us = clock_monotonic_us(); /* before, changes were not listened to */
    }
    hearing->heard_us = began_us;
}

void hearing_lose(struct hearing *hearing)
{
    hearing->heard_us = INT64_MIN;
}

bool hearing_is_on(const struct hearing *hearing)
{
    return hearing->heard_us != INT64_MIN;
}

bool hearing_covers(const struct hearing *hearing, int64_t asked_us, int64_t now_us)
{
    return hearing_is_on(hearing) && asked_us >= hearing->since_us &&
           now_us - hearing->heard_us < NAME_CACHE_AGE_MS * (US_PER_SECOND / 1000);
}

bool hearing_may_keep(const struct hearing *hearing, int64_t asked_us)
{
    return asked_us > hearing->told_us;
}

int64_t hearing_age_us(int64_t age_ms, uint64_t number)
{
    int64_t age_us = age_ms * (US_PER_SECOND / 1000);

    return age_us - (int64_t)((uint32_t)number * 2654435769u) % (age_us / 2);
}
