/* Filling the columns of a request. Answers for finding each device and series of the request
 * once; not for any format's syntax, nor for what the database knows. Called by the parsers and,
 * at the end, by the service. */
#include "ingest/columns.h"

#include "ingest/columns_check.h"
#include "ingest/event_key.h"
#include "ingest/hash.h"
#include "ingest/mapping.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_ELEMENTS 16
#define SHOWN_BYTES 64
#define DETAIL_BYTES 256
/* An event's content as hashed: data, and each metric with its name and labels. */
#define MAX_KEY_FORM_BYTES (1u << 20)

static void columns_break(struct ingest_columns *columns, enum err code)
{
    if (!columns->broken) {
        columns->broken = code;
    }
}

/* ERR_TOO_LARGE and not a fault of ours: only an oversized request gets here. */
static void break_by_memory(struct ingest_columns *columns)
{
    columns_break(columns, fail(columns->op, ERR_TOO_LARGE,
                                "the request takes more memory than a request may"));
}

/* The array with room for one element more; as it was, and the columns broken, without memory. */
static void *grow(struct ingest_columns *columns, void *array, size_t n, size_t *size,
                  size_t element)
{
    if (n < *size) {
        return array;
    }
    size_t larger = *size ? *size * 2 : FIRST_ELEMENTS;
    void *moved = arena_resize(columns->op->arena, array, *size * element, larger * element);
    if (!moved) {
        break_by_memory(columns);
        return array;
    }
    *size = larger;
    return moved;
}

/* True when one more element fits the array of that name. */
#define GROW(columns, name)                                                                    \
    ((columns)->name = grow((columns), (columns)->name, (columns)->n_##name,                   \
                            &(columns)->name##_size, sizeof *(columns)->name),                 \
     !(columns)->broken)

struct ingest_columns *columns_new(struct op *op, const struct ingest_rules *rules)
{
    /* the draft's metrics, most of it, are counted: what is beyond them is never read */
    struct ingest_columns *columns = arena_resize(op->arena, NULL, 0, sizeof *columns);

    if (!columns) {
        (void)fail_memory(op);
        return NULL;
    }
    memset(columns, 0, offsetof(struct ingest_columns, draft.metrics));
    columns->op = op;
    columns->rules = *rules;
    buf_init(&columns->scratch, op->arena, MAX_KEY_FORM_BYTES);
    return columns;
}

/* What was begun last and is neither ended nor rejected was no item. */
static void abandon_item(struct ingest_columns *columns)
{
    columns->n_items -= columns->is_open;
    columns->is_open = false;
}

struct ingest_draft *columns_begin(struct ingest_columns *columns, uint32_t index)
{
    struct ingest_draft *draft = &columns->draft;

    abandon_item(columns);
    if (columns->n_items >= columns->rules.max_events) {
        columns_break(columns, fail(columns->op, ERR_TOO_LARGE, "more than %u events",
                                    columns->rules.max_events));
    }
    if (columns->broken) {
        return NULL;
    }
    columns->is_open = !columns->rules.only || index == *columns->rules.only;
    columns->n_items += columns->is_open;
    memset(draft, 0, offsetof(struct ingest_draft, metrics));
    draft->index = index;
    return draft;
}

bool columns_metric(struct ingest_columns *columns, struct str name, struct str labels,
                    double value)
{
    struct ingest_draft *draft = &columns->draft;

    if (draft->n_metrics >= MAX_METRICS) {
        return false;
    }
    draft->metrics[draft->n_metrics++] =
        (struct ingest_metric){ .name = name, .labels = labels, .value = value };
    return true;
}

bool columns_metric_known(struct ingest_columns *columns, const struct ingest_metric *metric)
{
    struct ingest_draft *draft = &columns->draft;

    if (draft->n_metrics >= MAX_METRICS) {
        return false;
    }
    draft->metrics[draft->n_metrics++] = *metric;
    return true;
}

/* A position that was remembered, INGEST_NONE for none yet. */
static uint32_t recall(const uint32_t *known)
{
    return known && *known ? *known - 1 : INGEST_NONE;
}

static uint32_t remember(uint32_t *known, uint32_t position)
{
    if (known && position != INGEST_NONE) {
        *known = position + 1;
    }
    return position;
}

/* ---- rejections ---- */

int columns_shown(struct str name)
{
    size_t len = name.len;

    if (len > SHOWN_BYTES) {
        len = SHOWN_BYTES;
        while (len && ((unsigned char)name.ptr[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    return (int)len;
}

__attribute__((format(printf, 3, 0)))
static void add_error(struct ingest_columns *columns, struct ingest_error error,
                      const char *format, va_list args)
{
    char detail[DETAIL_BYTES];

    columns->n_rejected++;
    if (columns->n_errors >= MAX_BATCH_EVENTS || !GROW(columns, errors)) {
        return;
    }
    (void)vsnprintf(detail, sizeof detail, format, args);
    error.detail = arena_copy(columns->op->arena, str_of(detail));
    if (!error.detail) {
        break_by_memory(columns);
        return;
    }
    columns->errors[columns->n_errors++] = error;
}

void columns_reject(struct ingest_columns *columns, enum err code, const char *field,
                    const char *format, ...)
{
    const struct ingest_draft *draft = &columns->draft;
    va_list args;

    if (!columns->is_open) {
        return;
    }
    columns->is_open = false;
    va_start(args, format);
    add_error(columns,
              (struct ingest_error){
                  .index = draft->index, .code = code, .field = field, .source = draft->source,
                  .device = draft->device.ptr ? draft->device : columns->rules.device,
              },
              format, args);
    va_end(args);
}

void columns_source(struct ingest_columns *columns, struct str source)
{
    uint32_t index = columns->draft.index;

    columns->draft.source = source;
    if (columns->is_open) {
        return;
    }
    if (columns->n_errors && columns->errors[columns->n_errors - 1].index == index) {
        columns->errors[columns->n_errors - 1].source = source;
    } else if (columns->n_events && columns->events[columns->n_events - 1].index == index) {
        columns->events[columns->n_events - 1].source = source;
    }
}

void columns_reject_event(struct ingest_columns *columns, struct ingest_event *event,
                          const char *field, const char *format, ...)
{
    va_list args;

    if (event->is_rejected) {
        return;
    }
    event->is_rejected = true;
    va_start(args, format);
    add_error(columns,
              (struct ingest_error){
                  .index = event->index, .code = ERR_INVALID, .field = field,
                  .source = event->source, .device = columns->devices[event->device].key,
              },
              format, args);
    va_end(args);
}

void columns_reject_rest(struct ingest_columns *columns)
{
    if (!columns->is_whole || columns->n_rejected == 0) {
        return;
    }
    for (size_t i = 0; i < columns->n_events; i++) {
        columns_reject_event(columns, &columns->events[i], NULL,
                             "not stored, for another item of the request was refused and it was "
                             "to be stored whole or not at all");
    }
    columns->n_events = columns->n_rows = 0;
}

/* ---- each distinct thing once ---- */

static bool index_rebuild(struct ingest_columns *columns, struct ingest_index *index)
{
    size_t n = index->n_slots ? index->n_slots * 2 : FIRST_ELEMENTS * 4;
    uint32_t *slots = arena_array(columns->op->arena, n, sizeof *slots);

    if (!slots) {
        break_by_memory(columns);
        return false;
    }
    memset(slots, 0xff, n * sizeof *slots);
    *index = (struct ingest_index){ slots, n };
    return true;
}

static void index_put(struct ingest_index *index, uint64_t hash, uint32_t position)
{
    size_t mask = index->n_slots - 1;
    size_t at = (size_t)hash & mask;

    while (index->slots[at] != INGEST_NONE) {
        at = (at + 1) & mask;
    }
    index->slots[at] = position;
}

/* Position of the device, added where it is new; INGEST_NONE when the columns broke. */
static uint32_t intern_device(struct ingest_columns *columns, struct str key)
{
    struct ingest_index *index = &columns->device_index;
    uint64_t hash = ingest_hash(columns->rules.seed, key.ptr, key.len);

    if (columns->n_devices * 2 >= index->n_slots) {
        if (!index_rebuild(columns, index)) {
            return INGEST_NONE;
        }
        for (size_t i = 0; i < columns->n_devices; i++) {
            index_put(index, columns->devices[i].hash, (uint32_t)i);
        }
    }
    size_t mask = index->n_slots - 1;
    for (size_t at = (size_t)hash & mask; index->slots[at] != INGEST_NONE; at = (at + 1) & mask) {
        const struct ingest_device *device = &columns->devices[index->slots[at]];
        if (device->hash == hash && str_equal(device->key, key)) {
            return index->slots[at];
        }
    }
    if (!GROW(columns, devices)) {
        return INGEST_NONE;
    }
    columns->devices[columns->n_devices] = (struct ingest_device){ .key = key, .hash = hash };
    index_put(index, hash, (uint32_t)columns->n_devices);
    return (uint32_t)columns->n_devices++;
}

static uint32_t intern_series(struct ingest_columns *columns, uint32_t device,
                              const struct ingest_metric *metric)
{
    struct ingest_index *index = &columns->series_index;
    uint64_t hash = ingest_hash(ingest_hash_mix(columns->rules.seed, device + 1), metric->name.ptr,
                                metric->name.len);
    if (metric->labels.len) {
        hash = ingest_hash(hash, metric->labels.ptr, metric->labels.len);
    }
    if (columns->n_series * 2 >= index->n_slots) {
        if (!index_rebuild(columns, index)) {
            return INGEST_NONE;
        }
        for (size_t i = 0; i < columns->n_series; i++) {
            index_put(index, columns->series[i].hash, (uint32_t)i);
        }
    }
    size_t mask = index->n_slots - 1;
    for (size_t at = (size_t)hash & mask; index->slots[at] != INGEST_NONE; at = (at + 1) & mask) {
        const struct ingest_series *series = &columns->series[index->slots[at]];
        if (series->hash == hash && series->device == device &&
            str_equal(series->metric, metric->name) && str_equal(series->labels, metric->labels)) {
            return index->slots[at];
        }
    }
    if (!GROW(columns, series)) {
        return INGEST_NONE;
    }
    columns->series[columns->n_series] = (struct ingest_series){
        .metric = metric->name, .labels = metric->labels, .hash = hash, .device = device,
        .last_event = INGEST_NONE, .kind = (uint8_t)metric->kind,
        .unit = metric->unit.ptr, .unit_len = (uint8_t)metric->unit.len,
        .role = metric->role.ptr, .role_len = (uint8_t)metric->role.len,
        .start_us = INT64_MIN, .last_us = INT64_MIN,
    };
    index_put(index, hash, (uint32_t)columns->n_series);
    return (uint32_t)columns->n_series++;
}

/* Few requests name more than one site: a walk is enough. */
static uint32_t intern_site(struct ingest_columns *columns, struct str key)
{
    for (size_t i = columns->n_sites; i > 0; i--) {
        if (str_equal(columns->sites[i - 1].key, key)) {
            return (uint32_t)(i - 1);
        }
    }
    if (!GROW(columns, sites)) {
        return INGEST_NONE;
    }
    columns->sites[columns->n_sites] = (struct ingest_site){ .key = key };
    return (uint32_t)columns->n_sites++;
}

/* ---- keeping ---- */

/* Adds the draft's metrics as rows; of a metric given twice the last value stays. */
static bool keep_rows(struct ingest_columns *columns, struct ingest_event *event, uint32_t position)
{
    const struct ingest_draft *draft = &columns->draft;

    for (int i = 0; i < draft->n_metrics; i++) {
        const struct ingest_metric *metric = &draft->metrics[i];
        uint32_t at = recall(metric->known);
        if (at == INGEST_NONE) {
            at = remember(metric->known, intern_series(columns, event->device, metric));
        }
        if (at == INGEST_NONE || !GROW(columns, rows)) {
            return false;
        }
        struct ingest_series *series = &columns->series[at];
        if (draft->has_start && metric->kind == INGEST_COUNTER &&
            draft->start_us < draft->time_us && draft->start_us > series->start_us) {
            series->start_us = draft->start_us;
        }
        if (series->last_event == position) {
            columns->rows[series->last_row].value = metric->value;
            continue;
        }
        series->last_event = position;
        series->last_row = (uint32_t)columns->n_rows;
        columns->rows[columns->n_rows++] =
            (struct ingest_row){ metric->value, position, at };
        event->n_rows++;
    }
    return true;
}

static void keep(struct ingest_columns *columns)
{
    const struct ingest_draft *draft = &columns->draft;
    uint32_t device = recall(draft->known_device);
    uint32_t site = draft->site.ptr ? intern_site(columns, draft->site) : INGEST_NONE;

    if (device == INGEST_NONE) {
        device = remember(draft->known_device, intern_device(columns, draft->device));
    }
    if (columns->broken || !GROW(columns, events)) {
        return;
    }
    struct ingest_event *event = &columns->events[columns->n_events];
    *event = (struct ingest_event){
        .time_us = draft->time_us, .seq = draft->seq, .type = draft->type, .data = draft->data,
        .source = draft->source, .index = draft->index, .device = device, .site = site,
        .first_row = (uint32_t)columns->n_rows, .has_seq = draft->has_seq, .has_id = draft->has_id,
        .is_stored = draft->data.ptr || !str_equal(draft->type, STR("telemetry")),
    };
    memcpy(event->id, draft->id, sizeof event->id);
    if (event->is_stored && !event_key(draft, &columns->scratch, event->key)) {
        break_by_memory(columns);
        return;
    }
    if (keep_rows(columns, event, (uint32_t)columns->n_events)) {
        columns->n_events++;
    }
}

void columns_end(struct ingest_columns *columns)
{
    if (columns->is_open && columns->rules.mapping && !ingest_map_names(columns)) {
        return; /* as if it had never begun */
    }
    if (columns->is_open && columns_check(columns)) {
        columns->is_open = false;
        keep(columns);
    }
}

enum err columns_seal(struct ingest_columns *columns)
{
    abandon_item(columns);
    if (!columns->broken && columns->n_rows) {
        columns->lanes = arena_array(columns->op->arena, columns->n_rows, 1);
        if (!columns->lanes) {
            break_by_memory(columns);
        }
    }
    return columns->broken;
}

/* ---- starts ---- */

static bool has_begun_anew(const struct ingest_columns *columns, const struct ingest_series *series)
{
    return series->last_us != INT64_MIN && series->start_us > series->last_us &&
           series->start_us >= columns->rules.oldest_us && series->id &&
           !columns->events[series->last_event].is_rejected;
}

static void add_start(struct ingest_columns *columns, uint32_t at)
{
    const struct ingest_series *series = &columns->series[at];

    if (!GROW(columns, events) || !GROW(columns, rows)) {
        return;
    }
    columns->events[columns->n_events] = (struct ingest_event){
        .time_us = series->start_us, .type = STR("telemetry"), .device = series->device,
        .index = columns->events[series->last_event].index, .site = INGEST_NONE,
        .first_row = (uint32_t)columns->n_rows, .n_rows = 1, .is_start = true,
    };
    columns->lanes[columns->n_rows] = INGEST_ROW_START;
    columns->rows[columns->n_rows++] =
        (struct ingest_row){ 0, (uint32_t)columns->n_events, at };
    columns->n_events++;
}

enum err columns_add_starts(struct ingest_columns *columns)
{
    size_t n = 0;

    for (size_t i = 0; i < columns->n_series; i++) {
        n += has_begun_anew(columns, &columns->series[i]);
    }
    if (n == 0) {
        return OK;
    }
    uint8_t *lanes =
        arena_resize(columns->op->arena, columns->lanes, columns->n_rows, columns->n_rows + n);
    if (!lanes) {
        break_by_memory(columns);
        return columns->broken;
    }
    columns->lanes = lanes;
    for (size_t i = 0; i < columns->n_series; i++) {
        if (has_begun_anew(columns, &columns->series[i])) {
            add_start(columns, (uint32_t)i);
        }
    }
    return columns->broken;
}
