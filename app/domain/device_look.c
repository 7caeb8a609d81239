/* Reads what a device's page begins with. Called by that page. */
#include "domain/device_look.h"

#include "base/clock.h"
#include "db/ask.h"

enum { ASK_SERIES, ASK_EVENTS, ASK_CLOSED, N_ASKS };

enum err device_look(struct db_tx *tx, const struct device *device, int n_events,
                     struct device_look *out)
{
    const struct event_filter filter = {
        .device = str_of(device->key),
        .from_us = CLOCK_MIN_US,
        .to_us = CLOCK_MAX_US,
        .limit = n_events,
    };
    struct op *op = db_op(tx);
    struct db_ask asks[N_ASKS];

    device_series_ask(op, device->id, &asks[ASK_SERIES]);
    event_list_ask(op, &filter, &asks[ASK_EVENTS]);
    closed_ask(op, &asks[ASK_CLOSED]);
    enum err err = db_ask_all(tx, asks, N_ASKS);
    if (err == OK) {
        err = device_series_read(op, &asks[ASK_SERIES], &out->series);
    }
    if (err == OK) {
        err = event_list_read(op, &asks[ASK_EVENTS], &out->events);
    }
    if (err == OK) {
        out->closed = closed_read(&asks[ASK_CLOSED]);
    }
    return err;
}
