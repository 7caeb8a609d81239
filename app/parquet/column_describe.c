/* What the footer says of a column in a row group: where it is, how it is packed, and between what
 * its values lie. */
#include "parquet/column_writer.h"

static struct str plain_number(const struct column_writer *column, const int64_t *value)
{
    size_t bytes = column->spec->type == PARQUET_INT32     ? 4
                   : column->spec->type == PARQUET_BOOLEAN ? 1
                                                           : 8;

    return (struct str){ (const char *)value, bytes };
}

/* Zeros of both signs are equal, but not to the byte: the range holds both. */
static void put_real_range(const struct column_range *range, struct thrift_writer *out)
{
    double least = range->least_real == 0 ? -0.0 : range->least_real;
    double most = range->most_real == 0 ? 0.0 : range->most_real;

    thrift_put_bytes(out, 5, (struct str){ (const char *)&most, sizeof most });
    thrift_put_bytes(out, 6, (struct str){ (const char *)&least, sizeof least });
}

static void put_statistics(const struct column_writer *column, struct thrift_writer *out)
{
    const struct column_range *range = &column->range;

    thrift_open(out, 12);
    thrift_put_int(out, 3, THRIFT_I64, column->n_null);
    if (range->is_known && !range->has_nan && !range->is_long) {
        switch (column->spec->type) {
        case PARQUET_DOUBLE: put_real_range(range, out); break;
        case PARQUET_STRING:
            thrift_put_bytes(out, 5, buf_str(&range->most_text));
            thrift_put_bytes(out, 6, buf_str(&range->least_text));
            break;
        default:
            thrift_put_bytes(out, 5, plain_number(column, &range->most));
            thrift_put_bytes(out, 6, plain_number(column, &range->least));
        }
    }
    thrift_close(out);
}

static void put_encodings(const struct column_writer *column, struct thrift_writer *out)
{
    enum parquet_type type = column->spec->type;
    bool is_delta = type == PARQUET_INT64 || type == PARQUET_TIME;
    bool is_by_dictionary = column->has_dictionary_page;
    bool has_plain = is_by_dictionary || (column->has_plain_page && !is_delta);

    thrift_put_list(out, 2, THRIFT_I32, (size_t)(1 + has_plain + is_delta + is_by_dictionary));
    thrift_item_int(out, ENCODING_RLE);
    if (has_plain) {
        thrift_item_int(out, ENCODING_PLAIN);
    }
    if (is_delta) {
        thrift_item_int(out, ENCODING_DELTA_BINARY_PACKED);
    }
    if (is_by_dictionary) {
        thrift_item_int(out, ENCODING_RLE_DICTIONARY);
    }
}

void column_describe(const struct column_writer *column, struct thrift_writer *out,
                     int64_t offset, size_t dictionary_bytes)
{
    size_t bytes = dictionary_bytes + column->chunk.len;

    thrift_open(out, 0);
    thrift_put_int(out, 2, THRIFT_I64, 0); /* the format's successors want no more than that */
    thrift_open(out, 3);
    thrift_put_int(out, 1, THRIFT_I32, parquet_storage[column->spec->type].physical);
    put_encodings(column, out);
    thrift_put_list(out, 3, THRIFT_BINARY, 1);
    thrift_item_bytes(out, str_of(column->spec->name));
    thrift_put_int(out, 4, THRIFT_I32, CODEC_ZSTD);
    thrift_put_int(out, 5, THRIFT_I64, column->n_all);
    thrift_put_int(out, 6, THRIFT_I64, column->raw_bytes);
    thrift_put_int(out, 7, THRIFT_I64, (int64_t)bytes);
    thrift_put_int(out, 9, THRIFT_I64, offset + (int64_t)dictionary_bytes);
    if (dictionary_bytes > 0) {
        thrift_put_int(out, 11, THRIFT_I64, offset);
    }
    put_statistics(column, out);
    thrift_close(out);
    thrift_close(out);
}
