/* Reads a zone's offsets and the starts of its local buckets, once an hour and process. Called by
 * what shows or groups times: pages and, through them, charts. */
#include "domain/zone.h"

#include "db/db.h"
#include "domain/zone_cache.h"
#include "gen/queries.h"

#define MAX_ZONE_NAME_BYTES 64
#define S_PER_HOUR 3600
#define HALF_YEAR_US (182 * US_PER_DAY)

/* How much more is read than was asked for, and what is too long for that. */
#define OFFSETS_MARGIN_US (366 * US_PER_DAY)
#define STARTS_MARGIN_US (2 * US_PER_DAY)
#define LONGEST_KEPT_US (20 * 366 * US_PER_DAY)

/* IANA's only names with a digit, beside those of Etc. */
static const char *const WITH_DIGITS[] = { "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT",
                                           "GMT0",    "GMT+0",   "GMT-0" };

/* In the zone database's folder, but no zones that a place keeps: copies, and what one machine
 * makes of them. */
static const char *const NO_PLACES[] = { "posixrules", "localtime", "Factory" };

static bool is_place(struct str text)
{
    for (size_t i = 0; i < sizeof NO_PLACES / sizeof NO_PLACES[0]; i++) {
        if (str_equal(text, str_of(NO_PLACES[i]))) {
            return false;
        }
    }
    return !str_starts_with(text, STR("posix/")) && !str_starts_with(text, STR("right/"));
}

static bool may_have_digits(struct str text)
{
    bool is_listed = str_starts_with(text, STR("Etc/GMT"));

    for (size_t i = 0; i < sizeof WITH_DIGITS / sizeof WITH_DIGITS[0]; i++) {
        is_listed = is_listed || str_equal(text, str_of(WITH_DIGITS[i]));
    }
    return is_listed;
}

bool zone_is_name(struct str text)
{
    bool has_digit = false;

    if (text.len == 0 || text.len > MAX_ZONE_NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (c == 0 || strchr("/_+-", c) == NULL)) {
            return false;
        }
        has_digit = has_digit || is_digit;
    }
    return is_place(text) && (!has_digit || may_have_digits(text));
}

/* What the statement tells of the span; `has_offset`: its second column. */
static enum err read_span(struct db_tx *tx, const struct db_query *query, struct db_args *args,
                          bool has_offset, struct zone_known *out)
{
    struct op *op = db_op(tx);
    struct db_rows *rows;
    enum err err = db_run(tx, query, args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct zone_offset *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct zone_offset){
            .from_us = db_time(rows, i, 0), .offset_s = has_offset ? db_int(rows, i, 1) : 0
        };
    }
    *out = (struct zone_known){ items, n };
    return OK;
}

static enum err load_span(struct db_tx *tx, const struct zone_span *span, struct zone_known *out)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, span->zone);
    if (*span->bucket) {
        db_arg_text(&args, span->bucket);
    }
    db_arg_time(&args, span->from_us);
    db_arg_time(&args, span->to_us);
    const struct db_query *query = *span->bucket ? &q_zone_bucket_starts : &q_zone_offsets;
    return read_span(tx, query, &args, !*span->bucket, out);
}

/* From the cache, else from the database: then of `margin_us` more on both sides, for whoever asks
 * next asks for a little later. */
static enum err find_span(struct db_tx *tx, const struct zone_span *span, int64_t margin_us,
                          struct zone_known *out)
{
    struct op *op = db_op(tx);
    struct zone_span wider = *span;
    if (zone_cache_get(op, span, out)) {
        return OK;
    }
    if (span->to_us - span->from_us > LONGEST_KEPT_US) {
        return load_span(tx, span, out);
    }
    wider.from_us -= margin_us;
    wider.to_us += margin_us;
    enum err err = load_span(tx, &wider, out);
    if (err == OK) {
        zone_cache_put(&wider, out);
    }
    return err;
}

enum err zone_load(struct db_tx *tx, const char *name, int64_t from_us, int64_t to_us,
                   struct zone *out)
{
    struct zone_span span = { .zone = name, .bucket = "", .from_us = from_us, .to_us = to_us };
    struct zone_known known;
    enum err err = find_span(tx, &span, OFFSETS_MARGIN_US, &known);
    if (err == OK) {
        *out = (struct zone){ .name = name, .offsets = known.items, .n_offsets = known.n };
    }
    return err;
}

enum err zone_has_whole_hours(struct db_tx *tx, const char *name, bool *out)
{
    const int64_t now_us = clock_now_us();
    const int64_t at_us[] = { now_us - HALF_YEAR_US, now_us };
    enum err err = OK;

    *out = true;
    for (int i = 0; err == OK && *out && i < 2; i++) {
        struct zone zone;
        err = zone_load(tx, name, at_us[i], at_us[i] + US_PER_SECOND, &zone);
        *out = err == OK && zone_offset_at(&zone, at_us[i]) % S_PER_HOUR == 0;
    }
    return err;
}

enum err zone_bucket_starts(struct db_tx *tx, const char *name, const char *bucket,
                            int64_t from_us, int64_t to_us, struct zone_starts *out)
{
    struct op *op = db_op(tx);
    struct zone_span span = { .zone = name, .bucket = bucket, .from_us = from_us, .to_us = to_us };
    struct zone_known known;
    enum err err = find_span(tx, &span, STARTS_MARGIN_US, &known);
    if (err != OK) {
        return err;
    }
    int64_t *starts = arena_array(op->arena, (size_t)known.n, sizeof *starts);
    if (starts == NULL && known.n > 0) {
        return fail_memory(op);
    }
    int n = 0;
    for (int i = 0; i < known.n; i++) {
        if (known.items[i].from_us >= from_us && known.items[i].from_us < to_us) {
            starts[n++] = known.items[i].from_us;
        }
    }
    *out = (struct zone_starts){ .us = starts, .n = n };
    return OK;
}

enum err zone_exists(struct db_tx *tx, struct str name, bool *out)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, name);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_zone_exists, &args, &rows);
    *out = err == OK && zone_is_name(name) && db_bool(rows, 0, ZONE_EXISTS_IS_THERE);
    return err;
}

enum err zone_list(struct db_tx *tx, const char *const **out, int *n)
{
    struct op *op = db_op(tx);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_zone_list, NULL, &rows);
    if (err != OK) {
        return err;
    }
    *n = db_count(rows);
    const char **names = arena_array(op->arena, (size_t)*n + 1, sizeof *names);
    if (names == NULL) {
        return fail_memory(op);
    }
    for (int i = 0; i < *n; i++) {
        names[i] = db_text(rows, i, ZONE_LIST_NAME);
    }
    *out = names;
    return OK;
}

bool zone_is_month_start(const struct zone *zone, int64_t day_us)
{
    /* Noon: midnight itself can be missing. */
    int64_t noon_us = day_us + US_PER_DAY / 2;
    return clock_split(noon_us + zone_offset_at(zone, noon_us) * US_PER_SECOND).day == 1;
}
