/* A growing byte buffer, born with a cap. A write beyond the cap (or the arena's)
 * breaks the buffer: it stays broken, further writes do nothing, and one check of
 * buf_is_broken at the end is enough. Its bytes live in an arena. */
#ifndef TIDEMARK_BASE_BUF_H
#define TIDEMARK_BASE_BUF_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct buf {
    struct arena *arena;
    char *data;  /* NULL until the first write; not NUL-terminated */
    size_t len;  /* bytes written */
    size_t size; /* bytes allocated */
    size_t cap;  /* most bytes it may hold */
    bool is_broken;
};

/* An empty buffer of at most `cap` bytes, which will lie in `arena`. */
void buf_init(struct buf *buf, struct arena *arena, size_t cap);

/* Forgets the content (and the break), keeps the allocation. */
void buf_clear(struct buf *buf);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_add_text(struct buf *buf, const char *text); /* NUL-terminated; NULL adds nothing */
void buf_add_char(struct buf *buf, char c);
void buf_add_int(struct buf *buf, int64_t value); /* decimal */
/* The shortest decimal that reads back as the same double (subnormals may come out longer);
 * value must be finite. */
void buf_add_double(struct buf *buf, double value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `len` bytes and returns where to write them (then add to buf->len), or NULL
 * when broken. */
char *buf_reserve(struct buf *buf, size_t len);

/* What was written, valid until the next write. */
static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){ buf->data, buf->len };
}

/* Network byte order, for binary COPY and binary parameters. */
void buf_add_be16(struct buf *buf, uint16_t value);
void buf_add_be32(struct buf *buf, uint32_t value);
void buf_add_be64(struct buf *buf, uint64_t value);

#endif
