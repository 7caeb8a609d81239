/* Names and values that a convention hangs on a reading (tags, attributes, labels): some name the
 * device, the others become the labels of its series. Filled by the formats' parsers. */
#ifndef TIDEMARK_INGEST_LABELS_H
#define TIDEMARK_INGEST_LABELS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define MAX_LABELS 64 /* of one reading */

struct ingest_labels {
    struct str_pair items[MAX_LABELS]; /* UTF-8 */
    int n;
};

/* Adds one; of a name given twice the last value counts. An empty value is no label. False when
 * there are too many: the item is to be rejected then. */
bool labels_add(struct ingest_labels *labels, struct str name, struct str value) MUST_CHECK;

/* The value of a name; ptr NULL when there is none. */
struct str labels_find(const struct ingest_labels *labels, const char *name);

/* The same, and the label is gone: it has become something else, the device's key. */
struct str labels_take(struct ingest_labels *labels, const char *name);

/* The labels as a series has them: a JSON object with its names sorted by their bytes, in the
 * arena; empty when there are none. Sorts `labels`. False without memory. */
bool labels_write(struct ingest_labels *labels, struct arena *arena, struct str *out) MUST_CHECK;

#endif
