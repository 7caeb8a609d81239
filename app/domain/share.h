/* Read-only links of a dashboard: whoever has one sees that page of the tenant until the link
 * expires or is revoked. Known by the hash of their secret alone. Texts live in the operation's
 * arena; times are in µs, SHARE_NEVER where there is none. */
#ifndef TIDEMARK_DOMAIN_SHARE_H
#define TIDEMARK_DOMAIN_SHARE_H

#include "base/crypto.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

#define SHARE_NEVER INT64_MIN
#define SHARE_MAX_DAYS 366 /* a link that nobody remembers must end by itself */
#define SHARE_MAX_NAME_BYTES 200

struct share {
    int64_t id;
    const char *name;
    const char *device;     /* key of the device whose page it shows; NULL: the overview */
    const char *created_by;
    int64_t created_us, expires_us, revoked_us, last_used_us;
};

struct share_list {
    struct share *items;
    int n;
};

/* The tenant's links, ended ones too, newest first, after the number `before_id` (0: from the
 * newest). */
enum err share_list(struct db_tx *tx, int64_t before_id, int limit,
                    struct share_list *out) MUST_CHECK;

/* Makes a link that works for `days` days. `device` NULL: of the overview. ERR_INVALID for an
 * unknown device. */
enum err share_add(struct db_tx *tx, const char *name, const char *device,
                   const uint8_t hash[CRYPTO_HASH_BYTES], int days, int64_t *id) MUST_CHECK;

/* ERR_NOT_FOUND where the tenant has no such link that still works. */
enum err share_revoke(struct db_tx *tx, int64_t id) MUST_CHECK;

/* What a link opens. */
struct share_record {
    int64_t id;
    int32_t tenant_id;
    const char *tenant_slug, *tenant_name, *tenant_timezone, *tenant_currency;
    const char *device; /* NULL: the overview */
};

/* *is_found is false when the link is unknown, expired, revoked, or its tenant suspended. Asked
 * before the tenant is known. */
enum err share_find(struct db_tx *tx, const uint8_t hash[CRYPTO_HASH_BYTES],
                    struct share_record *out, bool *is_found) MUST_CHECK;

#endif
