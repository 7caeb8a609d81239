/* FastCGI's records, whatever they are, fed at once and in pieces: the state, the variables and the
 * body are the same, and no more is kept than a body may have. */
#include "http/fcgi_wire.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_BODY 4096
#define ARENA_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Feeds the bytes, `step` of them at a time; how many were taken. */
static size_t feed(struct fcgi_wire *wire, const uint8_t *data, size_t size, size_t step)
{
    size_t used = 0;

    while (used < size && wire->state != FCGI_WIRE_WHOLE && wire->state != FCGI_WIRE_BROKEN) {
        size_t n = size - used < step ? size - used : step;
        size_t taken = fcgi_wire_feed(wire, data + used, n);
        require(taken <= n, "no more is taken than there is");
        require(taken == n || wire->state == FCGI_WIRE_WHOLE || wire->state == FCGI_WIRE_BROKEN,
                "nor less, where the request is not whole");
        used += taken;
    }
    return used;
}

static void compare(struct fcgi_wire *a, struct fcgi_wire *b)
{
    static const char *const names[] = { "REQUEST_METHOD", "REQUEST_URI", "CONTENT_LENGTH", "HTTP_X" };

    require(a->state == b->state, "pieces are as good as the whole");
    if (a->state != FCGI_WIRE_WHOLE) {
        return;
    }
    require(a->id == b->id && a->is_kept == b->is_kept, "they are of the same request");
    require(a->n_variables == b->n_variables && a->content_length == b->content_length, "with as many variables");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *x = a->transport.variable(&a->transport, names[i]);
        const char *y = b->transport.variable(&b->transport, names[i]);
        require(x && y ? strcmp(x, y) == 0 : x == y, "of the same values");
    }
    struct str body = a->transport.whole(&a->transport), other = b->transport.whole(&b->transport);
    require(str_equal(body, other) && body.len <= MAX_BODY, "and the same body, no longer than it may be");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(ARENA_BYTES), *other = arena_new(ARENA_BYTES);
    struct fcgi_wire whole, pieces;
    size_t step = size ? 1 + data[size - 1] % 61 : 1;

    fcgi_wire_begin(&whole, arena, MAX_BODY);
    fcgi_wire_begin(&pieces, other, MAX_BODY);
    size_t used = feed(&whole, data, size, size ? size : 1);
    require(feed(&pieces, data, size, step) == used || whole.state == FCGI_WIRE_BROKEN, "as many bytes are taken");
    compare(&whole, &pieces);
    arena_free(arena);
    arena_free(other);
    return 0;
}
