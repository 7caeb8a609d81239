/* Memory of one request or one worker pass: allocated piecemeal, released at once. The
 * newest small block and every large one can grow in place. Cleanup hooks release what
 * is not memory (query results, transfer handles) in reverse order of registration. Not
 * shared between threads. */
#ifndef TIDEMARK_BASE_ARENA_H
#define TIDEMARK_BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;

typedef void (*arena_cleanup)(void *object);

/* Makes an arena that hands out at most `cap` bytes between two resets.
 * NULL when the system has no memory. Release with arena_free. */
struct arena *arena_new(size_t cap);

/* Lets the process keep up to `bytes` of what is released, instead of giving it back to the system
 * and asking for it again at the next request. Once, at the start of a process. */
void arena_keep_released(size_t bytes);

/* Lets the process give back at once what is released in blocks of `bytes` and more, so that the
 * threads of a process do not each keep what their largest request took. Once, at its start. */
void arena_return_large(size_t bytes);

/* Lets all threads of the process take their memory from `n` heaps, so that what one released
 * serves the next instead of lying in a heap of its own. Once, before there are threads. */
void arena_share_heaps(int n);

#define ARENA_NEVER SIZE_MAX /* of a grant: not now nor later, as beyond the cap */

/* Told how many bytes an arena is to hand out in all: how many it may; fewer is a refusal. */
typedef size_t (*arena_grant)(void *context, size_t wanted);

/* Until the next reset hands out `granted` bytes in all (or what it has), and what `grant` allows
 * beyond them, below the cap; the rest is not to be had. With a NULL, up to the cap again. */
void arena_meter(struct arena *arena, size_t granted, arena_grant grant, void *context);

/* True where something was refused since the last reset: what went wrong then may be due to it. */
bool arena_was_refused(const struct arena *arena);

/* Runs the hooks, releases everything but the first block; the arena is as new. */
void arena_reset(struct arena *arena);

/* arena_reset, then the arena itself. NULL is allowed. */
void arena_free(struct arena *arena);

/* `size` zeroed bytes, aligned for any type, valid until reset. NULL beyond the cap. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((__malloc__, warn_unused_result));

/* `count` zeroed elements of `size` bytes; NULL beyond the cap or on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size)
    __attribute__((__malloc__, warn_unused_result));

/* Moves a block of `old_size` bytes (from this arena, or NULL) to one of `new_size`;
 * the added bytes are not zeroed. NULL beyond the cap, and the old block stays.
 * `old_size` must be the size last asked for. */
void *arena_resize(struct arena *arena, void *block, size_t old_size, size_t new_size)
    __attribute__((warn_unused_result));

/* Releases a block of `size` bytes before the reset, where it is a large one. */
void arena_release(struct arena *arena, void *block, size_t size);

/* A NUL-terminated copy of the view, or of printf's output; NULL beyond the cap. */
char *arena_copy(struct arena *arena, struct str text) __attribute__((warn_unused_result));
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));

/* Calls cleanup(object) at reset. False (and cleanup was called at once) beyond the cap. */
bool arena_on_reset(struct arena *arena, arena_cleanup cleanup, void *object)
    __attribute__((warn_unused_result));

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
