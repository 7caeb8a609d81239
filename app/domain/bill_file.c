/* Reads Green Button files. Called by the page and the API that compare bills. */
#include "domain/bill_file.h"

#include "base/clock.h"
#include "base/xml.h"
#include "domain/bill_file_parts.h"

#include <string.h>

#define MAX_NOTE_BYTES 256
#define COST_UNIT 10000 /* a hundred-thousandth in billionths */
#define MAX_DURATION_S (400 * 86400)
#define NO_FILE "This is no Green Button file: "

/* ---- names ---- */

static struct str local_name(struct str name)
{
    const char *colon = memchr(name.ptr, ':', name.len);
    size_t prefix = colon ? (size_t)(colon - name.ptr) + 1 : 0;

    return (struct str){ name.ptr + prefix, name.len - prefix };
}

/* What is open, `up` levels above the innermost. */
static bool is_in(const struct bill_parse *parse, int up, const char *name)
{
    int at = parse->depth - 1 - up;

    return at >= 0 && at < BILL_MAX_DEPTH && str_equal(parse->path[at], str_of(name));
}

static bool is_summary(const struct bill_parse *parse, int up)
{
    return is_in(parse, up, "UsageSummary") || is_in(parse, up, "ElectricPowerUsageSummary");
}

static bool is_detail(const struct bill_parse *parse, int up)
{
    return is_in(parse, up, "costAdditionalDetailLastPeriod") && is_summary(parse, up + 1);
}

static struct bill_entry *last_entry(struct bill_parse *parse)
{
    return &parse->entries[parse->n_entries - 1];
}

static void refuse(struct bill_parse *parse, const char *what)
{
    if (parse->err == OK) {
        parse->err = fail(parse->op, ERR_INVALID, "%s", what);
    }
}

/* ---- growth ---- */

static void add_entry(struct bill_parse *parse)
{
    if (parse->n_entries == BILL_FILE_MAX_ENTRIES) {
        refuse(parse, "The file has too many entries.");
        return;
    }
    if (parse->n_entries == parse->entries_size) {
        size_t size = parse->entries_size * 2 + 16;
        struct bill_entry *entries =
            arena_resize(parse->op->arena, parse->entries,
                         parse->entries_size * sizeof *entries, size * sizeof *entries);
        if (!entries) {
            parse->err = fail_memory(parse->op);
            return;
        }
        parse->entries = entries;
        parse->entries_size = size;
    }
    parse->entries[parse->n_entries++] = (struct bill_entry){ .uom = -1,
                                                         .from = (int)parse->n_readings,
                                                         .to = (int)parse->n_readings };
}

static void grow_readings(struct bill_parse *parse)
{
    size_t old = parse->readings_size, size = old * 2 + 256;
    struct bill_reading *readings =
        arena_resize(parse->op->arena, parse->readings, old * sizeof *readings,
                     size * sizeof *readings);
    int64_t *values = arena_resize(parse->op->arena, parse->values, old * sizeof *values,
                                   size * sizeof *values);

    if (!readings || !values) {
        parse->err = fail_memory(parse->op);
        return;
    }
    parse->readings = readings;
    parse->values = values;
    parse->readings_size = size;
}

static void add_reading(struct bill_parse *parse)
{
    if (parse->n_readings == BILL_FILE_MAX_READINGS) {
        refuse(parse, "The file has too many intervals.");
        return;
    }
    if (parse->n_readings == parse->readings_size) {
        grow_readings(parse);
    }
    if (parse->err == OK && parse->readings && parse->values) {
        parse->readings[parse->n_readings] = (struct bill_reading){ .start_us = INT64_MIN };
        parse->values[parse->n_readings++] = 0;
        parse->has_value = false;
        parse->is_broken_reading = false;
    }
}

static void add_summary(struct bill_parse *parse)
{
    if (!parse->summaries) {
        parse->summaries = arena_array(parse->op->arena, BILL_FILE_MAX_SUMMARIES,
                                       sizeof *parse->summaries);
    }
    if (!parse->summaries) {
        parse->err = fail_memory(parse->op);
    } else if (parse->n_summaries == BILL_FILE_MAX_SUMMARIES) {
        refuse(parse, "The file has too many summaries.");
    } else {
        parse->summaries[parse->n_summaries++] = (struct bill_summary){ .start_us = INT64_MIN };
        parse->summary_uom = parse->summary_value = -1;
        parse->summary_power = 0;
    }
}

/* A line of the last summary's bill. */
static void add_detail(struct bill_parse *parse)
{
    struct bill_summary *summary =
        parse->n_summaries > 0 ? &parse->summaries[parse->n_summaries - 1] : NULL;

    if (!parse->details) {
        parse->details =
            arena_array(parse->op->arena, BILL_FILE_MAX_DETAILS, sizeof *parse->details);
    }
    if (!parse->details) {
        parse->err = fail_memory(parse->op);
    } else if (parse->n_details == BILL_FILE_MAX_DETAILS) {
        refuse(parse, "The file's bills have too many lines.");
    } else if (summary) {
        struct bill_detail *detail = &parse->details[parse->n_details++];
        *detail = (struct bill_detail){ .name = "" };
        summary->details = summary->n_details == 0 ? detail : summary->details;
        summary->n_details++;
        parse->has_amount = false;
    }
}

/* ---- tags ---- */

static void take_link(struct bill_parse *parse, const struct xml_token *token)
{
    struct bill_entry *entry = last_entry(parse);
    struct str rel = xml_attribute(token, "rel"), href = str_trim(xml_attribute(token, "href"));

    if (!href.ptr || href.len == 0) {
        return;
    }
    if (str_equal(rel, STR("self"))) {
        entry->self = href;
    } else if (str_equal(rel, STR("up"))) {
        entry->up = href;
    } else if (str_equal(rel, STR("related")) && entry->n_related < BILL_MAX_RELATED) {
        entry->related[entry->n_related++] = href;
    }
}

/* A reading or a summary; neither holds one. */
static void begin_record(struct bill_parse *parse)
{
    if (parse->is_in_record) {
        refuse(parse, NO_FILE "its intervals or summaries hold each other.");
        return;
    }
    parse->is_in_record = true;
    if (is_summary(parse, 0)) {
        add_summary(parse);
    } else {
        last_entry(parse)->kind = ENTRY_BLOCK;
        add_reading(parse);
    }
}

static void open_tag(struct bill_parse *parse, const struct xml_token *token)
{
    if (parse->depth == BILL_MAX_DEPTH) {
        refuse(parse, NO_FILE "it is nested too deeply.");
        return;
    }
    parse->path[parse->depth++] = local_name(token->name);
    if (is_in(parse, 0, "entry")) {
        add_entry(parse);
    } else if (is_in(parse, 0, "link")) {
        take_link(parse, token);
    } else if (is_in(parse, 0, "MeterReading")) {
        last_entry(parse)->kind = ENTRY_METER;
    } else if (is_in(parse, 0, "ReadingType")) {
        last_entry(parse)->kind = ENTRY_TYPE;
    } else if (is_in(parse, 0, "IntervalReading") || is_summary(parse, 0)) {
        begin_record(parse);
    } else if (is_detail(parse, 0)) {
        add_detail(parse);
    }
}

/* A line without an amount is none. */
static void end_detail(struct bill_parse *parse)
{
    if (parse->n_summaries > 0 && parse->n_details > 0 && !parse->has_amount) {
        parse->n_details--;
        parse->summaries[parse->n_summaries - 1].n_details--;
    }
}

static void end_summary(struct bill_parse *parse)
{
    parse->is_in_record = false;
    if (!parse->summaries) {
        return;
    }
    struct bill_summary *summary = &parse->summaries[parse->n_summaries - 1];

    if (summary->start_us == INT64_MIN || summary->duration_s <= 0) {
        parse->n_summaries--;
        return;
    }
    summary->has_energy =
        parse->summary_uom == BILL_UOM_WH && parse->summary_value >= 0 &&
        bill_file_scale(parse->summary_value, parse->summary_power, &summary->nkwh);
}

/* A reading without a time or a value, or with one that cannot be read, is none. */
static void end_reading(struct bill_parse *parse)
{
    const struct bill_reading *reading = &parse->readings[parse->n_readings - 1];

    parse->is_in_record = false;
    if (parse->is_broken_reading || !parse->has_value || reading->start_us == INT64_MIN ||
        reading->duration_s <= 0) {
        parse->n_readings--;
        parse->n_ignored++;
    }
    last_entry(parse)->to = (int)parse->n_readings;
}

static void close_tag(struct bill_parse *parse, const struct xml_token *token)
{
    if (parse->depth == 0 || !str_equal(parse->path[parse->depth - 1], local_name(token->name))) {
        refuse(parse, NO_FILE "its tags do not match.");
        return;
    }
    if (is_in(parse, 0, "IntervalReading")) {
        end_reading(parse);
    } else if (is_summary(parse, 0)) {
        end_summary(parse);
    } else if (is_detail(parse, 0)) {
        end_detail(parse);
    }
    parse->depth--;
}

/* ---- numbers ---- */

static bool to_time(int64_t seconds, int64_t *out)
{
    bool is_time = seconds >= 0 && seconds < CLOCK_MAX_US / US_PER_SECOND;

    *out = is_time ? seconds * US_PER_SECOND : INT64_MIN;
    return is_time;
}

static bool to_duration(int64_t seconds, int32_t *out)
{
    bool is_one = seconds > 0 && seconds <= MAX_DURATION_S;

    *out = is_one ? (int32_t)seconds : 0;
    return is_one;
}

static void take_reading(struct bill_parse *parse, int64_t number)
{
    struct bill_reading *reading = &parse->readings[parse->n_readings - 1];
    bool is_good = true;

    if (is_in(parse, 0, "value") && is_in(parse, 1, "IntervalReading")) {
        parse->values[parse->n_readings - 1] = number;
        parse->has_value = true;
    } else if (is_in(parse, 0, "cost") && is_in(parse, 1, "IntervalReading")) {
        is_good = !__builtin_mul_overflow(number, COST_UNIT, &reading->cost);
        reading->has_cost = is_good;
    } else if (is_in(parse, 0, "start") && is_in(parse, 1, "timePeriod")) {
        is_good = to_time(number, &reading->start_us);
    } else if (is_in(parse, 0, "duration") && is_in(parse, 1, "timePeriod")) {
        is_good = to_duration(number, &reading->duration_s);
    }
    parse->is_broken_reading = parse->is_broken_reading || !is_good;
}

static void take_type(struct bill_parse *parse, int64_t number)
{
    struct bill_entry *entry = last_entry(parse);

    if (is_in(parse, 0, "powerOfTenMultiplier")) {
        entry->power = number;
    } else if (is_in(parse, 0, "uom")) {
        entry->uom = number;
    } else if (is_in(parse, 0, "flowDirection")) {
        entry->flow = number;
    } else if (is_in(parse, 0, "accumulationBehaviour")) {
        entry->accumulation = number;
    } else if (is_in(parse, 0, "currency")) {
        parse->currency = number;
    }
}

/* What a line is of, where it has no note: ESPI's itemKind, from 1. */
static const char *kind_words(int64_t kind)
{
    static const char *const words[] = {
        "Generation fee",        "Delivery fee",      "Usage fee",       "Administrative fee",
        "Tax",                   "Generation credit", "Delivery credit", "Administrative credit",
        "Payment",               "Information",
    };
    bool is_known = kind >= 1 && kind <= (int64_t)(sizeof words / sizeof *words);

    return is_known ? words[kind - 1] : "";
}

static void take_detail(struct bill_parse *parse, int64_t number)
{
    struct bill_detail *detail = &parse->details[parse->n_details - 1];

    if (is_in(parse, 0, "amount")) {
        parse->has_amount = !__builtin_mul_overflow(number, COST_UNIT, &detail->amount);
    } else if (is_in(parse, 0, "itemKind") && detail->name[0] == '\0') {
        detail->name = kind_words(number);
    }
}

static void take_note(struct bill_parse *parse, struct str text)
{
    struct str note;

    if (!xml_decode(parse->op->arena, text, &note)) {
        return;
    }
    if (note.len > MAX_NOTE_BYTES) {
        note.len = MAX_NOTE_BYTES;
        while (note.len > 0 && (note.ptr[note.len] & 0xc0) == 0x80) {
            note.len--; /* not within a character */
        }
    }
    const char *name = arena_copy(parse->op->arena, note);
    if (name) {
        parse->details[parse->n_details - 1].name = name;
    }
}

static void take_summary(struct bill_parse *parse, int64_t number)
{
    if (!parse->summaries) {
        return;
    }
    struct bill_summary *summary = &parse->summaries[parse->n_summaries - 1];
    if (is_in(parse, 1, "billingPeriod")) {
        if (is_in(parse, 0, "start")) {
            (void)to_time(number, &summary->start_us);
        } else if (is_in(parse, 0, "duration")) {
            (void)to_duration(number, &summary->duration_s);
        }
    } else if (is_in(parse, 1, "overallConsumptionLastPeriod")) {
        int64_t *to = is_in(parse, 0, "value")  ? &parse->summary_value
                      : is_in(parse, 0, "uom") ? &parse->summary_uom
                      : is_in(parse, 0, "powerOfTenMultiplier") ? &parse->summary_power
                                                                : NULL;
        if (to) {
            *to = number;
        }
    } else if (is_in(parse, 0, "billLastPeriod")) {
        summary->has_bill = !__builtin_mul_overflow(number, COST_UNIT, &summary->bill);
    } else if (is_in(parse, 0, "currency")) {
        parse->currency = number;
    }
}

static void take_text(struct bill_parse *parse, struct str text)
{
    struct str trimmed = str_trim(text);
    long long number = 0;

    if (trimmed.len == 0 || parse->depth < 2) {
        return;
    }
    bool is_of_detail = parse->n_details > 0 && is_detail(parse, 1);
    if (is_of_detail && is_in(parse, 0, "note")) {
        take_note(parse, trimmed);
        return;
    }
    bool is_reading = is_in(parse, 1, "IntervalReading") || is_in(parse, 2, "IntervalReading");
    if (!str_to_int64(trimmed, &number)) {
        if (is_reading && parse->n_readings > 0) {
            parse->is_broken_reading = parse->is_broken_reading || is_in(parse, 0, "value") ||
                                       is_in(parse, 0, "cost");
        }
        return;
    }
    if (is_reading && parse->n_readings > 0) {
        take_reading(parse, number);
    } else if (is_in(parse, 1, "ReadingType")) {
        take_type(parse, number);
    } else if (is_of_detail) {
        take_detail(parse, number);
    } else if (parse->n_summaries > 0 && (is_summary(parse, 1) || is_summary(parse, 2))) {
        take_summary(parse, number);
    }
}

enum err bill_file_read(struct op *op, struct str text, struct bill_file *out)
{
    struct bill_parse parse = { .op = op };
    struct xml_reader reader = xml_reader(text);
    struct xml_token token = { .kind = XML_TEXT };

    add_entry(&parse);
    while (parse.err == OK && token.kind != XML_END) {
        xml_next(&reader, &token);
        if (token.kind == XML_BROKEN) {
            refuse(&parse, NO_FILE "it is no XML.");
        } else if (token.kind == XML_OPEN) {
            open_tag(&parse, &token);
        } else if (token.kind == XML_CLOSE) {
            close_tag(&parse, &token);
        } else if (token.kind == XML_TEXT) {
            take_text(&parse, token.name);
        }
    }
    if (parse.depth > 0) {
        refuse(&parse, NO_FILE "it ends too early.");
    }
    if (parse.err != OK) {
        return parse.err;
    }
    enum err err = bill_file_finish(&parse, out);
    if (err != OK) {
        return err;
    }
    return out->n_readings > 0 || out->n_summaries > 0
               ? OK
               : fail(op, ERR_INVALID, NO_FILE "it has no intervals of energy and no bill.");
}
