/* Links: secret → hash → identity. Called by serve/gate and by the handlers that make links. */
#include "auth/share.h"

#include "base/op.h"
#include "domain/share.h"

void share_make(char secret[SHARE_SECRET_SIZE], uint8_t hash[CRYPTO_HASH_BYTES])
{
    uint8_t random[SHARE_RANDOM_BYTES];

    crypto_random(random, sizeof random);
    crypto_base64url(random, sizeof random, secret);
    crypto_sha256(str_of(secret), hash);
}

enum err share_resolve(struct db_tx *tx, struct str secret, struct identity *who)
{
    struct share_record record;
    uint8_t hash[CRYPTO_HASH_BYTES];
    bool is_found = false;

    *who = (struct identity){ .kind = IDENTITY_NONE };
    if (secret.len != SHARE_SECRET_SIZE - 1) {
        return OK;
    }
    crypto_sha256(secret, hash);
    enum err err = share_find(tx, hash, &record, &is_found);
    if (err == OK && is_found) {
        *who = (struct identity){
            .kind = IDENTITY_SHARE,
            .tenant_id = record.tenant_id,
            .tenant_slug = record.tenant_slug,
            .tenant_name = record.tenant_name,
            .tenant_timezone = record.tenant_timezone,
            .tenant_currency = record.tenant_currency,
            .role = ROLE_VIEWER,
            .device_key = record.device,
        };
    }
    return err;
}
