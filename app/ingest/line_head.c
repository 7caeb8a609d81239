/* Measurement and tags. Answers for their escapes, for which tag names the device, and for
 * reading each distinct head of a body once: a body of ten thousand lines mostly has a few, and
 * their lines then cost a comparison. Called by read_line.
 *
 * The device is the tag `device`, else `host`, else the measurement. A token that is bound to a
 * device already says which: only a tag `device` names one then, and `host` is a label like any
 * other, but where it repeats the device's name.
 *
 * Syntax: docs.influxdata.com, "Line protocol reference"; what is refused and in which words:
 * models/points.go of InfluxDB 1.8. */
#include "ingest/line_head.h"

#include "base/limits.h"
#include "ingest/hash.h"

#define FIRST_SLOTS 64
#define FIRST_FIELDS 8
#define MEASUREMENT_ESCAPES ", "
#define KEY_ESCAPES ",= " /* of tags' names and values, and of fields' names */

void line_heads_init(struct line_heads *heads, struct op *op, uint64_t seed, struct str bound)
{
    memset(heads, 0, offsetof(struct line_heads, tags));
    heads->op = op;
    heads->bound = bound;
    heads->seed = seed;
    heads->tags.n = 0;
}

const char *line_fail_memory(struct op *op)
{
    (void)fail(op, ERR_TOO_LARGE, "the request takes more memory than a request may");
    return "too large";
}

struct str line_unescape(struct op *op, struct str raw, const char *escaped)
{
    if (!memchr(raw.ptr, '\\', raw.len)) {
        return raw;
    }
    char *out = arena_alloc(op->arena, raw.len);
    size_t n = 0;
    if (!out) {
        (void)line_fail_memory(op);
        return (struct str){ NULL, 0 };
    }
    for (size_t i = 0; i < raw.len; i++) {
        bool is_escape = raw.ptr[i] == '\\' && i + 1 < raw.len && raw.ptr[i + 1] != '\0' &&
                         strchr(escaped, raw.ptr[i + 1]);
        i += is_escape;
        out[n++] = raw.ptr[i];
    }
    return (struct str){ out, n };
}

/* The first `stop` that is not escaped from `at` on, or `end`. */
static const char *find_plain(const char *at, const char *end, char stop)
{
    const char *start = at;

    for (; at < end; at++) {
        at = memchr(at, stop, (size_t)(end - at));
        if (!at) {
            return end;
        }
        if (!line_is_escaped(start, at)) {
            return at;
        }
    }
    return end;
}

/* ---- reading one ---- */

/* NULL, or what is wrong with the tag "name=value". */
static const char *add_tag(struct line_heads *heads, struct str tag)
{
    const char *end = tag.ptr + tag.len;
    const char *equals = find_plain(tag.ptr, end, '=');

    if (equals == end) {
        return tag.len ? "missing tag value" : "missing tag key";
    }
    struct str name = { tag.ptr, (size_t)(equals - tag.ptr) };
    struct str value = { equals + 1, (size_t)(end - equals) - 1 };
    if (name.len == 0) {
        return "missing tag key";
    }
    if (value.len == 0) {
        return "missing tag value";
    }
    if (find_plain(value.ptr, end, '=') != end) {
        return "invalid tag format";
    }
    name = line_unescape(heads->op, name, KEY_ESCAPES);
    value = line_unescape(heads->op, value, KEY_ESCAPES);
    if (!name.ptr || !value.ptr) {
        return line_fail_memory(heads->op);
    }
    for (int i = 0; i < heads->tags.n; i++) {
        if (str_equal(heads->tags.items[i].name, name)) {
            return "duplicate tags";
        }
    }
    return labels_add(&heads->tags, name, value) ? NULL : "too many tags";
}

/* NULL, or what is wrong: measurement and tags of head->raw into the head and heads->tags. */
static const char *split(struct line_heads *heads, struct line_head *head)
{
    const char *end = head->raw.ptr + head->raw.len;
    const char *at = find_plain(head->raw.ptr, end, ',');
    struct str measurement = { head->raw.ptr, (size_t)(at - head->raw.ptr) };

    heads->tags.n = 0;
    if (measurement.len == 0) {
        return "missing measurement";
    }
    if (!str_is_utf8(head->raw)) {
        return "measurement or tags are not UTF-8";
    }
    head->measurement = line_unescape(heads->op, measurement, MEASUREMENT_ESCAPES);
    while (at < end) {
        const char *start = at + 1;
        at = find_plain(start, end, ',');
        const char *fault = add_tag(heads, (struct str){ start, (size_t)(at - start) });
        if (fault) {
            return fault;
        }
    }
    return head->measurement.ptr ? NULL : line_fail_memory(heads->op);
}

/* Whose reading it is; what does not say so stays among the tags. */
static struct str take_device(struct line_heads *heads, struct str measurement)
{
    struct str device = labels_take(&heads->tags, "device");

    if (device.ptr) {
        return device;
    }
    if (!heads->bound.ptr) {
        device = labels_take(&heads->tags, "host");
        return device.ptr ? device : measurement;
    }
    if (str_equal(labels_find(&heads->tags, "host"), heads->bound)) {
        return labels_take(&heads->tags, "host");
    }
    return (struct str){ NULL, 0 };
}

/* A new head of that text. NULL and `*fault` as line_head_find. */
static struct line_head *read_head(struct line_heads *heads, struct str raw, uint64_t hash,
                                   const char **fault)
{
    struct line_head *head = arena_alloc(heads->op->arena, sizeof *head);

    if (!head) {
        *fault = line_fail_memory(heads->op);
        return NULL;
    }
    head->raw = raw;
    head->hash = hash;
    *fault = split(heads, head);
    if (*fault) {
        return NULL;
    }
    head->device = take_device(heads, head->measurement);
    head->is_metric_bare =
        str_equal(head->measurement, head->device.ptr ? head->device : heads->bound);
    if (!labels_write(&heads->tags, heads->op->arena, &head->labels)) {
        *fault = line_fail_memory(heads->op);
        return NULL;
    }
    return head;
}

/* ---- finding one again ---- */

static void put(struct line_heads *heads, struct line_head *head)
{
    size_t mask = heads->n_slots - 1;
    size_t at = (size_t)head->hash & mask;

    while (heads->slots[at]) {
        at = (at + 1) & mask;
    }
    heads->slots[at] = head;
}

/* Room for one more. False without memory. */
static bool make_room(struct line_heads *heads)
{
    struct line_head **old = heads->slots;
    size_t n_old = heads->n_slots;

    if (heads->n_heads * 2 < n_old) {
        return true;
    }
    size_t n = n_old ? n_old * 2 : FIRST_SLOTS;
    heads->slots = arena_array(heads->op->arena, n, sizeof(struct line_head *));
    if (!heads->slots) {
        heads->slots = old;
        return false;
    }
    heads->n_slots = n;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i]) {
            put(heads, old[i]);
        }
    }
    return true;
}

static struct line_head *look_up(struct line_heads *heads, struct str raw, uint64_t hash)
{
    size_t mask = heads->n_slots - 1;

    for (size_t at = (size_t)hash & mask; heads->slots[at]; at = (at + 1) & mask) {
        if (heads->slots[at]->hash == hash && str_equal(heads->slots[at]->raw, raw)) {
            return heads->slots[at];
        }
    }
    return NULL;
}

/* The end of the head that starts at `at`; NULL when the line ends before it. */
static const char *head_end(const char *at, const char *end)
{
    for (const char *start = at; at < end && *at != '\n'; at++) {
        if (*at == ' ' && !line_is_escaped(start, at)) {
            return at;
        }
    }
    return NULL;
}

struct line_head *line_head_find(struct line_heads *heads, const char *at, const char *end,
                                 const char **fault)
{
    struct line_head *last = heads->last;

    if (last && (size_t)(end - at) > last->raw.len && at[last->raw.len] == ' ' &&
        memcmp(at, last->raw.ptr, last->raw.len) == 0) {
        return last;
    }
    const char *after = head_end(at, end);
    if (!after) {
        *fault = *at == ',' ? "missing measurement" : "missing fields";
        return NULL;
    }
    struct str raw = { at, (size_t)(after - at) };
    uint64_t hash = ingest_hash(heads->seed, raw.ptr, raw.len);
    if (!make_room(heads)) {
        *fault = line_fail_memory(heads->op);
        return NULL;
    }
    struct line_head *head = look_up(heads, raw, hash);
    if (!head) {
        head = read_head(heads, raw, hash, fault);
        if (!head) {
            return NULL;
        }
        put(heads, head);
        heads->n_heads++;
    }
    heads->last = head;
    return head;
}

/* ---- metrics ---- */

static struct str compose(struct line_heads *heads, const struct line_head *head, struct str raw,
                          const char **fault)
{
    if (!str_is_utf8(raw)) {
        *fault = "a field's name is not UTF-8";
        return (struct str){ NULL, 0 };
    }
    struct str field = line_unescape(heads->op, raw, KEY_ESCAPES);
    if (!field.ptr) {
        *fault = line_fail_memory(heads->op);
    }
    if (!field.ptr || head->is_metric_bare) {
        return field;
    }
    size_t len = head->measurement.len + 1 + field.len;
    char *name = arena_alloc(heads->op->arena, len);
    if (!name) {
        *fault = line_fail_memory(heads->op);
        return (struct str){ NULL, 0 };
    }
    memcpy(name, head->measurement.ptr, head->measurement.len);
    name[head->measurement.len] = '.';
    memcpy(name + head->measurement.len + 1, field.ptr, field.len);
    return (struct str){ name, len };
}

/* Remembers a field, while there are not too many to look through. */
static void remember(struct line_heads *heads, struct line_head *head, struct line_field *field)
{
    if (head->n_fields == head->fields_size) {
        size_t size = head->fields_size ? head->fields_size * 2 : FIRST_FIELDS;
        void *fields = size > MAX_METRICS
                           ? NULL
                           : arena_resize(heads->op->arena, head->fields,
                                          head->n_fields * sizeof *head->fields,
                                          size * sizeof *head->fields);
        if (!fields) {
            return;
        }
        head->fields = fields;
        head->fields_size = size;
    }
    head->fields[head->n_fields++] = field;
}

struct line_field *line_head_field(struct line_heads *heads, struct line_head *head,
                                   size_t position, struct str raw, const char **fault)
{
    if (position < head->n_fields && str_equal(head->fields[position]->raw, raw)) {
        return head->fields[position];
    }
    for (size_t i = 0; i < head->n_fields; i++) {
        if (str_equal(head->fields[i]->raw, raw)) {
            return head->fields[i];
        }
    }
    struct str metric = compose(heads, head, raw, fault);
    struct line_field *field =
        metric.ptr ? arena_alloc(heads->op->arena, sizeof *field) : NULL;
    if (!field) {
        *fault = metric.ptr ? line_fail_memory(heads->op) : *fault;
        return NULL;
    }
    field->raw = raw;
    field->metric = metric;
    remember(heads, head, field);
    return field;
}
