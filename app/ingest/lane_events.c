/* Events with a row of their own: their arrays for api.ingest_events, and which were new. */
#include "gen/queries.h"
#include "ingest/event_key.h"
#include "ingest/lane_parts.h"

/* The arrays of api.ingest_events. */
struct event_arrays {
    struct row_arrays base; /* tenants; series holds the devices; times */
    int32_t *sites;
    int64_t *seqs;
    struct str *types, *ids, *keys, *data;
    char (*uuids)[EVENT_UUID_SIZE]; /* two of each event: id and key */
};

static bool events_open(struct event_arrays *arrays, struct arena *arena, size_t n)
{
    arrays->sites = arena_array(arena, n, sizeof *arrays->sites);
    arrays->seqs = arena_array(arena, n, sizeof *arrays->seqs);
    arrays->types = arena_array(arena, n, sizeof *arrays->types);
    arrays->ids = arena_array(arena, n, sizeof *arrays->ids);
    arrays->keys = arena_array(arena, n, sizeof *arrays->keys);
    arrays->data = arena_array(arena, n, sizeof *arrays->data);
    arrays->uuids = arena_array(arena, n, 2 * sizeof *arrays->uuids);
    return row_arrays_open(&arrays->base, arena, n) && arrays->sites && arrays->seqs &&
           arrays->types && arrays->ids && arrays->keys && arrays->data && arrays->uuids;
}

static void events_add(struct event_arrays *arrays, const struct ingest_ticket *ticket,
                       const struct ingest_event *event)
{
    const struct ingest_columns *columns = ticket->columns;
    const struct ingest_device *device = &columns->devices[event->device];
    size_t at = arrays->base.n;
    char *id = arrays->uuids[2 * at];
    char *key = arrays->uuids[2 * at + 1];

    row_arrays_add(&arrays->base, &(struct batch_row){ .tenant_id = ticket->tenant_id,
                                                       .series_id = device->id,
                                                       .time_us = event->time_us });
    arrays->sites[at] =
        event->site == INGEST_NONE ? device->site_id : columns->sites[event->site].id;
    arrays->seqs[at] = event->has_seq ? event->seq : -1;
    arrays->types[at] = event->type;
    arrays->data[at] = event->data;
    event_format_uuid(event->key, key);
    arrays->keys[at] = str_of(key);
    if (event->has_id) {
        event_format_uuid(event->id, id);
        arrays->ids[at] = str_of(id);
    }
}

static enum err events_gather(const struct ingest_batch *batch, struct op *op,
                              struct event_arrays *arrays)
{
    if (!events_open(arrays, op->arena, batch->n_events)) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < batch->n_events; i++) {
        const struct ingest_ticket *ticket = batch->tickets[batch->events[i].ticket];
        events_add(arrays, ticket, &ticket->columns->events[batch->events[i].event]);
    }
    return OK;
}

enum err lane_events_bind_try(const struct ingest_batch *batch, struct op *op, struct db_args *args)
{
    struct event_arrays arrays;
    size_t n = batch->n_events;
    enum err err = events_gather(batch, op, &arrays);

    if (err) {
        return err;
    }
    db_args_init(args, op->arena);
    db_arg_int_array(args, arrays.base.series, n);
    db_arg_time_array(args, arrays.base.times, n);
    db_arg_str_array(args, arrays.keys, n);
    db_arg_str_array(args, arrays.data, n);
    return OK;
}

enum err lane_events_bind(const struct ingest_batch *batch, struct op *op, struct db_args *args)
{
    struct event_arrays arrays;
    size_t n = batch->n_events;
    enum err err = events_gather(batch, op, &arrays);

    if (err) {
        return err;
    }
    db_args_init(args, op->arena);
    db_arg_int_array(args, arrays.base.tenants, n);
    db_arg_int_array(args, arrays.base.series, n);
    db_arg_int_array(args, arrays.sites, n);
    db_arg_time_array(args, arrays.base.times, n);
    db_arg_str_array(args, arrays.types, n);
    db_arg_int64_array(args, arrays.seqs, n);
    db_arg_str_array(args, arrays.ids, n);
    db_arg_str_array(args, arrays.keys, n);
    db_arg_str_array(args, arrays.data, n);
    return OK;
}

void lane_note_events(struct ingest_batch *batch, const struct db_rows *rows)
{
    for (size_t i = 0; i < batch->n_events; i++) {
        if (db_bool(rows, (int)i, INGEST_EVENTS_IS_NEW)) {
            const struct batch_event *event = &batch->events[i];
            batch->tickets[event->ticket]->columns->events[event->event].outcome |= INGEST_NEW;
        }
    }
}
