/* Devices as the list shows them: found by text, site and state, each with the value that people
 * look at first. */
#ifndef TIDEMARK_DOMAIN_DEVICE_PAGE_H
#define TIDEMARK_DOMAIN_DEVICE_PAGE_H

#include "domain/latest.h"

enum device_state { STATE_IN_USE, STATE_LIVE, STATE_LATE, STATE_SILENT, STATE_RETIRED };

/* "" (in use), "live", "late", "silent", "retired". */
const char *device_state_name(enum device_state state);
/* False for anything else. */
bool device_state_parse(struct str text, enum device_state *out);

struct device_page_filter {
    struct str search;       /* in the key or the name, upper and lower case alike; ptr NULL: any */
    struct str site;         /* key; ptr NULL: any */
    enum device_state state;
    struct str after_key;    /* ptr NULL: from the first */
    int64_t now_us;
    int limit;
};

struct device_line {
    struct latest latest;
    const char *site;        /* key, or NULL */
    int64_t retired_us;      /* or DEVICE_NEVER */
    int32_t series_id;       /* of the headline; 0: none */
    const char *kind;        /* the same; NULL: none */
};

struct device_page {
    struct device_line *items;   /* by key */
    int n;
};

/* At most filter->limit devices that the filter lets through. */
enum err device_page(struct db_tx *tx, const struct device_page_filter *filter,
                     struct device_page *out) MUST_CHECK;

#endif
