/* The labels of one reading: a short list, walked. Called by the formats' parsers. */
#include "ingest/labels.h"

#include "base/json.h"
#include "base/limits.h"

#define NOT_FOUND (-1)

static int position_of(const struct ingest_labels *labels, struct str name)
{
    for (int i = 0; i < labels->n; i++) {
        if (str_equal(labels->items[i].name, name)) {
            return i;
        }
    }
    return NOT_FOUND;
}

static void remove_at(struct ingest_labels *labels, int at)
{
    labels->items[at] = labels->items[--labels->n];
}

bool labels_add(struct ingest_labels *labels, struct str name, struct str value)
{
    int at = position_of(labels, name);

    if (value.len == 0) {
        if (at != NOT_FOUND) {
            remove_at(labels, at);
        }
        return true;
    }
    if (at == NOT_FOUND) {
        if (labels->n == MAX_LABELS) {
            return false;
        }
        at = labels->n++;
    }
    labels->items[at] = (struct str_pair){ name, value };
    return true;
}

struct str labels_find(const struct ingest_labels *labels, const char *name)
{
    int at = position_of(labels, str_of(name));

    return at == NOT_FOUND ? (struct str){ NULL, 0 } : labels->items[at].value;
}

struct str labels_take(struct ingest_labels *labels, const char *name)
{
    int at = position_of(labels, str_of(name));
    struct str value = { NULL, 0 };

    if (at != NOT_FOUND) {
        value = labels->items[at].value;
        remove_at(labels, at);
    }
    return value;
}

static bool is_before(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, shorter);

    return order ? order < 0 : a.len < b.len;
}

/* By insertion: there are few, and clients mostly send them sorted. */
static void sort(struct ingest_labels *labels)
{
    for (int i = 1; i < labels->n; i++) {
        struct str_pair label = labels->items[i];
        int at = i;
        for (; at > 0 && is_before(label.name, labels->items[at - 1].name); at--) {
            labels->items[at] = labels->items[at - 1];
        }
        labels->items[at] = label;
    }
}

bool labels_write(struct ingest_labels *labels, struct arena *arena, struct str *out)
{
    struct json_writer writer;
    struct buf text;

    *out = (struct str){ "", 0 };
    if (labels->n == 0) {
        return true;
    }
    sort(labels);
    /* longer ones are refused by the columns, with their own words */
    buf_init(&text, arena, MAX_INGEST_BODY_BYTES);
    json_writer_init(&writer, &text);
    json_open_object(&writer);
    for (int i = 0; i < labels->n; i++) {
        json_key_str(&writer, labels->items[i].name);
        json_string(&writer, labels->items[i].value);
    }
    json_close_object(&writer);
    *out = buf_str(&text);
    return !text.is_broken;
}
