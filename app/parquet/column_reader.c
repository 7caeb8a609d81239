/* Pages of one column, unpacked into values. Each number that a page says is held against what the
 * writer would have written before it is gone by. */
#include "parquet/column_reader.h"

#include "parquet/pack.h"
#include "parquet/thrift.h"
#include "parquet/writer.h"

#define MAX_ENTRIES (1u << 20) /* of a dictionary */
#define ROOM(type) (PARQUET_PAGE_ROWS * sizeof(type) + 1) /* for those of a page, or for none */

/* A page's head. */
struct page_head {
    int64_t type, raw_bytes, packed_bytes;
    int64_t n, encoding;
    int64_t level_encoding;
};

void column_reader_init(struct column_reader *column, struct op *op,
                        const struct parquet_column *spec, ZSTD_DCtx *zstd)
{
    *column = (struct column_reader){ .op = op, .spec = spec, .zstd = zstd };
    buf_init(&column->page, op->arena, MAX_PAGE_BYTES);
    buf_init(&column->dictionary, op->arena, MAX_PAGE_BYTES);
    buf_init(&column->entries, op->arena, MAX_ENTRIES * sizeof(struct parquet_value));
    buf_init(&column->levels, op->arena, ROOM(uint32_t));
    buf_init(&column->places, op->arena, ROOM(int64_t));
    buf_init(&column->values, op->arena, ROOM(struct parquet_value));
}

void column_reader_begin(struct column_reader *column, struct str chunk, int64_t n_rows)
{
    column->rest = chunk;
    column->n_left = n_rows;
    column->n_rows = column->at_row = column->at_value = 0;
    buf_clear(&column->entries);
}

bool column_reader_is_done(const struct column_reader *column)
{
    return column->n_left == 0 && column->rest.len == 0;
}

static enum err damaged(struct column_reader *column, const char *what)
{
    return fail(column->op, ERR_INVALID, "not a Parquet file of ours, or damaged: column %s: %s",
                column->spec->name, what);
}

/* ---- heads ---- */

static void read_inner_head(struct thrift_reader *reader, bool is_data, struct page_head *head)
{
    int16_t field;

    thrift_enter(reader);
    while ((field = thrift_next(reader)) != 0) {
        switch (field) {
        case 1: head->n = thrift_int(reader); break;
        case 2: head->encoding = thrift_int(reader); break;
        case 3:
            if (is_data) {
                head->level_encoding = thrift_int(reader);
                break;
            }
            thrift_skip(reader);
            break;
        default: thrift_skip(reader);
        }
    }
}

/* Reads the head and passes it; false where it is none. */
static bool take_head(struct str *rest, struct page_head *head)
{
    struct thrift_reader reader = thrift_reader(*rest);
    int16_t field;

    *head = (struct page_head){ .type = -1, .n = -1, .encoding = -1, .level_encoding = -1 };
    while ((field = thrift_next(&reader)) != 0) {
        switch (field) {
        case 1: head->type = thrift_int(&reader); break;
        case 2: head->raw_bytes = thrift_int(&reader); break;
        case 3: head->packed_bytes = thrift_int(&reader); break;
        case 5: read_inner_head(&reader, true, head); break;
        case 7: read_inner_head(&reader, false, head); break;
        default: thrift_skip(&reader);
        }
    }
    rest->len -= (size_t)(reader.at - rest->ptr);
    rest->ptr = reader.at;
    return !reader.is_broken && head->n >= 0 && head->raw_bytes >= 0 &&
           head->raw_bytes <= (int64_t)MAX_PAGE_BYTES && head->packed_bytes >= 0 &&
           head->packed_bytes <= (int64_t)rest->len;
}

/* The page that the head is of, unpacked into `out`. */
static enum err unpack(struct column_reader *column, const struct page_head *head, struct buf *out)
{
    size_t raw = (size_t)head->raw_bytes, packed = (size_t)head->packed_bytes;

    buf_clear(out);
    char *to = buf_reserve(out, raw + 1); /* of nothing, too, there is a place */
    if (to == NULL) {
        return fail_memory(column->op);
    }
    size_t n = ZSTD_decompressDCtx(column->zstd, to, raw, column->rest.ptr, packed);
    if (ZSTD_isError(n) || n != raw) {
        return damaged(column, "a page cannot be unpacked");
    }
    out->len = raw;
    column->rest.ptr += packed;
    column->rest.len -= packed;
    return OK;
}

/* ---- values ---- */

static uint32_t read_length(const char *at)
{
    uint32_t len;

    memcpy(&len, at, sizeof len);
    return len;
}

/* `n` PLAIN values, added to `out`; false where the bytes are not just that. */
static bool read_plain(const struct column_reader *column, struct str bytes, uint32_t n,
                       struct buf *out)
{
    enum parquet_type type = column->spec->type;
    size_t width = type == PARQUET_INT32 ? 4 : 8;

    for (uint32_t i = 0; i < n; i++) {
        struct parquet_value value = { .is_null = false };
        size_t len = type == PARQUET_STRING ? sizeof(uint32_t) : width;
        if (bytes.len < len) {
            return false;
        }
        if (type == PARQUET_STRING) {
            len = read_length(bytes.ptr);
            bytes = (struct str){ bytes.ptr + sizeof(uint32_t), bytes.len - sizeof(uint32_t) };
            if (bytes.len < len) {
                return false;
            }
            value.text = (struct str){ bytes.ptr, len };
        } else if (type == PARQUET_INT32) {
            value.number = (int32_t)read_length(bytes.ptr);
        } else {
            memcpy(&value.real, bytes.ptr, sizeof value.real);
        }
        buf_add(out, &value, sizeof value);
        bytes = (struct str){ bytes.ptr + len, bytes.len - len };
    }
    return bytes.len == 0 && !out->is_broken;
}

static bool read_bits(struct str bytes, uint32_t n, struct buf *out)
{
    for (uint32_t i = 0; i < n && i / 8 < bytes.len; i++) {
        struct parquet_value value = { .number = (unsigned char)bytes.ptr[i / 8] >> i % 8 & 1 };
        buf_add(out, &value, sizeof value);
    }
    return bytes.len == (n + 7) / 8 && !out->is_broken;
}

static bool read_delta(struct column_reader *column, struct str bytes, uint32_t n, struct buf *out)
{
    int64_t *numbers = (int64_t *)(void *)buf_reserve(&column->places, n * sizeof *numbers + 1);

    if (numbers == NULL || !unpack_delta(bytes, numbers, n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct parquet_value value = { .number = numbers[i] };
        buf_add(out, &value, sizeof value);
    }
    return !out->is_broken;
}

static bool read_by_dictionary(struct column_reader *column, struct str bytes, uint32_t n,
                               struct buf *out)
{
    const struct parquet_value *entries = (const void *)column->entries.data;
    size_t n_entries = column->entries.len / sizeof *entries;
    uint32_t *places = (uint32_t *)(void *)buf_reserve(&column->places, n * sizeof *places + 1);

    if (bytes.len == 0 || places == NULL) {
        return false;
    }
    struct str packed = { bytes.ptr + 1, bytes.len - 1 };
    if (!unpack_hybrid(packed, (unsigned char)bytes.ptr[0], places, n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (places[i] >= n_entries) {
            return false;
        }
        buf_add(out, &entries[places[i]], sizeof *entries);
    }
    return !out->is_broken;
}

static bool read_values(struct column_reader *column, struct str bytes, int64_t encoding,
                        uint32_t n)
{
    enum parquet_type type = column->spec->type;
    bool is_delta = type == PARQUET_INT64 || type == PARQUET_TIME;

    buf_clear(&column->values);
    buf_clear(&column->places);
    if (is_delta) {
        return encoding == ENCODING_DELTA_BINARY_PACKED &&
               read_delta(column, bytes, n, &column->values);
    }
    if (encoding == ENCODING_RLE_DICTIONARY) {
        return read_by_dictionary(column, bytes, n, &column->values);
    }
    return encoding == ENCODING_PLAIN &&
           (type == PARQUET_BOOLEAN ? read_bits(bytes, n, &column->values)
                                    : read_plain(column, bytes, n, &column->values));
}

/* ---- pages ---- */

static enum err read_dictionary(struct column_reader *column, const struct page_head *head)
{
    bool may_be = column->spec->type == PARQUET_STRING || column->spec->type == PARQUET_DOUBLE;

    if (!may_be || column->entries.len > 0 || head->encoding != ENCODING_PLAIN ||
        head->n > MAX_ENTRIES) {
        return damaged(column, "a dictionary that we do not write");
    }
    enum err err = unpack(column, head, &column->dictionary);
    if (err != OK) {
        return err;
    }
    if (!read_plain(column, buf_str(&column->dictionary), (uint32_t)head->n, &column->entries)) {
        return damaged(column, "the dictionary");
    }
    return OK;
}

/* Reads the levels off the page: how many values there are; -1 where they are none. */
static int64_t take_levels(struct column_reader *column, struct str *page, uint32_t n)
{
    int64_t n_values = 0;
    uint32_t *levels = (uint32_t *)(void *)buf_reserve(&column->levels, n * sizeof *levels + 1);

    if (levels == NULL || page->len < sizeof(uint32_t)) {
        return -1;
    }
    size_t len = read_length(page->ptr);
    *page = (struct str){ page->ptr + sizeof(uint32_t), page->len - sizeof(uint32_t) };
    if (len > page->len || !unpack_hybrid((struct str){ page->ptr, len }, 1, levels, n)) {
        return -1;
    }
    *page = (struct str){ page->ptr + len, page->len - len };
    for (uint32_t i = 0; i < n; i++) {
        n_values += levels[i];
    }
    return n_values;
}

static enum err read_data(struct column_reader *column, const struct page_head *head)
{
    if (head->n < 1 || head->n > column->n_left || head->n > PARQUET_PAGE_ROWS ||
        head->level_encoding != ENCODING_RLE) {
        return damaged(column, "a page that we do not write");
    }
    enum err err = unpack(column, head, &column->page);
    if (err != OK) {
        return err;
    }
    struct str page = buf_str(&column->page);
    int64_t n_values = head->n;
    buf_clear(&column->levels);
    if (column->spec->is_nullable) {
        n_values = take_levels(column, &page, (uint32_t)head->n);
    }
    if (n_values < 0 || !read_values(column, page, head->encoding, (uint32_t)n_values)) {
        return damaged(column, "a page");
    }
    column->n_rows = (uint32_t)head->n;
    column->at_row = column->at_value = 0;
    return OK;
}

/* Goes by a page of rows without unpacking it, where it has no more than so many. */
static bool pass_page(struct column_reader *column, const struct page_head *head, int64_t *to_pass)
{
    if (head->type != PAGE_DATA || head->n < 1 || head->n > *to_pass ||
        head->n > column->n_left) {
        return false;
    }
    column->rest.ptr += (size_t)head->packed_bytes;
    column->rest.len -= (size_t)head->packed_bytes;
    column->n_left -= head->n;
    *to_pass -= head->n;
    return true;
}

/* The next page of rows, with the dictionary before it; or goes by it, which leaves none. */
static enum err read_page(struct column_reader *column, int64_t *to_pass)
{
    struct page_head head;
    enum err err;

    do {
        if (!take_head(&column->rest, &head)) {
            return damaged(column, "the head of a page");
        }
        if (head.type != PAGE_DICTIONARY && head.type != PAGE_DATA) {
            return damaged(column, "a page of a kind that we do not write");
        }
        if (pass_page(column, &head, to_pass)) {
            return OK;
        }
        err = head.type == PAGE_DICTIONARY ? read_dictionary(column, &head)
                                           : read_data(column, &head);
    } while (err == OK && head.type == PAGE_DICTIONARY);
    return err;
}

enum err column_reader_skip(struct column_reader *column, int64_t n)
{
    enum err err = OK;

    while (n > 0 && err == OK) {
        uint32_t here = column->n_rows - column->at_row;
        if (here == 0) {
            err = read_page(column, &n);
            continue;
        }
        here = n < here ? (uint32_t)n : here;
        const uint32_t *levels = (const void *)column->levels.data;
        for (uint32_t i = 0; i < here && column->spec->is_nullable; i++) {
            column->at_value += levels[column->at_row + i];
        }
        column->at_value += column->spec->is_nullable ? 0 : here;
        column->at_row += here;
        column->n_left -= here;
        n -= here;
    }
    return err;
}

enum err column_reader_next(struct column_reader *column, struct parquet_value *out)
{
    if (column->at_row == column->n_rows) {
        int64_t none = 0;
        enum err err = read_page(column, &none);
        if (err != OK) {
            return err;
        }
    }
    const uint32_t *levels = (const void *)column->levels.data;
    const struct parquet_value *values = (const void *)column->values.data;
    if (column->spec->is_nullable && levels[column->at_row] == 0) {
        *out = (struct parquet_value){ .is_null = true };
    } else {
        *out = values[column->at_value++];
    }
    column->at_row++;
    column->n_left--;
    return OK;
}
