/* Makes addresses. Called by the models of the pages. */
#include "view/link.h"

#include "view/html.h"

#define MAX_LINK_BYTES (16u << 10)   /* a hundred times what a page needs */

const char *link_to(struct arena *arena, const char *path, const struct link_param *params, int n)
{
    struct buf out;
    bool is_first = true;
    buf_init(&out, arena, MAX_LINK_BYTES);
    buf_add_text(&out, path);
    for (int i = 0; i < n; i++) {
        if (params[i].value == NULL || params[i].value[0] == '\0') {
            continue;
        }
        buf_add_char(&out, is_first ? '?' : '&');
        buf_add_text(&out, params[i].name);
        buf_add_char(&out, '=');
        html_url_part(&out, params[i].value);
        is_first = false;
    }
    return out.is_broken ? NULL : arena_copy(arena, buf_str(&out));
}

const char *link_path(struct arena *arena, const char *prefix, const char *part)
{
    struct buf out;
    buf_init(&out, arena, MAX_LINK_BYTES);
    buf_add_text(&out, prefix);
    html_url_part(&out, part);
    return out.is_broken ? NULL : arena_copy(arena, buf_str(&out));
}
