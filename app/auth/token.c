/* Making and resolving tokens. Called by serve/dispatch for each request that shows one, and by
 * `tidemark token`. */
#include "auth/token.h"

#include "auth/token_cache.h"
#include "base/clock.h"
#include "domain/credential.h"

#define NOTED_AT_ONCE 2000 /* uses of one statement: tens of milliseconds */
#define MIN_TOKEN_BYTES 16
#define MAX_TOKEN_BYTES 128

void token_make(char out[TOKEN_SIZE])
{
    uint8_t random[TOKEN_RANDOM_BYTES];

    crypto_random(random, sizeof random);
    memcpy(out, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    crypto_base64url(random, sizeof random, out + sizeof TOKEN_PREFIX - 1);
}

void token_make_hex(char out[TOKEN_SIZE])
{
    uint8_t random[TOKEN_HEX_BYTES];

    crypto_random(random, sizeof random);
    token_of_key(random, out);
}

void token_of_key(const uint8_t key[TOKEN_HEX_BYTES], char out[TOKEN_SIZE])
{
    _Static_assert(sizeof TOKEN_PREFIX + 2 * TOKEN_HEX_BYTES <= TOKEN_SIZE, "it has room");
    memcpy(out, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    crypto_hex(key, TOKEN_HEX_BYTES, out + sizeof TOKEN_PREFIX - 1);
}

bool token_key(struct str token, uint8_t out[TOKEN_HEX_BYTES])
{
    const size_t prefix = sizeof TOKEN_PREFIX - 1;

    return token.len == prefix + 2 * (size_t)TOKEN_HEX_BYTES &&
           crypto_hex_decode((struct str){ token.ptr + prefix, token.len - prefix }, out,
                             TOKEN_HEX_BYTES);
}

void token_hash(struct str token, uint8_t out[CRYPTO_HASH_BYTES])
{
    crypto_sha256(token, out);
}

bool token_is_plausible(struct str text)
{
    if (text.len < MIN_TOKEN_BYTES || text.len > MAX_TOKEN_BYTES) {
        return false;
    }
    return str_starts_with(text, STR(TOKEN_PREFIX));
}

static enum identity_kind kind_of(const char *kind)
{
    static const struct {
        const char *name;
        enum identity_kind kind;
    } KINDS[] = {
        { "device", IDENTITY_DEVICE },
        { "api", IDENTITY_API },
        { "admin", IDENTITY_ADMIN },
    };

    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (kind && strcmp(KINDS[i].name, kind) == 0) {
            return KINDS[i].kind;
        }
    }
    return IDENTITY_NONE;
}

static struct identity identity_of(const struct token_record *record)
{
    enum identity_kind kind = kind_of(record->kind);

    return (struct identity){
        .kind = kind,
        .tenant_id = record->tenant_id,
        .tenant_slug = record->tenant_slug,
        .tenant_name = record->tenant_name,
        .tenant_timezone = record->tenant_timezone,
        .tenant_currency = record->tenant_currency,
        .may_register = record->may_register,
        .role = kind == IDENTITY_ADMIN ? ROLE_ADMIN
                : kind == IDENTITY_API ? ROLE_VIEWER
                                       : ROLE_NONE,
        .token_id = record->token_id,
        .device_id = record->device_id,
        .device_key = record->device_key,
        .is_backfill = record->is_backfill,
        .raw_days = record->raw_days,
        .limits = { record->request_rate, record->token_rate, record->max_series,
                    record->rows_per_day },
        .adapters_version = record->adapters_version,
        .expires_us = record->expires_us,
    };
}

enum err token_resolve(struct token_cache *cache, struct db_tx *tx,
                       const uint8_t hash[CRYPTO_HASH_BYTES], struct identity *who)
{
    int64_t asked_us = clock_monotonic_us(); /* the answer is as old as the question */
    struct token_record record;
    bool is_found = false;

    *who = (struct identity){ .kind = IDENTITY_NONE };
    enum err err = credential_token_find(tx, hash, &record, &is_found);
    if (err != OK || !is_found) {
        return err;
    }
    *who = identity_of(&record);
    if (token_cache_put(cache, hash, who, asked_us)) {
        int64_t now_us = clock_now_us();
        err = credential_tokens_touch(tx, &record.token_id, &now_us, 1);
    }
    return err;
}

enum err token_note_uses(struct token_cache *cache, struct op *op, struct db_conn *conn)
{
    struct token_use *uses = arena_array(op->arena, NOTED_AT_ONCE, sizeof *uses);
    int64_t *ids = arena_array(op->arena, NOTED_AT_ONCE, sizeof *ids);
    int64_t *times = arena_array(op->arena, NOTED_AT_ONCE, sizeof *times);

    if (!uses || !ids || !times) {
        return fail_memory(op);
    }
    size_t n = token_cache_take_uses(cache, uses, NOTED_AT_ONCE);
    int64_t now_us = clock_now_us();
    for (size_t i = 0; i < n; i++) {
        ids[i] = uses[i].token_id;
        times[i] = now_us - uses[i].ago_s * US_PER_SECOND;
    }
    return n ? credential_tokens_note(op, conn, ids, times, n) : OK;
}
