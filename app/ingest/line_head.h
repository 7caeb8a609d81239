/* What line protocol says before a line's fields: measurement and tags, read once for each
 * distinct text of a body into what its lines share: the device, the labels of its series, and
 * the names of its metrics. Called by read_line. */
#ifndef TIDEMARK_INGEST_LINE_HEAD_H
#define TIDEMARK_INGEST_LINE_HEAD_H

#include "base/op.h"
#include "base/str.h"
#include "ingest/labels.h"

#include <stdint.h>

/* A field's name as it stands in the body, and the metric's that it becomes. */
struct line_field {
    struct str raw, metric;
    uint32_t series; /* columns_metric_known */
};

struct line_head {
    struct str raw;         /* as in the body, without the space after it */
    uint64_t hash;
    struct str measurement; /* its escapes read */
    struct str device;      /* ptr NULL: the token's own */
    struct str labels;      /* a JSON object with sorted keys; empty: none */
    bool is_metric_bare;    /* the measurement is the device's name: metrics are not prefixed */
    uint32_t known_device;     /* columns_metric_known */
    struct line_field **fields; /* in the order in which they first came */
    size_t n_fields, fields_size;
};

/* All of one body. */
struct line_heads {
    struct op *op;
    struct str bound;     /* the device of a token that has one; ptr NULL: none */
    uint64_t seed;
    struct line_head **slots; /* by hash: open addressing, NULL for empty */
    size_t n_slots, n_heads;
    struct line_head *last;
    struct ingest_labels tags; /* of the one that is being read */
};

/* None yet, of a request whose token is bound to the device `bound`, or not. `seed` is random. */
void line_heads_init(struct line_heads *heads, struct op *op, uint64_t seed, struct str bound);

/* Whether the character at `at` is escaped: a backslash stands before it. `start` is where the
 * text begins. */
static inline bool line_is_escaped(const char *start, const char *at)
{
    return at > start && at[-1] == '\\';
}

/* The head that starts at `at`, which is not blank, and ends before the first space that is not
 * escaped. NULL, and in `*fault` why: the line ends before it, or it is no good; beyond the arena's
 * cap the op has failed. */
struct line_head *line_head_find(struct line_heads *heads, const char *at, const char *end,
                                 const char **fault);

/* The metric that a field of this name is, as the line's `position`th. NULL: `*fault` as above. */
struct line_field *line_head_field(struct line_heads *heads, struct line_head *head,
                                   size_t position, struct str raw, const char **fault);

/* Text without the backslashes that escape a character of `escaped`: a view of `raw` where there
 * is none. ptr NULL and the op failed beyond the arena's cap. */
struct str line_unescape(struct op *op, struct str raw, const char *escaped);

/* The failure of a body that takes more memory than a request may; what to say of its line. */
const char *line_fail_memory(struct op *op);

#endif
