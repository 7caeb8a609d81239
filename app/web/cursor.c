/* The form of cursors: kind, four bytes of SHA-256 over what follows it, eight bytes of
 * time, the key; in base64url. Called by web.c for requests and by list.c for answers. */
#include "web/cursor.h"

#include "base/crypto.h"
#include "base/limits.h"

#define CHECK_AT 1
#define CHECK_BYTES 4
#define TIME_AT (CHECK_AT + CHECK_BYTES)
#define KEY_AT (TIME_AT + 8)
#define CURSOR_MAX_BYTES (KEY_AT + MAX_NAME_BYTES)

/* The checksum covers the kind too, so that kinds cannot be swapped by hand. */
static void checksum(uint8_t kind, const uint8_t *bytes, size_t len, uint8_t out[CHECK_BYTES])
{
    uint8_t content[CURSOR_MAX_BYTES];
    content[0] = kind;
    memcpy(content + 1, bytes + TIME_AT, len - TIME_AT);
    uint8_t hash[CRYPTO_HASH_BYTES];
    crypto_sha256((struct str){ (const char *)content, len - TIME_AT + 1 }, hash);
    memcpy(out, hash, CHECK_BYTES);
}

const char *cursor_encode(struct arena *arena, enum cursor_kind kind, struct cursor position)
{
    uint8_t bytes[CURSOR_MAX_BYTES];
    if (position.key.len > MAX_NAME_BYTES) {
        return NULL;
    }
    bytes[0] = (uint8_t)kind;
    for (int i = 0; i < 8; i++) {
        bytes[TIME_AT + i] = (uint8_t)((uint64_t)position.time_us >> (56 - 8 * i));
    }
    if (position.key.len > 0) {
        memcpy(bytes + KEY_AT, position.key.ptr, position.key.len);
    }
    size_t len = KEY_AT + position.key.len;
    checksum(bytes[0], bytes, len, bytes + CHECK_AT);
    char *text = arena_alloc(arena, CRYPTO_BASE64URL_SIZE(len));
    if (text != NULL) {
        crypto_base64url(bytes, len, text);
    }
    return text;
}

bool cursor_decode(struct arena *arena, enum cursor_kind kind, struct str text, struct cursor *out)
{
    uint8_t bytes[CURSOR_MAX_BYTES];
    uint8_t expected[CHECK_BYTES];
    size_t len = 0;
    if (!crypto_base64url_decode(text, bytes, sizeof bytes, &len) || len < KEY_AT ||
        bytes[0] != (uint8_t)kind) {
        return false;
    }
    checksum(bytes[0], bytes, len, expected);
    if (memcmp(expected, bytes + CHECK_AT, CHECK_BYTES) != 0) {
        return false;
    }
    uint64_t time = 0;
    for (int i = 0; i < 8; i++) {
        time = time << 8 | bytes[TIME_AT + i];
    }
    struct str key = { (const char *)bytes + KEY_AT, len - KEY_AT };
    char *copy = arena_copy(arena, key);
    *out = (struct cursor){ .time_us = (int64_t)time, .key = { copy, key.len } };
    return copy != NULL;
}
