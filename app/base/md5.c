/* MD5 of bytes in memory, by RFC 1321. */
#include "base/md5.h"

#include <math.h>

#define BLOCK_BYTES 64
#define LENGTH_BYTES 8

/* The constants are the RFC's own: the whole part of 4294967296 |sin(i + 1)|. */
static uint32_t constant(int i)
{
    return (uint32_t)(uint64_t)(fabs(sin(i + 1)) * 4294967296.0);
}

static uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* One of 64 steps: what it mixes of b, c, d, and which word it takes. */
static uint32_t mix(int i, const uint32_t s[4], int *word)
{
    uint32_t b = s[1], c = s[2], d = s[3];

    switch (i / 16) {
    case 0: *word = i; return (b & c) | (~b & d);
    case 1: *word = (5 * i + 1) % 16; return (b & d) | (c & ~d);
    case 2: *word = (3 * i + 5) % 16; return b ^ c ^ d;
    default: *word = 7 * i % 16; return c ^ (b | ~d);
    }
}

static void add_block(uint32_t state[4], const uint8_t *block, const uint32_t constants[64])
{
    static const int turns[4][4] = {
        { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 },
    };
    uint32_t words[16], s[4] = { state[0], state[1], state[2], state[3] };

    for (int i = 0; i < 16; i++) {
        const uint8_t *at = block + 4 * i;
        words[i] = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                   (uint32_t)at[3] << 24;
    }
    for (int i = 0; i < 64; i++) {
        int word = 0;
        uint32_t mixed = mix(i, s, &word) + constants[i] + words[word];
        uint32_t next = s[1] + turn(s[0] + mixed, turns[i / 16][i % 4]);
        s[0] = s[3];
        s[3] = s[2];
        s[2] = s[1];
        s[1] = next;
    }
    for (int i = 0; i < 4; i++) {
        state[i] += s[i];
    }
}

void md5(struct str bytes, uint8_t out[MD5_BYTES])
{
    uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }, constants[64];
    uint8_t tail[2 * BLOCK_BYTES] = { 0 };
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    size_t whole = bytes.len / BLOCK_BYTES * BLOCK_BYTES, rest = bytes.len - whole;
    size_t tail_len = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;

    for (int i = 0; i < 64; i++) {
        constants[i] = constant(i);
    }
    for (size_t i = 0; i < whole; i += BLOCK_BYTES) {
        add_block(state, at + i, constants);
    }
    if (rest) {
        memcpy(tail, at + whole, rest);
    }
    tail[rest] = 0x80;
    for (size_t i = 0; i < LENGTH_BYTES; i++) {
        tail[tail_len - LENGTH_BYTES + i] = (uint8_t)((uint64_t)bytes.len * 8 >> (8 * i));
    }
    for (size_t i = 0; i < tail_len; i += BLOCK_BYTES) {
        add_block(state, tail + i, constants);
    }
    for (int i = 0; i < MD5_BYTES; i++) {
        out[i] = (uint8_t)(state[i / 4] >> (8 * (i % 4)));
    }
}
