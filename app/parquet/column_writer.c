/* Pages of one column. Texts and doubles go by a dictionary until it is full, from there on PLAIN;
 * whole numbers and times by their differences. A page is packed as soon as it is full, so that
 * what is held is packed. */
#include "parquet/column_writer.h"

#include "parquet/pack.h"
#include "parquet/writer.h"

#include <math.h>

#define MAX_RANGE_BYTES 128 /* of a text in the statistics */

/* What a group can grow by after it was looked at: a page of this column. */
#define CHUNK_CAP (PARQUET_GROUP_BYTES + 2 * MAX_PAGE_BYTES)

static bool may_have_dictionary(const struct parquet_column *spec)
{
    return spec->type == PARQUET_STRING || spec->type == PARQUET_DOUBLE;
}

bool column_init(struct column_writer *column, const struct parquet_column *spec,
                 struct column_room *room)
{
    struct arena *arena = room->op->arena;

    *column = (struct column_writer){ .spec = spec, .room = room };
    buf_init(&column->values, arena, MAX_PAGE_BYTES);
    buf_init(&column->levels, arena, MAX_PAGE_BYTES);
    buf_init(&column->chunk, arena, CHUNK_CAP);
    buf_init(&column->range.least_text, arena, MAX_RANGE_BYTES);
    buf_init(&column->range.most_text, arena, MAX_RANGE_BYTES);
    column->has_dictionary = may_have_dictionary(spec);
    return !column->has_dictionary || dictionary_init(&column->dictionary, arena);
}

/* ---- pages ---- */

static void put_page_head(struct buf *out, bool is_dictionary, uint32_t n, int encoding,
                          size_t raw_bytes, size_t packed_bytes)
{
    struct thrift_writer head = thrift_writer(out);

    thrift_put_int(&head, 1, THRIFT_I32, is_dictionary ? PAGE_DICTIONARY : PAGE_DATA);
    thrift_put_int(&head, 2, THRIFT_I32, (int64_t)raw_bytes);
    thrift_put_int(&head, 3, THRIFT_I32, (int64_t)packed_bytes);
    thrift_open(&head, is_dictionary ? 7 : 5);
    thrift_put_int(&head, 1, THRIFT_I32, n);
    thrift_put_int(&head, 2, THRIFT_I32, encoding);
    if (!is_dictionary) {
        thrift_put_int(&head, 3, THRIFT_I32, ENCODING_RLE);
        thrift_put_int(&head, 4, THRIFT_I32, ENCODING_RLE);
    }
    thrift_close(&head);
    thrift_close(&head);
}

/* Packs `raw` and adds it with its head to `out`. */
static enum err add_page(struct column_writer *column, struct buf *out, struct str raw,
                         bool is_dictionary, uint32_t n)
{
    struct column_room *room = column->room;
    int encoding = is_dictionary ? ENCODING_PLAIN
                   : column->has_dictionary ? ENCODING_RLE_DICTIONARY
                   : column->spec->type == PARQUET_INT64 || column->spec->type == PARQUET_TIME
                       ? ENCODING_DELTA_BINARY_PACKED
                       : ENCODING_PLAIN;
    size_t before = out->len, bound = ZSTD_compressBound(raw.len);

    buf_clear(&room->packed);
    char *to = buf_reserve(&room->packed, bound);
    if (to == NULL) {
        return fail_memory(room->op);
    }
    size_t packed = ZSTD_compress2(room->zstd, to, bound, raw.ptr, raw.len);
    if (ZSTD_isError(packed)) {
        return fail(room->op, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(packed));
    }
    put_page_head(out, is_dictionary, n, encoding, raw.len, packed);
    size_t head = out->len - before;
    buf_add(out, to, packed);
    column->raw_bytes += (int64_t)(head + raw.len);
    return out->is_broken ? fail_memory(room->op) : OK;
}

/* The levels go with their length before them, four bytes from the lowest on. */
static void put_levels(struct column_writer *column, struct buf *page)
{
    static const char room[4];
    size_t start = page->len;

    buf_add(page, room, sizeof room);
    pack_hybrid(page, (const uint32_t *)(const void *)column->levels.data, column->n_rows, 1);
    for (unsigned i = 0; i < sizeof room && !page->is_broken; i++) {
        size_t len = page->len - start - sizeof room;
        page->data[start + i] = (char)(unsigned char)(len >> 8 * i & 0xff);
    }
}

static void put_values(struct column_writer *column, struct buf *page)
{
    const void *values = column->values.data;

    if (column->has_dictionary) {
        unsigned width = pack_width(column->dictionary.n > 0 ? column->dictionary.n - 1 : 0);
        width = width > 0 ? width : 1;
        buf_add_char(page, (char)width);
        pack_hybrid(page, values, column->n_values, width);
    } else if (column->spec->type == PARQUET_INT64 || column->spec->type == PARQUET_TIME) {
        pack_delta(page, values, column->n_values);
    } else if (column->spec->type == PARQUET_BOOLEAN) {
        for (uint32_t i = 0; i < column->n_values; i += 8) {
            unsigned bits = 0;
            for (uint32_t k = 0; k < 8 && i + k < column->n_values; k++) {
                bits |= (unsigned)(column->values.data[i + k] != 0) << k;
            }
            buf_add_char(page, (char)(unsigned char)bits);
        }
    } else {
        buf_add_str(page, buf_str(&column->values));
    }
}

static enum err end_page(struct column_writer *column)
{
    struct buf *page = &column->room->page;

    if (column->n_rows == 0) {
        return OK;
    }
    buf_clear(page);
    if (column->spec->is_nullable) {
        put_levels(column, page);
    }
    put_values(column, page);
    if (page->is_broken || column->values.is_broken || column->levels.is_broken) {
        return fail_memory(column->room->op);
    }
    column->has_plain_page = column->has_plain_page || !column->has_dictionary;
    column->has_dictionary_page = column->has_dictionary_page || column->has_dictionary;
    enum err err = add_page(column, &column->chunk, buf_str(page), false, column->n_rows);
    buf_clear(&column->values);
    buf_clear(&column->levels);
    column->n_rows = column->n_values = 0;
    return err;
}

/* ---- values ---- */

/* Counts the row in; a page that is full now is packed. */
static enum err end_value(struct column_writer *column, uint32_t level)
{
    if (column->spec->is_nullable) {
        buf_add(&column->levels, &level, sizeof level);
    }
    column->is_put = true;
    column->n_values += level;
    column->n_rows++;
    column->n_all++;
    if (column->n_rows == PARQUET_PAGE_ROWS || column->values.len >= PARQUET_PAGE_BYTES) {
        return end_page(column);
    }
    return OK;
}

/* Stays with the dictionary, or leaves it for the rest of the group: then `value` itself. */
static enum err put_by_dictionary(struct column_writer *column, struct str value, bool *is_new)
{
    uint32_t place = DICTIONARY_FULL;

    *is_new = true;
    if (column->has_dictionary) {
        place = dictionary_place(&column->dictionary, value, is_new);
        if (place == DICTIONARY_FULL) {
            enum err err = end_page(column);
            if (err != OK) {
                return err;
            }
            column->has_dictionary = false;
            *is_new = true;
        }
    }
    if (place != DICTIONARY_FULL) {
        buf_add(&column->values, &place, sizeof place);
    } else {
        buf_add_str(&column->values, value);
    }
    return OK;
}

enum err column_put_number(struct column_writer *column, int64_t value)
{
    struct column_range *range = &column->range;
    size_t bytes = column->spec->type == PARQUET_INT32     ? 4
                   : column->spec->type == PARQUET_BOOLEAN ? 1
                                                           : 8;

    if (!range->is_known || value < range->least) {
        range->least = value;
    }
    if (!range->is_known || value > range->most) {
        range->most = value;
    }
    range->is_known = true;
    buf_add(&column->values, &value, bytes); /* the lower ones first, as the format has them */
    return end_value(column, 1);
}

static void widen_real(struct column_range *range, double value)
{
    if (isnan(value)) {
        range->has_nan = true;
        return;
    }
    if (!range->is_known || value < range->least_real) {
        range->least_real = value;
    }
    if (!range->is_known || value > range->most_real) {
        range->most_real = value;
    }
    range->is_known = true;
}

enum err column_put_double(struct column_writer *column, double value)
{
    struct str bytes = { (const char *)&value, sizeof value };
    bool is_new;
    enum err err = put_by_dictionary(column, bytes, &is_new);

    if (err != OK) {
        return err;
    }
    if (is_new) {
        widen_real(&column->range, value);
    }
    return end_value(column, 1);
}

static int compare(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static void widen_text(struct column_range *range, struct str value)
{
    range->is_long = range->is_long || value.len > MAX_RANGE_BYTES;
    if (range->is_long) {
        return;
    }
    if (!range->is_known || compare(value, buf_str(&range->least_text)) < 0) {
        buf_clear(&range->least_text);
        buf_add_str(&range->least_text, value);
    }
    if (!range->is_known || compare(value, buf_str(&range->most_text)) > 0) {
        buf_clear(&range->most_text);
        buf_add_str(&range->most_text, value);
    }
    range->is_known = true;
}

/* Most often a text is that of the row before. */
static bool is_last_text(const struct dictionary *known, struct str value)
{
    if (known->n == 0) {
        return false;
    }
    const char *last = known->bytes.data + known->starts[known->last] + sizeof(uint32_t);
    size_t len = known->starts[known->last + 1] - known->starts[known->last] - sizeof(uint32_t);
    return len == value.len && (len == 0 || memcmp(last, value.ptr, len) == 0);
}

enum err column_put_str(struct column_writer *column, struct str value)
{
    struct buf *text = &column->room->text;
    uint32_t len = (uint32_t)value.len;
    bool is_new;

    if (value.len > PARQUET_MAX_STRING_BYTES) {
        return fail(column->room->op, ERR_TOO_LARGE, "%s: a text of %zu bytes",
                    column->spec->name, value.len);
    }
    if (column->has_dictionary && is_last_text(&column->dictionary, value)) {
        buf_add(&column->values, &column->dictionary.last, sizeof column->dictionary.last);
        return end_value(column, 1);
    }
    buf_clear(text);
    buf_add(text, &len, sizeof len);
    buf_add_str(text, value);
    if (text->is_broken) {
        return fail_memory(column->room->op);
    }
    enum err err = put_by_dictionary(column, buf_str(text), &is_new);
    if (err != OK) {
        return err;
    }
    if (is_new) {
        widen_text(&column->range, value);
    }
    return end_value(column, 1);
}

enum err column_put_null(struct column_writer *column)
{
    if (!column->spec->is_nullable) {
        return column->spec->type == PARQUET_STRING   ? column_put_str(column, STR(""))
               : column->spec->type == PARQUET_DOUBLE ? column_put_double(column, 0)
                                                      : column_put_number(column, 0);
    }
    column->n_null++;
    return end_value(column, 0);
}

/* ---- the group ---- */

enum err column_end(struct column_writer *column)
{
    return end_page(column);
}

enum err column_dictionary(struct column_writer *column, struct buf *out)
{
    buf_clear(out);
    if (!column->has_dictionary_page) {
        return OK;
    }
    return add_page(column, out, buf_str(&column->dictionary.bytes), true, column->dictionary.n);
}

void column_clear(struct column_writer *column)
{
    column->has_dictionary = may_have_dictionary(column->spec);
    if (column->has_dictionary) {
        dictionary_clear(&column->dictionary);
    }
    buf_clear(&column->chunk);
    column->n_all = column->n_null = column->raw_bytes = 0;
    column->has_plain_page = column->has_dictionary_page = false;
    column->range.is_known = column->range.has_nan = column->range.is_long = false;
}
