/* Hashes, texts of bytes and passwords: published vectors. */
#include "base/crypto.h"

#include "tap.h"

static void test_sha256(void)
{
    /* FIPS 180-4's examples. */
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t hash[CRYPTO_HASH_BYTES];
        char hex[CRYPTO_HEX_SIZE];
        crypto_sha256(str_of(cases[i].text), hash);
        crypto_hex(hash, sizeof hash, hex);
        is_str(hex, cases[i].hex, "SHA-256 of \"%s\"", cases[i].text);
    }
}

static void test_hmac(void)
{
    /* RFC 4231, test case 2. */
    uint8_t mac[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];

    crypto_hmac_sha256(STR("what do ya want for nothing?"), STR("Jefe"), mac);
    crypto_hex(mac, sizeof mac, hex);
    is_str(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
           "HMAC-SHA256 of RFC 4231");
}

static void test_aes(void)
{
    /* NIST SP 800-38A, F.2.2: CBC-AES128.Decrypt. */
    static const char text[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                               "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    uint8_t key[CRYPTO_AES_BYTES], iv[CRYPTO_AES_BYTES], sealed[64], plain[64];
    char hex[129];

    ok(crypto_hex_decode(STR("2b7e151628aed2a6abf7158809cf4f3c"), key, sizeof key), "a key of digits");
    ok(crypto_hex_decode(STR("000102030405060708090A0B0C0D0E0F"), iv, sizeof iv), "of either case");
    ok(crypto_hex_decode(STR("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
                             "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"),
                         sealed, sizeof sealed), "and what it encrypted");
    struct str bytes = { (const char *)sealed, sizeof sealed };
    ok(crypto_aes128_cbc_open(key, iv, bytes, plain), "AES-128 in CBC mode is opened");
    crypto_hex(plain, sizeof plain, hex);
    is_str(hex, text, "to what it was");
    bytes.len--;
    ok(!crypto_aes128_cbc_open(key, iv, bytes, plain), "not where a byte is missing");
    ok(!crypto_hex_decode(STR("0g"), key, 1), "a letter is no digit");
    ok(!crypto_hex_decode(STR("000"), key, 1), "nor are three of them a byte");
}

static void test_blake2b(void)
{
    /* coreutils: printf abc | b2sum -l 256; the keyed one is the first of the reference
     * implementation's blake2b-kat.txt: no input, key 00 01 … 3f. */
    uint8_t key[64], hash[64];
    char hex[129];

    crypto_blake2b(STR("abc"), STR(""), hash, 32);
    crypto_hex(hash, 32, hex);
    is_str(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
           "BLAKE2b of \"abc\", 32 bytes");
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    crypto_blake2b(STR(""), (struct str){ (const char *)key, sizeof key }, hash, 64);
    crypto_hex(hash, 64, hex);
    is_str(hex,
           "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
           "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568",
           "keyed BLAKE2b of nothing, 64 bytes");
}

static void test_short_hash(void)
{
    /* The first two of the reference implementation's vectors_sip128: nothing, and the byte 00; the
     * key is 00 01 … 0f. */
    uint8_t key[CRYPTO_SHORT_KEY_BYTES], hash[CRYPTO_SHORT_HASH_BYTES];
    char hex[2 * CRYPTO_SHORT_HASH_BYTES + 1];

    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    crypto_short_hash(STR(""), key, hash);
    crypto_hex(hash, sizeof hash, hex);
    is_str(hex, "a3817f04ba25a8e66df67214c7550293", "SipHash-2-4 of nothing, 128 bits");
    crypto_short_hash(STR("\0"), key, hash);
    crypto_hex(hash, sizeof hash, hex);
    is_str(hex, "da87c1d86b99af44347659119b22fc45", "and of a NUL");
}

/* RFC 4648 section 10, in the URL's alphabet without padding, and with padding. */
static void test_base64(void)
{
    static const struct {
        const char *bytes, *url, *padded;
    } cases[] = {
        { "", "", "" },
        { "f", "Zg", "Zg==" },
        { "fo", "Zm8", "Zm8=" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg", "Zm9vYg==" },
        { "fooba", "Zm9vYmE", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xff\xef\xbe", "_---", "/+++" },
        { "user:pass", "dXNlcjpwYXNz", "dXNlcjpwYXNz" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        uint8_t bytes[64];
        size_t length;
        struct str expected = str_of(cases[i].bytes);

        crypto_base64url(cases[i].bytes, expected.len, text);
        is_str(text, cases[i].url, "base64url writes %s", cases[i].url);
        ok(strlen(text) < CRYPTO_BASE64URL_SIZE(expected.len), "within its size");
        ok(crypto_base64url_decode(str_of(cases[i].url), bytes, sizeof bytes, &length) &&
               length == expected.len && memcmp(bytes, expected.ptr, length) == 0,
           "and reads it");
        ok(crypto_base64_decode(str_of(cases[i].padded), bytes, sizeof bytes, &length) &&
               length == expected.len && memcmp(bytes, expected.ptr, length) == 0,
           "base64 reads \"%s\"", cases[i].padded);
    }
}

static void test_base64_refusals(void)
{
    static const struct {
        const char *text;
        bool is_url;
        const char *name;
    } cases[] = {
        { "Zg==", true, "padding in base64url" },
        { "Zm9v/+", true, "the other alphabet in base64url" },
        { "_-", false, "the other alphabet in base64" },
        { "Z", true, "a single character" },
        { "Zm9v ", false, "a space" },
        { "Zm 9v", true, "a space within" },
        { "Zg=", false, "half of the padding" },
        { "Zh", true, "bits behind the last byte" },
        { "====", false, "padding alone" },
    };
    uint8_t bytes[64];
    size_t length;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = str_of(cases[i].text);
        bool is_read = cases[i].is_url ? crypto_base64url_decode(text, bytes, sizeof bytes, &length)
                                       : crypto_base64_decode(text, bytes, sizeof bytes, &length);
        ok(!is_read, "refused: %s", cases[i].name);
    }
    ok(crypto_base64_decode(STR("Zm8"), bytes, sizeof bytes, &length) && length == 2,
       "base64 may lack its padding");
    ok(!crypto_base64url_decode(STR("Zm9vYmFy"), bytes, 5, &length),
       "a result over its cap is refused");
    ok(crypto_base64url_decode(STR("Zm9vYmFy"), bytes, 6, &length), "one that fits is not");
}

static void test_passwords(void)
{
    char encoded[CRYPTO_PASSWORD_SIZE];
    char again[CRYPTO_PASSWORD_SIZE];
    /* The reference implementation's test.c: version 0x13, t=2, m=2^16 KiB, p=1, "somesalt". */
    static const char *const reference =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    ok(crypto_password_hash(STR("correct horse"), encoded), "a password is hashed");
    ok(strncmp(encoded, "$argon2id$v=19$m=65536,t=2,p=1$", 31) == 0,
       "by argon2id with 64 MiB and 2 passes");
    ok(crypto_password_verify(STR("correct horse"), encoded), "it fits");
    ok(!crypto_password_verify(STR("correct horsf"), encoded), "another does not");
    ok(!crypto_password_verify(STR(""), encoded), "nor does none");
    ok(!crypto_password_verify(STR("x"), "not a hash"), "nothing fits what is no hash");
    ok(!crypto_password_verify(STR("x"), ""), "nor nothing");
    ok(crypto_password_hash(STR("correct horse"), again) && strcmp(again, encoded) != 0,
       "the same password hashes differently each time");
    ok(crypto_password_verify(STR("password"), reference), "the reference's string is understood");
    ok(!crypto_password_verify(STR("passwore"), reference), "and holds its password alone");
}

static void test_random(void)
{
    uint8_t a[24] = { 0 }, b[24] = { 0 };

    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    ok(!crypto_equal(a, b, sizeof a), "random bytes are not the same twice");
    memcpy(b, a, sizeof a);
    ok(crypto_equal(a, b, sizeof a), "equal bytes are equal");
    b[23] ^= 1;
    ok(!crypto_equal(a, b, sizeof a), "one bit is a difference");
}

int main(void)
{
    ok(crypto_open(), "libsodium starts");
    ok(crypto_open(), "and can be started again");
    test_sha256();
    test_hmac();
    test_aes();
    test_blake2b();
    test_short_hash();
    test_base64();
    test_base64_refusals();
    test_passwords();
    test_random();
    return done_testing();
}
