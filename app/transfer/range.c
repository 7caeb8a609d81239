/* Ranges of what is fetched. Called by download.c. */
#include "transfer/range.h"

static bool take_number(struct str text, int64_t *out)
{
    long long value;

    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' || !str_to_int64(text, &value)) {
        return false;
    }
    *out = value;
    return true;
}

enum range_kind range_read(struct str header, int64_t size, int64_t *from, int64_t *len)
{
    struct str rest = header;
    struct str unit = str_trim(str_cut(&rest, '='));
    struct str last = str_trim(rest);
    int64_t first = 0, end = size - 1;

    *from = 0;
    *len = size;
    if (!rest.ptr || !str_equal_nocase(unit, STR("bytes")) || memchr(last.ptr, ',', last.len)) {
        return RANGE_WHOLE;
    }
    struct str begin = str_trim(str_cut(&last, '-'));
    last = str_trim(last);
    if (begin.len == 0) {
        int64_t suffix;
        if (!last.ptr || !take_number(last, &suffix)) {
            return RANGE_WHOLE;
        }
        first = suffix < size ? size - suffix : 0;
        end = suffix > 0 ? end : -1;
    } else if (!last.ptr || !take_number(begin, &first) ||
               (last.len > 0 && (!take_number(last, &end) || end < first))) {
        return RANGE_WHOLE;
    }
    end = end < size ? end : size - 1;
    if (first > end) {
        return RANGE_NONE;
    }
    *from = first;
    *len = end - first + 1;
    return RANGE_PART;
}
