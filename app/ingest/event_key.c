/* Identities of events: BLAKE2b of a tagged, length-prefixed form, so that no two kinds and
 * no two splits of the same bytes meet. The form is stored (core.event_key keeps keys for
 * days), so a change here makes repeats look new for that long. Called while parsing. */
#include "ingest/event_key.h"

#include "base/crypto.h"
#include "ingest/event_content.h"

#define KEY_BY_ID 'i'
#define KEY_BY_SEQ 's'
#define KEY_BY_CONTENT 'c'

bool event_key(const struct ingest_draft *draft, struct buf *scratch, uint8_t out[EVENT_KEY_BYTES])
{
    buf_clear(scratch);
    if (draft->has_id) {
        buf_add_char(scratch, KEY_BY_ID);
        buf_add(scratch, draft->id, sizeof draft->id);
    } else if (draft->has_seq) {
        buf_add_char(scratch, KEY_BY_SEQ);
        buf_add_be64(scratch, (uint64_t)draft->time_us);
        buf_add_be64(scratch, (uint64_t)draft->seq);
    } else {
        buf_add_char(scratch, KEY_BY_CONTENT);
        buf_add_be64(scratch, (uint64_t)draft->time_us);
        event_content_add(scratch, draft);
    }
    if (scratch->is_broken) {
        return false;
    }
    crypto_blake2b(buf_str(scratch), STR(""), out, EVENT_KEY_BYTES);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool event_parse_uuid(struct str text, uint8_t out[16])
{
    size_t n = 0;

    if (text.len != EVENT_UUID_SIZE - 1) {
        return false;
    }
    for (size_t at = 0; at < text.len; at++) {
        if (is_dash_place(at)) {
            if (text.ptr[at] != '-') {
                return false;
            }
            continue;
        }
        int digit = hex_digit(text.ptr[at]);
        if (digit < 0) {
            return false;
        }
        out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | digit : digit << 4);
        n++;
    }
    return true;
}

void event_format_uuid(const uint8_t uuid[16], char out[EVENT_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = out;

    for (size_t i = 0; i < 16; i++) {
        if (is_dash_place((size_t)(at - out))) {
            *at++ = '-';
        }
        *at++ = digits[uuid[i] >> 4];
        *at++ = digits[uuid[i] & 15];
    }
    *at = '\0';
}
