/* The memory of one request or worker pass. Answers for handing out bytes below a cap
 * and for releasing them, and whatever hooks were registered, at once; not for sharing
 * between threads. The only file of the project that asks the system for memory.
 *
 * Small allocations are cut from chained blocks; a large one is a block of its own, which
 * realloc can grow by moving pages instead of bytes. The first block outlives a reset, so
 * that an ordinary request asks the system for nothing. */
#include "base/arena.h"

#include "base/limits.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_UNDER_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_UNDER_ASAN
#endif

#ifdef ARENA_UNDER_ASAN
#include <sanitizer/asan_interface.h>
#define hide_bytes(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define show_bytes(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#else
#define hide_bytes(at, size) ((void)(at), (void)(size))
#define show_bytes(at, size) ((void)(at), (void)(size))
#endif

#define ALIGNMENT _Alignof(max_align_t)
#define BRIEF_BYTES 256 /* most of what is printed is shorter */

/* Small allocations. */
struct block {
    struct block *next; /* the older one */
    size_t size;        /* of bytes[] */
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct link {
    struct link *previous, *next;
};

/* A large allocation, in a ring whose head is in the arena. */
struct large {
    struct link link; /* first: a link is its large */
    _Alignas(max_align_t) unsigned char bytes[];
};

struct hook {
    struct hook *next; /* the older one */
    arena_cleanup cleanup;
    void *object;
};

struct arena {
    size_t cap;
    size_t limit; /* handed out without asking; the cap, where nobody is to be asked */
    size_t used;
    arena_grant grant;
    void *grant_context;
    bool is_refused;
    struct block *block; /* the newest; the oldest is kept at reset */
    struct hook *hooks;
    struct link large; /* head of the ring */
};

static struct block *block_new(size_t size)
{
    struct block *block = malloc(sizeof *block + size);
    if (!block) {
        return NULL;
    }
    block->next = NULL;
    block->size = size;
    block->used = 0;
    hide_bytes(block->bytes, size);
    return block;
}

static void block_free(struct block *block)
{
    show_bytes(block->bytes, block->size);
    free(block);
}

static void link_into_ring(struct link *head, struct link *link)
{
    link->next = head->next;
    link->previous = head;
    link->next->previous = link;
    head->next = link;
}

static void unlink_from_ring(struct link *link)
{
    link->next->previous = link->previous;
    link->previous->next = link->next;
}

static struct large *large_of(struct link *link)
{
    return (struct large *)(void *)link;
}

struct arena *arena_new(size_t cap)
{
    struct arena *arena = malloc(sizeof *arena);
    if (!arena) {
        return NULL;
    }
    *arena = (struct arena){ .cap = cap, .limit = cap };
    arena->large.previous = arena->large.next = &arena->large;
    arena->block = block_new(ARENA_FIRST_BLOCK_BYTES);
    if (!arena->block) {
        free(arena);
        return NULL;
    }
    return arena;
}

void arena_keep_released(size_t bytes)
{
    int most = bytes < INT_MAX ? (int)bytes : INT_MAX;

    (void)mallopt(M_TRIM_THRESHOLD, most);
    (void)mallopt(M_MMAP_THRESHOLD, most); /* else large ones come and go by themselves */
}

void arena_return_large(size_t bytes)
{
    /* once it is set it is not raised by what comes and goes */
    (void)mallopt(M_MMAP_THRESHOLD, bytes < INT_MAX ? (int)bytes : INT_MAX);
}

void arena_share_heaps(int n)
{
    (void)mallopt(M_ARENA_MAX, n);
}

void arena_reset(struct arena *arena)
{
    while (arena->hooks) {
        struct hook *hook = arena->hooks;
        arena->hooks = hook->next;
        hook->cleanup(hook->object);
    }
    for (struct link *link = arena->large.next; link != &arena->large;) {
        struct link *next = link->next;
        free(large_of(link));
        link = next;
    }
    arena->large.previous = arena->large.next = &arena->large;
    while (arena->block->next) {
        struct block *older = arena->block->next;
        block_free(arena->block);
        arena->block = older;
    }
    arena->block->used = 0;
    hide_bytes(arena->block->bytes, arena->block->size);
    arena->used = 0;
    arena->is_refused = false;
    arena_meter(arena, arena->cap, NULL, NULL);
}

void arena_free(struct arena *arena)
{
    if (!arena) {
        return;
    }
    arena_reset(arena);
    block_free(arena->block);
    free(arena);
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

void arena_meter(struct arena *arena, size_t granted, arena_grant grant, void *context)
{
    size_t least = granted > arena->used ? granted : arena->used;

    arena->limit = grant && least < arena->cap ? least : arena->cap;
    arena->grant = grant;
    arena->grant_context = context;
}

bool arena_was_refused(const struct arena *arena)
{
    return arena->is_refused;
}

/* Beyond the limit. */
static bool is_granted(struct arena *arena, size_t total)
{
    if (!arena->grant || total > arena->cap) {
        return false;
    }
    size_t limit = arena->grant(arena->grant_context, total);
    if (limit == ARENA_NEVER) {
        return false;
    }
    if (limit < total) {
        arena->is_refused = true;
        return false;
    }
    arena->limit = limit < arena->cap ? limit : arena->cap;
    return true;
}

/* True when it may have handed out so many bytes, and `size` more that stay below any overflow in
 * aligned(). */
static bool may_have(struct arena *arena, size_t used, size_t size)
{
    return size <= SIZE_MAX / 2 &&
           (used + aligned(size) <= arena->limit || is_granted(arena, used + aligned(size)));
}

static bool has_room(struct arena *arena, size_t size)
{
    return may_have(arena, arena->used, size);
}

static void *alloc_small(struct arena *arena, size_t size)
{
    size_t step = aligned(size);
    struct block *block = arena->block;

    if (block->size - block->used < step) {
        block = block_new(ARENA_BLOCK_BYTES);
        if (!block) {
            return NULL;
        }
        block->next = arena->block;
        arena->block = block;
    }
    void *bytes = block->bytes + block->used;
    block->used += step;
    arena->used += step;
    show_bytes(bytes, size);
    return bytes;
}

static void *alloc_large(struct arena *arena, size_t size, bool is_zeroed)
{
    size_t total = sizeof(struct large) + size;
    struct large *large = is_zeroed ? calloc(1, total) : malloc(total);
    if (!large) {
        return NULL;
    }
    link_into_ring(&arena->large, &large->link);
    arena->used += aligned(size);
    return large->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (!has_room(arena, size)) {
        return NULL;
    }
    if (size > ARENA_LARGE_BYTES) {
        return alloc_large(arena, size, true);
    }
    void *bytes = alloc_small(arena, size);
    if (bytes) {
        memset(bytes, 0, size);
    }
    return bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    return arena_alloc(arena, total);
}

/* Both sizes are large: the pages move, the bytes need not. */
static void *resize_large(struct arena *arena, void *block, size_t old_size, size_t new_size)
{
    size_t used = arena->used - aligned(old_size);
    if (!may_have(arena, used, new_size)) {
        return NULL;
    }
    struct large *old = (void *)((unsigned char *)block - offsetof(struct large, bytes));
    unlink_from_ring(&old->link);
    struct large *large = realloc(old, sizeof *large + new_size);
    if (!large) {
        link_into_ring(&arena->large, &old->link);
        return NULL;
    }
    link_into_ring(&arena->large, &large->link);
    arena->used = used + aligned(new_size);
    return large->bytes;
}

/* Both sizes are small and the block is the newest one: only its end moves. */
static bool resize_last(struct arena *arena, void *bytes, size_t old_size, size_t new_size)
{
    struct block *block = arena->block;
    size_t old_step = aligned(old_size);
    size_t new_step = aligned(new_size);

    if ((unsigned char *)bytes + old_step != block->bytes + block->used) {
        return false;
    }
    size_t before = block->used - old_step;
    if (new_step > block->size - before ||
        (new_step > old_step && !may_have(arena, arena->used - old_step, new_size))) {
        return false;
    }
    hide_bytes(bytes, old_step);
    show_bytes(bytes, new_size);
    block->used = before + new_step;
    arena->used = arena->used - old_step + new_step;
    return true;
}

void *arena_resize(struct arena *arena, void *block, size_t old_size, size_t new_size)
{
    bool is_large = new_size > ARENA_LARGE_BYTES;

    if (block && old_size > ARENA_LARGE_BYTES && is_large) {
        return resize_large(arena, block, old_size, new_size);
    }
    if (block && old_size <= ARENA_LARGE_BYTES && !is_large &&
        resize_last(arena, block, old_size, new_size)) {
        return block;
    }
    if (!has_room(arena, new_size)) {
        return NULL;
    }
    void *moved = is_large ? alloc_large(arena, new_size, false) : alloc_small(arena, new_size);
    if (moved && block) {
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    }
    return moved;
}

void arena_release(struct arena *arena, void *block, size_t size)
{
    if (size > ARENA_LARGE_BYTES) {
        struct large *large = (void *)((unsigned char *)block - offsetof(struct large, bytes));
        unlink_from_ring(&large->link);
        free(large);
        arena->used -= aligned(size);
    }
}

char *arena_copy(struct arena *arena, struct str text)
{
    char *copy = text.len < SIZE_MAX ? arena_alloc(arena, text.len + 1) : NULL;
    if (copy && text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char brief[BRIEF_BYTES];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    char *text = length >= 0 ? arena_alloc(arena, (size_t)length + 1) : NULL;
    if (text && (size_t)length < sizeof brief) {
        memcpy(text, brief, (size_t)length);
    } else if (text) {
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

bool arena_on_reset(struct arena *arena, arena_cleanup cleanup, void *object)
{
    struct hook *hook = arena_alloc(arena, sizeof *hook);
    if (!hook) {
        cleanup(object);
        return false;
    }
    *hook = (struct hook){ arena->hooks, cleanup, object };
    arena->hooks = hook;
    return true;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
