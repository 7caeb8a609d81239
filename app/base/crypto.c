/* Randomness, hashes, passwords and their texts: libsodium behind our own names, and OpenSSL for
 * the cipher that it lacks. Called by auth, ingest and the commands. */
#include "base/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>

#define PASSWORD_PASSES 2 /* about 70 ms with the memory below */
#define PASSWORD_MEMORY_BYTES (64u << 20)

_Static_assert(CRYPTO_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(CRYPTO_SHORT_HASH_BYTES == crypto_shorthash_siphashx24_BYTES, "SipHash");
_Static_assert(CRYPTO_SHORT_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "its key");
_Static_assert(CRYPTO_PASSWORD_SIZE >= crypto_pwhash_STRBYTES, "room for libsodium's string");

bool crypto_open(void)
{
    return sodium_init() >= 0;
}

void crypto_random(void *out, size_t len)
{
    randombytes_buf(out, len);
}

static const unsigned char *bytes_of(struct str text)
{
    return (const unsigned char *)text.ptr;
}

void crypto_sha256(struct str bytes, uint8_t out[CRYPTO_HASH_BYTES])
{
    crypto_hash_sha256(out, bytes_of(bytes), bytes.len);
}

void crypto_blake2b(struct str bytes, struct str key, uint8_t *out, size_t out_len)
{
    crypto_generichash(out, out_len, bytes_of(bytes), bytes.len, bytes_of(key), key.len);
}

void crypto_short_hash(struct str bytes, const uint8_t key[CRYPTO_SHORT_KEY_BYTES],
                       uint8_t out[CRYPTO_SHORT_HASH_BYTES])
{
    (void)crypto_shorthash_siphashx24(out, bytes_of(bytes), bytes.len, key);
}

void crypto_hmac_sha256(struct str bytes, struct str key, uint8_t out[CRYPTO_HASH_BYTES])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.len);
    crypto_auth_hmacsha256_update(&state, bytes_of(bytes), bytes.len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

bool crypto_aes128_cbc_open(const uint8_t key[CRYPTO_AES_BYTES], const uint8_t iv[CRYPTO_AES_BYTES],
                            struct str bytes, uint8_t *out)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int n = 0;
    bool is_open = cipher && bytes.len % CRYPTO_AES_BYTES == 0 && bytes.len <= INT_MAX &&
                   EVP_DecryptInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv) == 1 &&
                   EVP_CIPHER_CTX_set_padding(cipher, 0) == 1 &&
                   EVP_DecryptUpdate(cipher, out, &n, bytes_of(bytes), (int)bytes.len) == 1;

    EVP_CIPHER_CTX_free(cipher);
    return is_open && (size_t)n == bytes.len;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

bool crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_SIZE])
{
    return crypto_pwhash_str_alg(out, password.ptr ? password.ptr : "", password.len,
                                 PASSWORD_PASSES, PASSWORD_MEMORY_BYTES,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool crypto_password_verify(struct str password, const char *encoded)
{
    const char *text = password.ptr ? password.ptr : "";
    return crypto_pwhash_str_verify(encoded, text, password.len) == 0;
}

void crypto_hex(const void *bytes, size_t len, char *out)
{
    sodium_bin2hex(out, len * 2 + 1, bytes, len);
}

bool crypto_hex_decode(struct str hex, void *out, size_t len)
{
    size_t n = 0;
    const char *end = NULL;

    return hex.len == 2 * len &&
           sodium_hex2bin(out, len, hex.ptr, hex.len, NULL, &n, &end) == 0 && n == len;
}

void crypto_base64(const void *bytes, size_t len, char *out)
{
    sodium_bin2base64(out, CRYPTO_BASE64_SIZE(len), bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

void crypto_base64url(const void *bytes, size_t len, char *out)
{
    sodium_bin2base64(out, CRYPTO_BASE64URL_SIZE(len), bytes, len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* The whole text, without padding. */
static bool decode(struct str text, int variant, uint8_t *out, size_t cap, size_t *out_len)
{
    const char *end = NULL;

    *out_len = 0;
    if (text.len == 0) {
        return true;
    }
    return sodium_base642bin(out, cap, text.ptr, text.len, NULL, out_len, &end, variant) == 0 &&
           end == text.ptr + text.len;
}

bool crypto_base64url_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len)
{
    return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, cap, out_len);
}

bool crypto_base64_decode(struct str text, uint8_t *out, size_t cap, size_t *out_len)
{
    bool is_padded = text.len > 0 && text.ptr[text.len - 1] == '=';
    int variant =
        is_padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    return decode(text, variant, out, cap, out_len);
}
