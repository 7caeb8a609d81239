/* What a device's page begins with, whatever is drawn on it. */
#ifndef TIDEMARK_DOMAIN_DEVICE_LOOK_H
#define TIDEMARK_DOMAIN_DEVICE_LOOK_H

#include "domain/closed.h"
#include "domain/device.h"
#include "domain/event.h"

struct device_look {
    struct device_series_list series; /* all of them */
    struct event_list events;         /* the latest */
    struct closed closed;             /* for the traces that follow */
};

/* Asks for them in one round trip, with at most `n_events` events. */
enum err device_look(struct db_tx *tx, const struct device *device, int n_events,
                     struct device_look *out) MUST_CHECK;

#endif
