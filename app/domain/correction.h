/* What admins change after the fact: samples put right or deleted, devices erased. Each change
 * is in the audit trail, and all that is derived follows. */
#ifndef TIDEMARK_DOMAIN_CORRECTION_H
#define TIDEMARK_DOMAIN_CORRECTION_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_tx;

/* What the value of a device's series at a time shall be. */
struct correction {
    struct str metric;
    struct str labels; /* JSON object; ptr NULL: of the metric's only series */
    int64_t time_us;
    double value;
    int index;         /* in the request */
};

struct correction_list {
    struct correction *items;
    size_t n;
};

struct correction_problem {
    int index;
    const char *field, *detail;
};

struct correction_problems {
    const struct correction_problem *items;
    int n;
};

struct correction_counts {
    int64_t updated, inserted, unchanged;
};

/* What is wrong with corrections, of the first `max` of them; none is made. ERR_NOT_FOUND where
 * the tenant has no such device. */
enum err correction_check(struct db_tx *tx, struct str device, const struct correction_list *list,
                          int max, struct correction_problems *out) MUST_CHECK;

/* Makes them, all or none: ERR_INVALID where one is wrong. */
enum err correction_put(struct db_tx *tx, struct str device, const struct correction_list *list,
                        struct correction_counts *out) MUST_CHECK;

/* Samples of a device in [from_us, to_us). */
struct correction_range {
    struct str device;
    struct str metric; /* ptr NULL: of all */
    int64_t from_us, to_us;
};

struct correction_found {
    int64_t n_samples;   /* in the database */
    int64_t n_days;      /* of which the archive alone has the tenant's samples */
    const char *problem; /* what speaks against deleting them; NULL: nothing */
};

/* What there is of them; deletes none. */
enum err correction_delete_check(struct db_tx *tx, const struct correction_range *range,
                                 struct correction_found *out) MUST_CHECK;

/* Deletes them, from the archive, too; how many the database had. ERR_CONFLICT where something
 * speaks against it. */
enum err correction_delete(struct db_tx *tx, const struct correction_range *range,
                           int64_t *n_deleted) MUST_CHECK;

/* Erases a device with all its data; `counts` gets a JSON object of rows by table. Its key may
 * come again, as another device. ERR_NOT_FOUND. */
enum err correction_device_erase(struct db_tx *tx, struct str device,
                                 const char **counts) MUST_CHECK;

#define MAX_CORRECTIONS 10000 /* of one request */

#endif
