/* The content of events that name neither id nor seq, for event_key. What has no order is summed
 * up: each member is hashed, and the hashes are added. Numbers and strings count as they are
 * written (1.0 is not 1). */
#include "ingest/event_content.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"

/* A sum of hashes; equal for the same members in any order. */
struct members {
    uint64_t sum[2];
};

static void add_text(struct buf *form, struct str text)
{
    buf_add_be32(form, (uint32_t)text.len);
    buf_add_str(form, text);
}

/* Takes what was appended since `mark` away again and adds its hash to the sum. */
static void take_member(struct buf *form, size_t mark, struct members *members)
{
    uint64_t hash[2];

    if (form->is_broken) {
        return;
    }
    crypto_blake2b((struct str){ form->data + mark, form->len - mark }, STR(""), (uint8_t *)hash,
                   sizeof hash);
    members->sum[0] += hash[0];
    members->sum[1] += hash[1];
    form->len = mark;
}

static void add_members(struct buf *form, const struct members *members)
{
    buf_add(form, members->sum, sizeof members->sum);
}

static void add_value(struct buf *form, struct json_reader *reader);

static void add_object(struct buf *form, struct json_reader *reader)
{
    struct members members = { { 0, 0 } };
    struct str name;

    if (!json_enter_object(reader)) {
        return;
    }
    while (!form->is_broken && json_next_member(reader, &name)) {
        size_t mark = form->len;
        add_text(form, name);
        add_value(form, reader);
        take_member(form, mark, &members);
    }
    buf_add_char(form, '{');
    add_members(form, &members);
}

static void add_array(struct buf *form, struct json_reader *reader)
{
    if (!json_enter_array(reader)) {
        return;
    }
    buf_add_char(form, '[');
    while (!form->is_broken && json_next_element(reader)) {
        add_value(form, reader);
    }
    buf_add_char(form, ']');
}

/* As deep as the reader lets it: MAX_JSON_DEPTH. */
static void add_value(struct buf *form, struct json_reader *reader)
{
    enum json_type type = json_peek(reader);
    struct str text;

    if (type == JSON_OBJECT) {
        add_object(form, reader);
    } else if (type == JSON_ARRAY) {
        add_array(form, reader);
    } else if (json_skip(reader, &text)) {
        buf_add_char(form, '=');
        add_text(form, text);
    }
}

static void add_data(struct buf *form, struct str data)
{
    struct json_reader reader;

    if (data.len == 0) {
        buf_add_char(form, '-');
        return;
    }
    json_reader_init(&reader, data, form->arena, MAX_JSON_DEPTH);
    add_value(form, &reader);
    form->is_broken = form->is_broken || !json_at_end(&reader);
}

static void add_metrics(struct buf *form, const struct ingest_draft *draft)
{
    struct members members = { { 0, 0 } };

    for (int i = 0; i < draft->n_metrics; i++) {
        const struct ingest_metric *metric = &draft->metrics[i];
        size_t mark = form->len;
        uint64_t bits;
        memcpy(&bits, &metric->value, sizeof bits);
        add_text(form, metric->name);
        add_text(form, metric->labels);
        buf_add_be64(form, bits);
        take_member(form, mark, &members);
    }
    add_members(form, &members);
}

void event_content_add(struct buf *form, const struct ingest_draft *draft)
{
    add_text(form, draft->type);
    add_text(form, draft->site);
    add_data(form, draft->data);
    add_metrics(form, draft);
}
