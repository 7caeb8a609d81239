/* The timeline of a device's meter: what happened to it that its readings do not tell, as dated
 * entries that energy follows. None is changed or deleted: withdrawing is the reverse. What they
 * mean is in docs/energy.md. All lives in the operation's arena. */
#ifndef TIDEMARK_DOMAIN_METER_H
#define TIDEMARK_DOMAIN_METER_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define METER_OPEN INT64_MAX     /* until_us of a span without an end */
#define METER_INSTANT INT64_MIN  /* until_us of a swap or reset */
#define METER_MAX_METRIC_BYTES 512 /* as long as a series may have it */
#define METER_MAX_NOTE_BYTES 500
#define METER_MAX_FACTOR_BYTES 40

/* What an entry can have beside its time, by the names that the API and the page know it by. */
enum meter_part {
    METER_UNTIL, METER_FINAL, METER_INITIAL, METER_SIZE, METER_FACTOR, METER_UNIT, METER_PARTS
};
extern const char *const METER_PART_NAMES[METER_PARTS];

enum { METER_KINDS = 6 };

/* A kind of entry, and which parts it may and must have: bits 1 << enum meter_part. */
struct meter_kind {
    const char *name;
    unsigned takes, needs;
};
extern const struct meter_kind METER_KIND_LIST[METER_KINDS];

struct meter_entry {
    int32_t id;
    const char *metric, *labels;   /* NULL: all series of the device that tell energy */
    const char *kind;
    int64_t at_us, until_us;
    double final, initial, size;   /* NaN: not known, or not of this kind */
    const char *factor, *unit;     /* decimal; NULL the same */
    const char *note, *made_by;
    int64_t made_us;
    const char *withdrawn_by;      /* NULL: in force */
    int64_t withdrawn_us;
};

struct meter_entry_list {
    struct meter_entry *items; /* the latest first */
    int n;
};

/* A device's entries of before (at_us, id), or from the latest on (INT64_MAX, INT32_MAX). */
enum err meter_list(struct db_tx *tx, struct str device, int64_t before_us, int32_t before_id,
                    int limit, struct meter_entry_list *out) MUST_CHECK;

/* One of them; ERR_NOT_FOUND. */
enum err meter_find(struct db_tx *tx, struct str device, int32_t id,
                    struct meter_entry *out) MUST_CHECK;

/* An entry to be made. Views with ptr NULL are not given: metric, labels (JSON): all series, or the
 * only one it can be about; factor (decimal), unit, note. Numbers NaN: not given. */
struct meter_given {
    struct str device, metric, labels;
    const struct meter_kind *kind;
    int64_t at_us, until_us;
    double final, initial, size;
    struct str factor, unit, note;
};

struct meter_problem {
    const char *field, *detail; /* "final", "is less than …" */
};

struct meter_problems {
    struct meter_problem *items;
    int n;
};

/* What speaks against an entry whose parts are those of its kind. ERR_NOT_FOUND for the device. */
enum err meter_check(struct db_tx *tx, const struct meter_given *given,
                     struct meter_problems *out) MUST_CHECK;

/* Makes it; energy follows within seconds. ERR_INVALID with the first problem. */
enum err meter_add(struct db_tx *tx, const struct meter_given *given, int32_t *id) MUST_CHECK;

/* Withdraws it; what is withdrawn stays so. ERR_NOT_FOUND; ERR_CONFLICT where the readings that it
 * would change are kept no longer. */
enum err meter_withdraw(struct db_tx *tx, struct str device, int32_t id) MUST_CHECK;

#endif
