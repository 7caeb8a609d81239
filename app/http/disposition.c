/* The names of attachments. */
#include "http/disposition.h"

#include "base/buf.h"

#define MAX_DISPOSITION_BYTES 2048 /* 255 bytes, three characters each, and an ASCII version */

/* What RFC 8187 leaves as it is. */
static bool is_attribute_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

const char *http_disposition(struct arena *arena, const char *name)
{
    struct buf out;

    buf_init(&out, arena, MAX_DISPOSITION_BYTES);
    buf_add_text(&out, "attachment; filename=\"");
    for (const char *at = name; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool is_plain = c >= ' ' && c < 0x7f && !strchr("\"\\%", c);
        if (c < 0x80 || c >= 0xc0) { /* one for each character */
            buf_add_char(&out, is_plain ? (char)c : '_');
        }
    }
    buf_add_text(&out, "\"; filename*=UTF-8''");
    for (const char *at = name; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (is_attribute_char(c)) {
            buf_add_char(&out, (char)c);
        } else {
            buf_printf(&out, "%%%02X", c);
        }
    }
    buf_add_char(&out, '\0');
    return out.is_broken ? NULL : out.data;
}
