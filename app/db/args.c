/* Parameters of a statement: each with its type, numbers and arrays in the wire's binary
 * form, text as text so that a cast in the statement may read it as anything. Answers for
 * the encoding; whether the statement accepts the type is the statement's business. */
#include "db/pq.h"

#include "base/buf.h"

#define ARRAY_HEADER_BYTES 20
#define MAX_ARRAY_BYTES (64u << 20) /* of one parameter: a whole ingest batch fits several times */

void db_args_init(struct db_args *args, struct arena *arena)
{
    args->arena = arena;
    args->n = 0;
    args->is_broken = false;
}

/* The next parameter, all zero; NULL (and broken) when there is no room. */
static struct db_param *next_param(struct db_args *args, enum pg_oid type, int format)
{
    if (args->n == DB_MAX_PARAMS) {
        args->is_broken = true;
        return NULL;
    }
    struct db_param *param = &args->params[args->n++];
    *param = (struct db_param){ .type = type, .format = format };
    return param;
}

/* A number of `len` bytes in network order. `value` stays NULL: the statement finds the number
 * in `fixed` when it runs, so that a copied struct db_args stays right. */
static void add_fixed(struct db_args *args, enum pg_oid type, uint64_t bits, int len)
{
    struct db_param *param = next_param(args, type, 1);
    if (!param) {
        return;
    }
    for (int i = 0; i < len; i++) {
        param->fixed[i] = (char)(bits >> (8 * (len - 1 - i)));
    }
    param->len = len;
}

void db_arg_text(struct db_args *args, const char *value)
{
    struct db_param *param = next_param(args, PG_TEXT, 0);
    if (param) {
        param->value = value;
    }
}

/* Sent by length, so that a NUL inside is refused by the server and never cuts the text. */
void db_arg_str(struct db_args *args, struct str value)
{
    struct db_param *param = next_param(args, PG_TEXT, 1);
    if (!param || !value.ptr) {
        return;
    }
    param->value = value.len <= MAX_ARRAY_BYTES ? arena_copy(args->arena, value) : NULL;
    param->len = (int)value.len;
    args->is_broken = args->is_broken || !param->value;
}

void db_arg_bytes(struct db_args *args, const void *bytes, size_t len)
{
    struct db_param *param = next_param(args, PG_BYTEA, 1);
    if (!param) {
        return;
    }
    if (len > MAX_ARRAY_BYTES) {
        args->is_broken = true;
        return;
    }
    param->value = bytes;
    param->len = (int)len;
}

void db_arg_int(struct db_args *args, int32_t value)
{
    add_fixed(args, PG_INT4, (uint32_t)value, 4);
}

void db_arg_int64(struct db_args *args, int64_t value)
{
    add_fixed(args, PG_INT8, (uint64_t)value, 8);
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void db_arg_double(struct db_args *args, double value)
{
    add_fixed(args, PG_FLOAT8, double_bits(value), 8);
}

void db_arg_bool(struct db_args *args, bool value)
{
    add_fixed(args, PG_BOOL, value, 1);
}

void db_arg_time(struct db_args *args, int64_t time_us)
{
    add_fixed(args, PG_TIMESTAMPTZ, (uint64_t)db_time_to_wire(time_us), 8);
}

void db_arg_null(struct db_args *args)
{
    next_param(args, 0, 0);
}

/* ---- arrays: dimensions, has-NULL flag, element type, length, lower bound, elements ---- */

static void array_open(struct buf *out, struct db_args *args, enum pg_oid element, size_t n,
                       bool has_null)
{
    buf_init(out, args->arena, MAX_ARRAY_BYTES);
    if (n > INT32_MAX) {
        out->is_broken = true;
    }
    buf_add_be32(out, n > 0); /* an empty array has no dimensions */
    buf_add_be32(out, has_null);
    buf_add_be32(out, element);
    if (n > 0) {
        buf_add_be32(out, (uint32_t)n);
        buf_add_be32(out, 1);
    }
}

static void array_close(struct buf *out, struct db_args *args, enum pg_oid type)
{
    struct db_param *param = next_param(args, type, 1);
    if (!param || out->is_broken) {
        args->is_broken = true;
        return;
    }
    param->value = out->data;
    param->len = (int)out->len;
}

/* Elements of 8 bytes, the bulk of what ingest sends: written straight into the buffer. */
static void add_wide_array(struct db_args *args, enum pg_oid type, enum pg_oid element,
                           const void *values, size_t n,
                           uint64_t (*to_wire)(const void *values, size_t i))
{
    struct buf out;
    array_open(&out, args, element, n, false);
    char *at = out.is_broken || n > MAX_ARRAY_BYTES / 12 ? NULL : buf_reserve(&out, n * 12);
    if (n > 0 && !at) {
        out.is_broken = true;
    }
    for (size_t i = 0; at && i < n; i++, at += 12) {
        uint32_t len = __builtin_bswap32(8);
        uint64_t bits = to_wire(values, i);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        bits = __builtin_bswap64(bits);
#else
        len = 8;
#endif
        memcpy(at, &len, 4);
        memcpy(at + 4, &bits, 8);
        out.len += 12;
    }
    array_close(&out, args, type);
}

void db_arg_int_array(struct db_args *args, const int32_t *values, size_t n)
{
    struct buf out;
    array_open(&out, args, PG_INT4, n, false);
    for (size_t i = 0; i < n; i++) {
        buf_add_be32(&out, 4);
        buf_add_be32(&out, (uint32_t)values[i]);
    }
    array_close(&out, args, PG_INT4_ARRAY);
}

static uint64_t int64_wire(const void *values, size_t i)
{
    return (uint64_t)((const int64_t *)values)[i];
}

static uint64_t double_wire(const void *values, size_t i)
{
    return double_bits(((const double *)values)[i]);
}

static uint64_t time_wire(const void *values, size_t i)
{
    return (uint64_t)db_time_to_wire(((const int64_t *)values)[i]);
}

void db_arg_int64_array(struct db_args *args, const int64_t *values, size_t n)
{
    add_wide_array(args, PG_INT8_ARRAY, PG_INT8, values, n, int64_wire);
}

void db_arg_double_array(struct db_args *args, const double *values, size_t n)
{
    add_wide_array(args, PG_FLOAT8_ARRAY, PG_FLOAT8, values, n, double_wire);
}

void db_arg_time_array(struct db_args *args, const int64_t *times_us, size_t n)
{
    add_wide_array(args, PG_TIMESTAMPTZ_ARRAY, PG_TIMESTAMPTZ, times_us, n, time_wire);
}

/* Texts or bytes. */
static void add_str_array(struct db_args *args, enum pg_oid type, enum pg_oid element,
                          const struct str *values, size_t n)
{
    struct buf out;
    bool has_null = false;
    for (size_t i = 0; i < n; i++) {
        has_null = has_null || !values[i].ptr;
    }
    array_open(&out, args, element, n, has_null);
    for (size_t i = 0; i < n; i++) {
        if (!values[i].ptr) {
            buf_add_be32(&out, UINT32_MAX);
        } else if (values[i].len > MAX_ARRAY_BYTES) {
            out.is_broken = true;
        } else {
            buf_add_be32(&out, (uint32_t)values[i].len);
            buf_add_str(&out, values[i]);
        }
    }
    array_close(&out, args, type);
}

void db_arg_str_array(struct db_args *args, const struct str *values, size_t n)
{
    add_str_array(args, PG_TEXT_ARRAY, PG_TEXT, values, n);
}

void db_arg_bytes_array(struct db_args *args, const struct str *values, size_t n)
{
    add_str_array(args, PG_BYTEA_ARRAY, PG_BYTEA, values, n);
}
