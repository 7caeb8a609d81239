/* Events of a tenant as it reads them. All text lives in the operation's arena. Writing
 * events is ingest's business. */
#ifndef TIDEMARK_DOMAIN_EVENT_H
#define TIDEMARK_DOMAIN_EVENT_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_ask;
struct db_tx;

#define EVENT_MAX_DATA_FILTERS 8

/* Which events, and where the list goes on. */
struct event_filter {
    struct str type;         /* ptr NULL: every type */
    struct str device;       /* key; ptr NULL: every device */
    struct str site;         /* key, of the site that it was sent with; ptr NULL: every site */
    struct str data[EVENT_MAX_DATA_FILTERS]; /* JSON objects that the event's data must contain */
    int n_data;
    int64_t from_us;         /* inclusive */
    int64_t to_us;           /* exclusive */
    bool is_before;          /* only what is older than (before_us, before_key) */
    bool is_after;           /* only what is newer than that, and of it the oldest */
    int64_t before_us;
    struct str before_key;   /* a UUID's text */
    int limit;
};

struct event {
    int64_t time_us;
    const char *type;
    const char *device;      /* key, or NULL */
    bool has_seq;
    int64_t seq;
    const char *id;          /* UUID as sent, or NULL */
    const char *site;        /* key, or NULL */
    const char *data;        /* JSON object, or NULL */
    const char *key;         /* UUID that identifies the event in lists */
    bool has_files;          /* set by upload_mark_events alone */
};

struct event_list {
    struct event *items;
    int n;
};

/* At most filter->limit events, newest first. */
enum err event_list(struct db_tx *tx, const struct event_filter *filter,
                    struct event_list *out) MUST_CHECK;
/* The same, together with what else is asked for. */
void event_list_ask(struct op *op, const struct event_filter *filter, struct db_ask *ask);
enum err event_list_read(struct op *op, const struct db_ask *ask,
                         struct event_list *out) MUST_CHECK;

#endif
