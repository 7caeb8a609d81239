/* Entity tags. Called by handlers of what may be asked for, or changed, on condition. */
#include "http/tag.h"

#include "base/crypto.h"

bool http_names_tag(struct str header, const char *tag, bool is_weak)
{
    for (struct str rest = header; rest.ptr;) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (is_weak && str_starts_with(one, STR("W/"))) {
            one = (struct str){ one.ptr + 2, one.len - 2 };
        }
        if (str_equal(one, STR("*")) || str_equal(one, str_of(tag))) {
            return true;
        }
    }
    return false;
}

const char *http_tag_of(struct arena *arena, struct str bytes)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];

    crypto_sha256(bytes, hash);
    crypto_hex(hash, sizeof hash, hex);
    return arena_printf(arena, "\"%s\"", hex);
}
