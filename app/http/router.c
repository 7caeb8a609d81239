/* Path patterns: literal segments and {names}, which capture one whole segment. Called by
 * serve/dispatch for each row of the table of routes. */
#include "http/router.h"

static bool is_capture(struct str piece)
{
    return piece.len > 2 && piece.ptr[0] == '{' && piece.ptr[piece.len - 1] == '}';
}

bool http_path_matches(struct http_request *request, const char *pattern)
{
    const int max_captures = (int)(sizeof request->captures / sizeof request->captures[0]);
    struct str rest = str_of(pattern + 1); /* patterns begin with a slash */
    int at = 0;

    request->n_captures = 0;
    if (rest.len == 0) {
        return request->n_segments == 0;
    }
    for (; rest.ptr; at++) {
        struct str piece = str_cut(&rest, '/');
        if (at == request->n_segments) {
            return false;
        }
        struct str segment = request->segments[at];
        if (is_capture(piece)) {
            if (segment.len == 0 || request->n_captures == max_captures) {
                return false;
            }
            request->captures[request->n_captures++] =
                (struct http_param){ { piece.ptr + 1, piece.len - 2 }, segment };
        } else if (!str_equal(piece, segment)) {
            return false;
        }
    }
    return at == request->n_segments;
}
