/* The distinct values of a column in a row group, in the order in which they came first. Values
 * are their PLAIN bytes. Used by the writer of columns. */
#ifndef TIDEMARK_PARQUET_DICTIONARY_H
#define TIDEMARK_PARQUET_DICTIONARY_H

#include "base/buf.h"

#define DICTIONARY_MAX_ENTRIES 16384u
#define DICTIONARY_MAX_BYTES (512u << 10)
#define DICTIONARY_FULL UINT32_MAX

struct dictionary {
    struct buf bytes;    /* the entries one after another: the page that is written */
    uint32_t *slots;     /* the place of an entry plus one, by its hash; 0: free */
    uint32_t *starts;    /* of each entry in `bytes`; one more: their end */
    uint32_t n;
    uint32_t last;       /* the entry that was found last: the next is often the same */
};

/* False without memory. */
bool dictionary_init(struct dictionary *dictionary, struct arena *arena);

/* Forgets all entries. */
void dictionary_clear(struct dictionary *dictionary);

/* The place of a value; *is_new: it came in now. DICTIONARY_FULL where there is no room for a new
 * one, and nothing changed. */
uint32_t dictionary_place(struct dictionary *dictionary, struct str value, bool *is_new);

#endif
