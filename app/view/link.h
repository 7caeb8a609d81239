/* Addresses of our own pages with a query. */
#ifndef TIDEMARK_VIEW_LINK_H
#define TIDEMARK_VIEW_LINK_H

#include "base/arena.h"

struct link_param {
    const char *name;
    const char *value;   /* NULL or "": left out */
};

/* `path?name=value&…`, the values percent-encoded. NULL beyond the arena's cap, which the
 * writers of html.h pass over. */
const char *link_to(struct arena *arena, const char *path, const struct link_param *params, int n);

/* "/devices/kitchen%2F1" of "/devices/" and a key. */
const char *link_path(struct arena *arena, const char *prefix, const char *part);

#endif
