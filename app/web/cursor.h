/* Cursors of lists: opaque to clients, base64url of where a page ended. They carry a
 * checksum against typing errors and a kind against use on another list; neither is a
 * secret, for a cursor only says where to start within what the caller may see. */
#ifndef TIDEMARK_WEB_CURSOR_H
#define TIDEMARK_WEB_CURSOR_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum cursor_kind {
    CURSOR_DEVICES = 'd', CURSOR_SAMPLES = 's', CURSOR_ROLLUPS = 'r', CURSOR_EVENTS = 'e',
    CURSOR_ACROSS = 'R', /* rollups across devices */
    CURSOR_SITES = 'p', CURSOR_SERIES = 'm', CURSOR_TENANTS = 'T', CURSOR_SHARES = 'S',
    CURSOR_USAGE = 'G',
    CURSOR_TOKENS = 't', CURSOR_MEMBERS = 'M', CURSOR_INVITES = 'i', CURSOR_AUDIT = 'a',
    CURSOR_PLUGINS = 'P', CURSOR_REJECTS = 'x', CURSOR_HOURS = 'h', CURSOR_RATES = '$',
    CURSOR_METER = 'n', CURSOR_COSTS = 'c', CURSOR_PRICES = 'k', CURSOR_ENERGY = 'E',
    CURSOR_UPLOADS = 'u', CURSOR_ARCHIVES = 'A'
};

/* The last item of a page, by what the list is ordered by. */
struct cursor {
    int64_t time_us;  /* 0 in lists without time */
    struct str key;   /* what tells items of one time apart, at most MAX_NAME_BYTES */
};

/* The cursor's text in the arena; NULL without memory or for a longer key. */
const char *cursor_encode(struct arena *arena, enum cursor_kind kind, struct cursor position)
    __attribute__((warn_unused_result));

/* False on anything that cursor_encode did not make for this kind. `out->key` lives in
 * the arena. */
bool cursor_decode(struct arena *arena, enum cursor_kind kind, struct str text, struct cursor *out)
    __attribute__((warn_unused_result));

#endif
