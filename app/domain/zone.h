/* Zones as the database knows them: it is the one source of their rules. */
#ifndef TIDEMARK_DOMAIN_ZONE_H
#define TIDEMARK_DOMAIN_ZONE_H

#include "base/clock.h"
#include "base/op.h"

struct db_tx;

/* True where the text can be a zone's name. PostgreSQL takes what it does not know for a POSIX
 * rule: UTC+3 is west of Greenwich to it and Europe/Berlin2 two hours west; such are no names. */
bool zone_is_name(struct str text);

/* The offsets of the zone `name` (IANA) over [from_us, to_us), in the operation's arena.
 * ERR_INVALID for a name that the database does not know. */
enum err zone_load(struct db_tx *tx, const char *name, int64_t from_us, int64_t to_us,
                   struct zone *out) MUST_CHECK;

/* Whether the database knows a zone of this name. */
enum err zone_exists(struct db_tx *tx, struct str name, bool *out) MUST_CHECK;

/* The names that people choose from, ascending. */
enum err zone_list(struct db_tx *tx, const char *const **out, int *n) MUST_CHECK;

/* Whether the zone's hours are UTC's all year round. Lord Howe's are so in summer alone. */
enum err zone_has_whole_hours(struct db_tx *tx, const char *name, bool *out) MUST_CHECK;

/* True where the local day that begins at that instant is the first of a month. */
bool zone_is_month_start(const struct zone *zone, int64_t day_us);

struct zone_starts {
    int64_t *us;  /* ascending */
    int n;
};

/* Where the zone's buckets ("15m", "1h", "1d", "1w", "1mo") begin in [from_us, to_us). */
enum err zone_bucket_starts(struct db_tx *tx, const char *name, const char *bucket,
                            int64_t from_us, int64_t to_us, struct zone_starts *out) MUST_CHECK;

#endif
