/* How each type is stored: the one table that writer and reader go by. */
#include "parquet/format.h"

/* Values are stored as they lie in memory, the lowest byte first. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format's byte order");

const struct parquet_storage parquet_storage[PARQUET_TYPES] = {
    [PARQUET_BOOLEAN] = { 0, CONVERTED_NONE, LOGICAL_NONE, -1 },
    [PARQUET_INT32] = { 1, CONVERTED_NONE, LOGICAL_NONE, 4 },
    [PARQUET_INT64] = { 2, CONVERTED_NONE, LOGICAL_NONE, 8 },
    [PARQUET_DOUBLE] = { 5, CONVERTED_NONE, LOGICAL_NONE, 8 },
    [PARQUET_STRING] = { 6, CONVERTED_UTF8, LOGICAL_STRING, 0 },
    [PARQUET_TIME] = { 2, CONVERTED_TIMESTAMP_MICROS, LOGICAL_TIMESTAMP, 8 },
};
