/* What a format's parser is told, and what it fills for each item of a request (columns.h). */
#ifndef TIDEMARK_INGEST_DRAFT_H
#define TIDEMARK_INGEST_DRAFT_H

#include "base/limits.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct mapping;
struct zone;

/* What a request may hold; see rules.h. */
struct ingest_rules {
    int64_t now_us;          /* the time of an event that names none */
    int64_t oldest_us;       /* older is rejected; INT64_MIN: any age */
    int64_t newest_us;       /* newer is rejected */
    struct str device;       /* of events that name none; ptr NULL: those are rejected */
    bool is_device_bound;    /* no other may be named */
    uint32_t max_events;     /* of one request */
    int max_series;          /* of the tenant; 0: any number */
    const struct zone *zone; /* the tenant's, for formats that ask for it (base/clock.h) */
    const struct mapping *mapping; /* the tenant's names for them (domain/mapping.h); NULL: none */
    const uint32_t *only;    /* index of the one item that is wanted; NULL: all are */
    uint64_t seed;           /* of hashes of what senders name (hash.h); the process's own */
};

/* What a series is, where its sender says so: told for a new one. */
enum ingest_kind { INGEST_KIND_UNTOLD, INGEST_GAUGE, INGEST_COUNTER, INGEST_DELTA };

/* The event that a parser is filling. Text is UTF-8 without NUL and stays alive as long as
 * the columns. A view with ptr NULL is absent. */
struct ingest_metric {
    struct str name, labels; /* labels: a JSON object with sorted keys; empty: none */
    double value;            /* finite */
    enum ingest_kind kind;   /* untold after columns_metric */
    uint32_t *known;         /* columns_metric_known; or NULL */
    struct str unit, role;   /* of a new series; empty: untold */
};
struct ingest_draft {
    uint32_t index; /* the item's place in the request, for its errors */
    struct str device, type, site;
    struct str measurement; /* of line protocol; ptr NULL: there is none */
    uint32_t *known_device; /* remembers the device as columns_metric_known does the series */
    struct str data, source; /* a JSON object that jsonb accepts; columns_source */
    struct str labels;       /* of its texts, as a metric's; `data` may have them as its "labels" */
    int64_t time_us, seq;
    int64_t start_us; /* since when its counters count: they were 0 then */
    bool has_time, has_seq, has_id, has_start;
    uint8_t id[16];
    int n_metrics;
    struct ingest_metric metrics[MAX_METRICS];
};

#endif
