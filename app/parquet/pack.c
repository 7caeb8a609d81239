/* Integer encodings. Everything is packed from the lowest bit on; differences wrap around, as the
 * format has it, so that any 64-bit numbers may follow each other. */
#include "parquet/pack.h"

#include "parquet/format.h"

#define MIN_RUN 8         /* shorter ones are packed with their neighbours */
#define MAX_GROUPS 4096u  /* of eight, after one head */

unsigned pack_width(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

/* ---- bits ---- */

/* Bits on their way out, a byte at a time; and in. */
struct bits {
    struct buf *out;
    const unsigned char *at, *end;
    uint64_t held;   /* the lowest `n_held` bits count */
    unsigned n_held; /* below 8 between two values */
};

static void put_some(struct bits *bits, uint64_t value, unsigned width)
{
    bits->held |= value << bits->n_held;
    bits->n_held += width;
    while (bits->n_held >= 8) {
        buf_add_char(bits->out, (char)(unsigned char)(bits->held & 0xff));
        bits->held >>= 8;
        bits->n_held -= 8;
    }
}

static void put_bits(struct bits *bits, uint64_t value, unsigned width)
{
    if (width > 32) {
        put_some(bits, value & UINT32_MAX, 32);
        put_some(bits, value >> 32, width - 32);
    } else {
        put_some(bits, value, width);
    }
}

/* At most 32; zeros beyond the end, which the caller has looked at. */
static uint64_t take_some(struct bits *bits, unsigned width)
{
    while (bits->n_held < width) {
        uint64_t byte = bits->at < bits->end ? *bits->at++ : 0;
        bits->held |= byte << bits->n_held;
        bits->n_held += 8;
    }
    uint64_t value = bits->held & ((UINT64_C(1) << width) - 1);
    bits->held >>= width;
    bits->n_held -= width;
    return value;
}

static uint64_t take_bits(struct bits *bits, unsigned width)
{
    if (width <= 32) {
        return take_some(bits, width);
    }
    uint64_t low = take_some(bits, 32);
    return low | take_some(bits, width - 32) << 32;
}

static void put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_add_char(out, (char)(unsigned char)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    buf_add_char(out, (char)value);
}

static bool take_varint(struct str *bytes, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && bytes->len > 0; shift += 7) {
        unsigned char byte = (unsigned char)*bytes->ptr++;
        bytes->len--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (value >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

/* ---- runs and packed bits ---- */

static size_t run_length(const uint32_t *values, size_t n)
{
    size_t length = 1;

    while (length < n && values[length] == values[0]) {
        length++;
    }
    return length;
}

static void put_run(struct buf *out, uint32_t value, size_t length, unsigned width)
{
    put_varint(out, (uint64_t)length << 1);
    for (unsigned i = 0; i < width; i += 8) {
        buf_add_char(out, (char)(unsigned char)(value >> i & 0xff));
    }
}

/* Whole groups of eight; the last one is filled up with zeros. */
static void put_groups(struct buf *out, const uint32_t *values, size_t n, unsigned width)
{
    struct bits bits = { .out = out };
    size_t n_groups = (n + 7) / 8;

    put_varint(out, (uint64_t)n_groups << 1 | 1);
    for (size_t i = 0; i < n_groups * 8; i++) {
        put_bits(&bits, i < n ? values[i] : 0, width);
    }
}

void pack_hybrid(struct buf *out, const uint32_t *values, size_t n, unsigned width)
{
    size_t start = 0, at = 0; /* of what is to be packed, and how far that goes */

    while (at < n) {
        size_t length = run_length(values + at, n - at);
        if (length < MIN_RUN) {
            at += n - at < 8 ? n - at : 8;
        }
        if (at > start && (length >= MIN_RUN || at == n || at - start >= (size_t)8 * MAX_GROUPS)) {
            put_groups(out, values + start, at - start, width);
            start = at;
        }
        if (length >= MIN_RUN) {
            put_run(out, values[at], length, width);
            start = at += length;
        }
    }
}

static bool take_run(struct str *bytes, unsigned width, uint32_t *values, size_t n)
{
    uint32_t value = 0;

    if (bytes->len < (width + 7) / 8) {
        return false;
    }
    for (unsigned i = 0; i < width; i += 8) {
        value |= (uint32_t)(unsigned char)*bytes->ptr++ << i;
        bytes->len--;
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = value;
    }
    return true;
}

static bool take_groups(struct str *bytes, unsigned width, uint64_t n_groups, uint32_t *values,
                        size_t n)
{
    if (n_groups > bytes->len / width) {
        return false;
    }
    const unsigned char *at = (const unsigned char *)bytes->ptr;
    struct bits bits = { .at = at, .end = at + n_groups * width };
    for (size_t i = 0; i < n; i++) {
        values[i] = (uint32_t)take_some(&bits, width);
    }
    bytes->ptr += n_groups * width;
    bytes->len -= n_groups * width;
    return true;
}

bool unpack_hybrid(struct str bytes, unsigned width, uint32_t *values, size_t n)
{
    uint64_t head;

    if (width == 0 || width > 32) {
        return false;
    }
    for (size_t at = 0, step; at < n; at += step) {
        if (!take_varint(&bytes, &head) || head >> 1 == 0) {
            return false;
        }
        bool is_packed = head & 1;
        uint64_t count = head >> 1;
        if (is_packed && count > bytes.len) {
            return false;
        }
        uint64_t holds = is_packed ? count * 8 : count;
        step = holds < n - at ? (size_t)holds : n - at;
        if (is_packed ? !take_groups(&bytes, width, count, values + at, step)
                      : !take_run(&bytes, width, values + at, step)) {
            return false;
        }
    }
    return true;
}

/* ---- differences ---- */

/* The differences of one block, less the least of them. */
struct delta_block {
    uint64_t items[DELTA_BLOCK];
    size_t n;
};

static void put_miniblock(struct buf *out, const struct delta_block *block, size_t from,
                          unsigned width)
{
    struct bits bits = { .out = out };

    for (size_t i = from; i < from + DELTA_MINIBLOCK; i++) {
        put_bits(&bits, i < block->n ? block->items[i] : 0, width);
    }
}

static void put_block(struct buf *out, struct delta_block *block)
{
    unsigned widths[DELTA_MINIBLOCKS] = { 0 };
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < block->n; i++) {
        least = (int64_t)block->items[i] < least ? (int64_t)block->items[i] : least;
    }
    for (size_t i = 0; i < block->n; i++) {
        block->items[i] -= (uint64_t)least;
        unsigned width = pack_width(block->items[i]);
        unsigned *most = &widths[i / DELTA_MINIBLOCK];
        *most = width > *most ? width : *most;
    }
    put_varint(out, zigzag((uint64_t)least));
    for (size_t i = 0; i < DELTA_MINIBLOCKS; i++) {
        buf_add_char(out, (char)widths[i]);
    }
    for (size_t i = 0; i * DELTA_MINIBLOCK < block->n; i++) {
        put_miniblock(out, block, i * DELTA_MINIBLOCK, widths[i]);
    }
    block->n = 0;
}

void pack_delta(struct buf *out, const int64_t *values, size_t n)
{
    struct delta_block block = { .n = 0 };

    put_varint(out, DELTA_BLOCK);
    put_varint(out, DELTA_MINIBLOCKS);
    put_varint(out, n);
    put_varint(out, n > 0 ? zigzag((uint64_t)values[0]) : 0);
    for (size_t i = 1; i < n; i++) {
        block.items[block.n++] = (uint64_t)values[i] - (uint64_t)values[i - 1];
        if (block.n == DELTA_BLOCK) {
            put_block(out, &block);
        }
    }
    if (block.n > 0) {
        put_block(out, &block);
    }
}

/* Reads up to `n` values of a block whose first has `before` before it; false when cut off. */
static bool take_block(struct str *bytes, uint64_t before, int64_t *values, size_t n)
{
    uint64_t least;
    unsigned char widths[DELTA_MINIBLOCKS];

    if (!take_varint(bytes, &least) || bytes->len < sizeof widths) {
        return false;
    }
    least = unzigzag(least);
    memcpy(widths, bytes->ptr, sizeof widths);
    bytes->ptr += sizeof widths;
    bytes->len -= sizeof widths;
    for (size_t i = 0; i * DELTA_MINIBLOCK < n; i++) {
        size_t n_bytes = (size_t)widths[i] * DELTA_MINIBLOCK / 8;
        if (widths[i] > 64 || n_bytes > bytes->len) {
            return false;
        }
        const unsigned char *at = (const unsigned char *)bytes->ptr;
        struct bits bits = { .at = at, .end = at + n_bytes };
        for (size_t k = i * DELTA_MINIBLOCK; k < n && k < (i + 1) * DELTA_MINIBLOCK; k++) {
            before += least + take_bits(&bits, widths[i]);
            values[k] = (int64_t)before;
        }
        bytes->ptr += n_bytes;
        bytes->len -= n_bytes;
    }
    return true;
}

bool unpack_delta(struct str bytes, int64_t *values, size_t n)
{
    uint64_t block, miniblocks, count, first;
    bool is_headed = take_varint(&bytes, &block) && take_varint(&bytes, &miniblocks) &&
                     take_varint(&bytes, &count) && take_varint(&bytes, &first);

    if (!is_headed || block != DELTA_BLOCK || miniblocks != DELTA_MINIBLOCKS || count != n) {
        return false;
    }
    if (n > 0) {
        values[0] = (int64_t)unzigzag(first);
    }
    for (size_t at = 1; at < n; at += DELTA_BLOCK) {
        size_t step = n - at < DELTA_BLOCK ? n - at : DELTA_BLOCK;
        if (!take_block(&bytes, (uint64_t)values[at - 1], values + at, step)) {
            return false;
        }
    }
    return true;
}
