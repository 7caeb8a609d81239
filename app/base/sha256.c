/* SHA-256 in pieces. Called by objects/ for what streams. */
#include "base/sha256.h"

#include <openssl/evp.h>

bool sha256_open(struct sha256 *sha)
{
    sha->digest = EVP_MD_CTX_new();
    if (sha->digest && EVP_DigestInit_ex(sha->digest, EVP_sha256(), NULL) != 1) {
        sha256_close(sha);
    }
    return sha->digest != NULL;
}

void sha256_add(struct sha256 *sha, struct str bytes)
{
    (void)EVP_DigestUpdate(sha->digest, bytes.ptr, bytes.len);
}

bool sha256_end(struct sha256 *sha, uint8_t out[CRYPTO_HASH_BYTES])
{
    return EVP_DigestFinal_ex(sha->digest, out, NULL) == 1 &&
           EVP_DigestInit_ex(sha->digest, EVP_sha256(), NULL) == 1;
}

void sha256_close(struct sha256 *sha)
{
    EVP_MD_CTX_free(sha->digest);
    sha->digest = NULL;
}
