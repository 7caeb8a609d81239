/* Secrets of links. Called by the handlers that make and open links. */
#include "auth/access_link.h"

void access_link_make(char secret[ACCESS_LINK_SIZE], uint8_t hash[CRYPTO_HASH_BYTES])
{
    uint8_t random[ACCESS_LINK_RANDOM_BYTES];

    crypto_random(random, sizeof random);
    crypto_base64url(random, sizeof random, secret);
    access_link_hash(str_of(secret), hash);
}

void access_link_hash(struct str secret, uint8_t hash[CRYPTO_HASH_BYTES])
{
    crypto_sha256(secret, hash);
}
