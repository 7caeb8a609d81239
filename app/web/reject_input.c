/* Filters of rejected items, and how their texts are shown. Called by the handlers of
 * /v1/rejects and /admin/rejects. */
#include "web/reject_input.h"

enum err reject_input(struct web *web, struct reject_filter *out)
{
    static const char *const states[] = { "kept", "pending", "replayed", "open" };

    *out = (struct reject_filter){
        .device = web_query_text(web, "device"), .reason = web_query_text(web, "reason"),
        .convention = web_query_text(web, "convention"), .state = web_query_text(web, "state"),
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!out->state.ptr || str_equal(out->state, str_of(states[i]))) {
            return web_query_span(web, &out->from_us, &out->to_us);
        }
    }
    return fail(web->op, ERR_INVALID, "state: must be kept, pending, replayed or open");
}

struct str reject_shown_text(const struct reject_row *row)
{
    struct str text = row->text;

    /* an excerpt may end within a character, of four bytes at most */
    for (int i = 0; i < 4 && (size_t)row->size > row->text.len; i++) {
        if (str_is_utf8(text) || text.len == 0) {
            break;
        }
        text.len--;
    }
    return str_is_utf8(text) ? text : (struct str){ 0 };
}
