/* A parsed request: what every format's parser fills and the writer stores. Events in the
 * order they came, their metrics as rows, and each distinct device, site and series once,
 * so that everything after parsing works on small numbers. Growing arrays of one arena;
 * nothing is allocated per event. One thread at a time. */
#ifndef TIDEMARK_INGEST_COLUMNS_H
#define TIDEMARK_INGEST_COLUMNS_H

#include "base/buf.h"
#include "base/op.h"
#include "ingest/draft.h"

#define INGEST_NONE UINT32_MAX

/* Outcome bits of an event. */
#define INGEST_NEW 1u
#define INGEST_UPDATED 2u

struct ingest_event {
    int64_t time_us, seq;
    struct str type, data, source;
    uint32_t index;
    uint32_t device, site;      /* positions below; site INGEST_NONE: the device's */
    uint32_t first_row, n_rows;
    uint8_t id[16], key[16];    /* its own, and its identity among its device's events */
    bool has_seq, has_id;
    bool is_stored;             /* more than plain telemetry: has a row of its own */
    bool is_start;              /* none of its sender's: columns_add_starts */
    bool is_rejected;           /* after parsing: its device is not to be had */
    bool is_late;               /* left to the late lane, as it is where one of its rows is */
    uint8_t outcome;            /* bits, set when committed; none: a duplicate */
};
struct ingest_row {
    double value;
    uint32_t event, series;
};
struct ingest_device {
    struct str key;
    uint64_t hash;
    int32_t id, site_id;       /* 0 until resolved; 0: none */
    bool is_retired, is_asked; /* the database was asked for it now; likewise below */
};
struct ingest_site {
    struct str key;
    int32_t id;
    bool is_asked;
};
struct ingest_series {
    struct str metric, labels;
    uint64_t hash;
    uint32_t device;
    uint32_t last_event, last_row; /* that used it, to find a metric given twice */
    int32_t id;                    /* 0 until resolved */
    bool is_asked, is_full;        /* is_full: not made, for the tenant has all it may */
    uint8_t kind;                  /* enum ingest_kind */
    uint8_t unit_len, role_len;    /* bytes of the next two */
    const char *unit, *role;       /* as the draft's: ingest_unit_of, ingest_role_of */
    int64_t start_us;              /* the latest since which it counts; INT64_MIN: untold */
    int64_t last_us;               /* of one with an id: its newest sample; INT64_MIN: none */
};
static inline struct str ingest_unit_of(const struct ingest_series *series)
{
    return (struct str){ series->unit_len ? series->unit : "", series->unit_len };
}
static inline struct str ingest_role_of(const struct ingest_series *series)
{
    return (struct str){ series->role_len ? series->role : "", series->role_len };
}
struct ingest_error {
    uint32_t index;
    enum err code;
    const char *field, *detail; /* field may be NULL */
    struct str device, source; /* that it named, and the draft's */
};

/* Which lane writes a row. */
enum ingest_row_lane {
    INGEST_ROW_FAST,
    INGEST_ROW_LATE,
    INGEST_ROW_DONE,  /* was the late one's, and is written */
    INGEST_ROW_START, /* of a start: the fast one, unless its series has come further */
    INGEST_ROW_NONE
};

/* Positions of an array's elements by hash: open addressing, INGEST_NONE for empty. */
struct ingest_index {
    uint32_t *slots;
    size_t n_slots;
};

struct ingest_columns {
    struct op *op;
    struct ingest_rules rules;
    enum err broken; /* the first failure of the request as a whole; recorded in op */
    bool is_open;    /* an item is begun, and neither ended nor rejected yet */
    bool is_whole;   /* all events are stored or none; columns_reject_rest */
    uint32_t n_items;
    struct ingest_event *events;
    struct ingest_row *rows;
    struct ingest_device *devices;
    struct ingest_site *sites;
    struct ingest_series *series;
    struct ingest_error *errors;
    size_t n_events, n_rows, n_devices, n_sites, n_series, n_errors;
    size_t events_size, rows_size, devices_size, sites_size, series_size, errors_size;
    struct str source_head; /* what an item's source needs before it, a line; empty: nothing */
    uint32_t n_rejected; /* all of them; at most MAX_BATCH_EVENTS have an entry in errors */
    uint8_t *lanes;      /* per row, enum ingest_row_lane; made by columns_seal */
    struct ingest_index device_index, series_index;
    struct buf scratch;  /* for event_key */
    struct ingest_draft draft;
};

/* Empty columns in the op's arena. NULL (and the op failed) beyond its cap. */
struct ingest_columns *columns_new(struct op *op, const struct ingest_rules *rules);

/* Starts the item with this index; one that is neither ended nor rejected was none. NULL once the
 * request is broken, and that by more than max_events too (ERR_TOO_LARGE): stop then. */
struct ingest_draft *columns_begin(struct ingest_columns *columns, uint32_t index);

/* Adds a metric to the item. False when it has too many; the item is to be rejected then. */
bool columns_metric(struct ingest_columns *columns, struct str name, struct str labels,
                    double value) MUST_CHECK;

/* The same for one that comes again and again, of a device, name and labels that stay the same:
 * `*known`, 0 at first and alive as long as the columns, remembers its series. */
bool columns_metric_known(struct ingest_columns *columns, const struct ingest_metric *metric)
    MUST_CHECK;

/* Checks the item by the rules that all formats share and keeps it, or rejects it. */
void columns_end(struct ingest_columns *columns);

/* Rejects the begun item: it leaves nothing but its error. `field` is a literal or NULL. */
void columns_reject(struct ingest_columns *columns, enum err code, const char *field,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Says the own text of the item begun last; also when it is ended or rejected already. */
void columns_source(struct ingest_columns *columns, struct str source);

/* Rejects an event that was kept (its device turned out unknown), once. */
void columns_reject_event(struct ingest_columns *columns, struct ingest_event *event,
                          const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Where something was rejected of columns that are stored whole or not at all, rejects the other
 * events, too: none is left. */
void columns_reject_rest(struct ingest_columns *columns);

/* After the last item: what the writer needs. Returns the request's failure, if any. */
enum err columns_seal(struct ingest_columns *columns) MUST_CHECK;

/* Of a sealed and resolved request: a counter that began anew after its series' newest sample gets
 * a row more, 0 at its start, so that a restart is one also where the value does not fall. A new
 * series gets none: what it counted before anybody asked is not known to be its sender's. */
enum err columns_add_starts(struct ingest_columns *columns) MUST_CHECK;

/* How many bytes of a name to show in a message: at most 64, cut between characters. */
int columns_shown(struct str name);

#endif
