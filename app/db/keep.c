/* Kept answers. Answers for what they are found by and for the room that they take; what a stamp
 * promises is its caller's. */
#include "db/keep.h"

#include "base/buf.h"

#include <string.h>

/* Each part with its length, so that no two lists of parts are the same bytes. */
static void add_part(struct buf *out, const void *bytes, size_t len)
{
    buf_add_be32(out, (uint32_t)len);
    buf_add(out, bytes, len);
}

static void add_param(struct buf *out, const struct db_param *param)
{
    const char *value = !param->value && param->len > 0 ? param->fixed : param->value;
    size_t len = !value ? 0 : param->format ? (size_t)param->len : strlen(value);

    buf_add_be32(out, param->type);
    buf_add_char(out, value ? 'v' : 'n');
    add_part(out, value, len);
}

bool db_keep_key(const struct db_ask *ask, uint8_t key[CRYPTO_HASH_BYTES])
{
    struct buf bytes;

    if (!ask->stamp || ask->args.is_broken || strlen(ask->stamp) > DB_STAMP_BYTES) {
        return false;
    }
    buf_init(&bytes, ask->args.arena, SIZE_MAX / 2);
    add_part(&bytes, ask->stamp, strlen(ask->stamp));
    add_part(&bytes, ask->query->name, strlen(ask->query->name));
    for (int i = 0; i < ask->args.n; i++) {
        add_param(&bytes, &ask->args.params[i]);
    }
    if (bytes.is_broken) {
        return false;
    }
    crypto_sha256((struct str){ bytes.data, bytes.len }, key);
    return true;
}

PGresult *db_keep_find(struct db_keep *keep, const uint8_t key[CRYPTO_HASH_BYTES])
{
    keep->clock++;
    for (size_t i = 0; i < DB_KEEP_SLOTS; i++) {
        struct db_kept *slot = &keep->slots[i];
        if (slot->result && memcmp(slot->key, key, CRYPTO_HASH_BYTES) == 0) {
            slot->used_at = keep->clock;
            return slot->result;
        }
    }
    return NULL;
}

static struct db_kept *free_slot(struct db_keep *keep)
{
    for (size_t i = 0; i < DB_KEEP_SLOTS; i++) {
        if (!keep->slots[i].result) {
            return &keep->slots[i];
        }
    }
    return NULL;
}

/* What was not asked for the longest; NULL: nothing is kept. */
static struct db_kept *oldest(struct db_keep *keep)
{
    struct db_kept *found = NULL;

    for (size_t i = 0; i < DB_KEEP_SLOTS; i++) {
        struct db_kept *slot = &keep->slots[i];
        if (slot->result && (!found || slot->used_at < found->used_at)) {
            found = slot;
        }
    }
    return found;
}

static void clear_left(void *left)
{
    PQclear(*(PGresult **)left);
}

/* False without memory to note in what is freed later: it stays then. */
static bool drop(struct db_keep *keep, struct arena *arena, struct db_kept *slot)
{
    PGresult **left = arena_alloc(arena, sizeof *left); /* NULL until it leaves */

    if (!left || !arena_on_reset(arena, clear_left, left)) {
        return false;
    }
    *left = slot->result;
    keep->bytes -= slot->bytes;
    *slot = (struct db_kept){ .result = NULL };
    return true;
}

/* Room for so many bytes and a free slot; NULL without memory. */
static struct db_kept *make_room(struct db_keep *keep, struct arena *arena, size_t bytes)
{
    struct db_kept *slot;

    while (!(slot = free_slot(keep)) || keep->bytes + bytes > DB_KEEP_BYTES) {
        if (!drop(keep, arena, oldest(keep))) {
            return NULL;
        }
    }
    return slot;
}

void db_keep_put(struct db_keep *keep, struct arena *arena, const uint8_t key[CRYPTO_HASH_BYTES],
                 const PGresult *result)
{
    PGresult *copy = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    size_t bytes = copy ? PQresultMemorySize(copy) : 0;

    if (!copy || bytes > DB_KEEP_BYTES / 4) {
        PQclear(copy);
        return;
    }
    struct db_kept *slot = make_room(keep, arena, bytes);
    if (!slot) {
        PQclear(copy);
        return;
    }
    *slot = (struct db_kept){ .result = copy, .bytes = bytes, .used_at = keep->clock };
    memcpy(slot->key, key, CRYPTO_HASH_BYTES);
    keep->bytes += bytes;
}

void db_keep_clear(struct db_keep *keep)
{
    for (size_t i = 0; i < DB_KEEP_SLOTS; i++) {
        PQclear(keep->slots[i].result);
    }
    *keep = (struct db_keep){ .bytes = 0 };
}
