/* Every content coding on whatever bytes: it gives at most the cap, or says why not, and takes no
 * more memory than the cap for it. */
#include "http/coding.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CAP (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const codings[] = { "gzip", "deflate", "snappy", "zstd" };

    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        struct arena *arena = arena_new(4u << 20);
        struct op op;
        struct str out;
        op_init(&op, arena, "fuzz");
        enum err err = http_coding_find(str_of(codings[i]))
                           ->decode(&op, (struct str){ (const char *)data, size }, CAP, &out);
        require(err == OK || err == ERR_MALFORMED || err == ERR_TOO_LARGE, "it is the sender's fault");
        require((err == OK) == (op.fault.code == OK), "which is recorded");
        require(out.len <= CAP, "nothing is longer than the cap");
        require(arena_used(arena) < (1u << 20), "nor takes much more");
        arena_free(arena);
    }
    return 0;
}
