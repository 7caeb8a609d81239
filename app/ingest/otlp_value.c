/* OTLP's attributes: KeyValue {key = 1, value = 2}, whose AnyValue is a string = 1, bool = 2,
 * int = 3, double = 4, list of values = 5, list of KeyValue = 6 or bytes = 7. Called by the formats
 * of OTLP. */
#include "ingest/otlp.h"

#include "base/limits.h"
#include "domain/mapping.h"

#include <math.h>

#define MAX_DEPTH 32 /* of values within values; deeper is an attack, and breaks the reader */

/* Where the value of an AnyValue stands: of several the last counts. False for none. */
static bool find_value(struct proto_reader *message, struct proto_field *out)
{
    struct proto_field field;
    bool has_value = false;

    while (proto_next(message, &field)) {
        if (field.number >= 1 && field.number <= 7) {
            *out = field;
            has_value = true;
        }
    }
    return has_value;
}

static struct str read_key_value(struct proto_reader *message, struct proto_reader *value)
{
    struct str key = { "", 0 };
    struct proto_field field;

    *value = proto_reader((struct str){ "", 0 }, message->is_broken);
    while (proto_next(message, &field)) {
        if (field.number == 1) {
            key = proto_bytes(message, &field);
        } else if (field.number == 2) {
            *value = proto_message(message, &field);
        }
    }
    return key;
}

/* ---- as JSON ---- */

/* jsonb holds no NUL: as a byte that is no text it becomes U+FFFD. */
static struct str without_nul(struct arena *arena, struct str text)
{
    if (!text.len || !memchr(text.ptr, '\0', text.len)) {
        return text;
    }
    char *copy = arena_copy(arena, text);
    for (size_t i = 0; copy && i < text.len; i++) {
        copy[i] = copy[i] ? copy[i] : '\xff';
    }
    return (struct str){ copy, copy ? text.len : 0 };
}

static void add_base64(struct buf *out, struct str bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++) {
            group = group << 8 | (i + j < bytes.len ? (unsigned char)bytes.ptr[i + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            buf_add_char(out, i + j > bytes.len ? '=' : digits[group >> (18 - 6 * j) & 63]);
        }
    }
}

static void write_base64(struct json_writer *writer, struct str bytes)
{
    struct buf text;

    buf_init(&text, writer->out->arena, 2 * bytes.len + 4);
    add_base64(&text, bytes);
    json_string(writer, buf_str(&text));
}

static void write_value(struct json_writer *writer, struct proto_reader message, int depth);

static void write_members(struct json_writer *writer, struct proto_reader message, uint32_t number,
                          int depth)
{
    struct proto_reader value;
    struct proto_field field;

    while (!writer->out->is_broken && proto_next(&message, &field)) {
        if (field.number == number) {
            struct proto_reader pair = proto_message(&message, &field);
            struct str key = read_key_value(&pair, &value);
            json_key_str(writer, without_nul(writer->out->arena, key));
            write_value(writer, value, depth);
        }
    }
}

static void write_list(struct json_writer *writer, struct proto_reader message, int depth)
{
    struct proto_field field;

    json_open_array(writer);
    while (!writer->out->is_broken && proto_next(&message, &field)) {
        if (field.number == 1) {
            write_value(writer, proto_message(&message, &field), depth);
        }
    }
    json_close_array(writer);
}

static void write_value(struct json_writer *writer, struct proto_reader message, int depth)
{
    struct proto_field field;

    if (!find_value(&message, &field)) {
        json_null(writer);
        return;
    }
    if (depth == MAX_DEPTH) {
        *message.is_broken = true;
        return;
    }
    switch (field.number) {
    case 1:
        json_string(writer, without_nul(writer->out->arena, proto_bytes(&message, &field)));
        break;
    case 2: json_bool(writer, proto_uint(&message, &field) != 0); break;
    case 3: json_int(writer, proto_int(&message, &field)); break;
    case 4: json_double(writer, proto_double(&message, &field)); break;
    case 5: write_list(writer, proto_message(&message, &field), depth + 1); break;
    case 6:
        json_open_object(writer);
        write_members(writer, proto_message(&message, &field), 1, depth + 1);
        json_close_object(writer);
        break;
    default: write_base64(writer, proto_bytes(&message, &field));
    }
}

void otlp_write_value(struct json_writer *writer, struct proto_reader message)
{
    write_value(writer, message, 0);
}

void otlp_write_attributes(struct json_writer *writer, struct proto_reader message,
                           uint32_t number)
{
    json_open_object(writer);
    write_members(writer, message, number, 0);
    json_close_object(writer);
}

/* ---- as labels ---- */

/* A text as it is, anything else as JSON has it. False without memory or beyond a label's size. */
static bool value_text(struct proto_reader message, struct arena *arena, struct str *out)
{
    struct proto_reader ahead = message;
    struct json_writer writer;
    struct proto_field field;
    struct buf text;

    *out = (struct str){ "", 0 };
    if (!find_value(&ahead, &field)) {
        return true;
    }
    if (field.number == 1) {
        *out = proto_bytes(&ahead, &field);
        return true;
    }
    buf_init(&text, arena, MAX_LABELS_BYTES);
    json_writer_init(&writer, &text);
    if (field.number == 7) {
        add_base64(&text, proto_bytes(&ahead, &field));
    } else {
        write_value(&writer, message, 0);
    }
    *out = buf_str(&text);
    return !text.is_broken;
}

static const char *add_label(struct str key, struct proto_reader value, struct arena *arena,
                             struct ingest_labels *labels)
{
    struct str text;

    if (key.len == 0) {
        return "an attribute has no key";
    }
    if (!value_text(value, arena, &text)) {
        return "an attribute is too long";
    }
    if (!str_is_utf8(key) || !str_is_utf8(text)) {
        return "an attribute is not UTF-8";
    }
    return labels_add(labels, key, text) ? NULL : "too many attributes";
}

const char *otlp_read_label(struct proto_reader message, struct arena *arena,
                            struct ingest_labels *labels)
{
    struct proto_reader value;
    struct str key = read_key_value(&message, &value);

    return add_label(key, value, arena, labels);
}

/* What changes with an update of some software and is no other thing for that. */
static bool is_description(struct str key)
{
    static const struct str prefixes[] = { STR_INIT("telemetry."), STR_INIT("process."),
                                           STR_INIT("os."), STR_INIT("host.") };

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (str_starts_with(key, prefixes[i])) {
            return !str_equal(key, STR("host.name"));
        }
    }
    return false;
}

const char *otlp_read_resource(struct proto_reader message, struct arena *arena,
                               struct ingest_labels *labels)
{
    const char *fault = NULL;
    struct proto_reader value;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number != 1) {
            continue;
        }
        struct proto_reader pair = proto_message(&message, &field);
        struct str key = read_key_value(&pair, &value);
        const char *worse = is_description(key) ? NULL : add_label(key, value, arena, labels);
        fault = fault ? fault : worse;
    }
    return fault;
}

/* What may name a device, in the order of their rank. */
static const char *const device_names[] = { "device", "host.name", "host", "service.instance.id",
                                            "service.name" };
#define N_DEVICE_NAMES (sizeof device_names / sizeof *device_names)

static bool is_name(struct str key, const struct mapping *mapping)
{
    for (int i = 0; mapping && i < mapping->n_sources; i++) {
        if (str_equal(key, mapping->sources[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < N_DEVICE_NAMES; i++) {
        if (str_equal(key, str_of(device_names[i]))) {
            return true;
        }
    }
    return str_equal(key, STR(OTLP_EVENT_NAME));
}

const char *otlp_read_names(struct proto_reader message, uint32_t number,
                            struct otlp_names *names)
{
    const char *fault = NULL;
    struct proto_reader value;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number != number) {
            continue;
        }
        struct proto_reader pair = proto_message(&message, &field);
        struct str key = read_key_value(&pair, &value);
        const char *worse = is_name(key, names->mapping)
                                ? add_label(key, value, names->arena, &names->labels)
                                : NULL;
        fault = fault ? fault : worse;
    }
    return fault;
}

struct str otlp_take_device(struct ingest_labels *labels, const struct ingest_rules *rules)
{
    size_t n = rules->is_device_bound ? 1 : N_DEVICE_NAMES;
    struct str device = { NULL, 0 };

    for (size_t i = 0; !device.ptr && i < n; i++) {
        device = labels_take(labels, device_names[i]);
    }
    return device;
}
