/* Credentials in every place where conventions put them, form tokens, cookies, the way after a
 * login, tokens and their cache, passwords. */
#include "auth/cookie.h"
#include "auth/credential.h"
#include "auth/csrf.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/token_cache.h"
#include "base/clock.h"
#include "http/router.h"
#include "http_test.h"
#include "tap.h"

#include <stdlib.h>
#include <zlib.h>

static struct arena *arena;

static struct http_request request_of(struct fake *fake, struct op *op)
{
    struct http_request request;
    arena_reset(arena);
    op_init(op, arena, "test");
    (void)!http_request_init(&request, op, &fake->transport);
    return request;
}

static void test_headers(void)
{
    /* RFC 7617's example and others, by coreutils' base64. */
    static const struct {
        const char *name, *value;
        enum credential_kind kind;
        const char *secret;
    } cases[] = {
        { "HTTP_AUTHORIZATION", "Bearer tmk_abc", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_AUTHORIZATION", "bearer   tmk_abc ", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_AUTHORIZATION", "Token tmk_abc", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_AUTHORIZATION", "Token user:tmk_abc", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_AUTHORIZATION", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", CREDENTIAL_TOKEN, "open sesame" },
        { "HTTP_AUTHORIZATION", "Basic dTpwOnE=", CREDENTIAL_TOKEN, "p:q" },
        { "HTTP_AUTHORIZATION", "Basic dG1rX2FiYzo=", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_AUTHORIZATION", "Basic ???", CREDENTIAL_NONSENSE, NULL },
        { "HTTP_AUTHORIZATION", "Basic", CREDENTIAL_NONSENSE, NULL },
        { "HTTP_AUTHORIZATION", "Bearer", CREDENTIAL_NONSENSE, NULL },
        { "HTTP_AUTHORIZATION", "Digest username=\"x\"", CREDENTIAL_NONSENSE, NULL },
        { "HTTP_AUTHORIZATION", "", CREDENTIAL_NONE, NULL },
        { "HTTP_X_API_KEY", "tmk_abc", CREDENTIAL_TOKEN, "tmk_abc" },
        { "HTTP_X_API_KEY", " ", CREDENTIAL_NONE, NULL },
        { "HTTP_COOKIE", "tidemark_session=s3cret", CREDENTIAL_SESSION, "s3cret" },
        { "HTTP_COOKIE", "__Host-tidemark_session=s3cret", CREDENTIAL_NONE, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("GET", "/x");
        struct op op;
        fake_set(&fake, cases[i].name, cases[i].value);
        struct http_request request = request_of(&fake, &op);
        struct credential found =
            credential_find(&request, CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_COOKIE, false);
        ok(found.kind == cases[i].kind && (!cases[i].secret || str_equal(found.secret, str_of(cases[i].secret))),
           "%s: %s", cases[i].name, cases[i].value);
    }
}

static void test_places(void)
{
    struct fake fake = fake_request("GET", "/x");
    struct op op;
    char longest[2000];

    fake_set(&fake, "HTTP_AUTHORIZATION", "Bearer tmk_abc");
    fake_set(&fake, "HTTP_COOKIE", "__Host-tidemark_session=s3cret");
    struct http_request request = request_of(&fake, &op);
    unsigned both = CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_COOKIE;
    is_view(credential_find(&request, both, true).secret, "tmk_abc", "a header wins over the cookie");
    is_view(credential_find(&request, CREDENTIAL_IN_COOKIE, true).secret, "s3cret", "a page reads the cookie alone");
    is_int(credential_find(&request, 0, true).kind, CREDENTIAL_NONE, "a public address looks nowhere");

    memset(longest, 'x', sizeof longest);
    memcpy(longest, "Bearer ", 7);
    longest[sizeof longest - 1] = '\0';
    fake = fake_request("GET", "/x");
    fake_set(&fake, "HTTP_AUTHORIZATION", longest);
    request = request_of(&fake, &op);
    is_int(credential_find(&request, both, true).kind, CREDENTIAL_NONSENSE, "a giant credential is nobody's");
}

/* Each convention's own places, which no other route looks at. */
/* A form of so many bytes and a key, packed: who sends it is not known before it is unpacked. */
static void test_packed_form(size_t len, const char *secret, const char *what)
{
    static const char key[] = "apikey=tmk_abc&data=";
    char *form = calloc(1, sizeof key + len), *packed = malloc(len + 1000);
    uLongf packed_len = (uLongf)(len + 1000);
    struct fake fake = fake_request("POST", "/input/post");
    struct op op;

    memcpy(form, key, sizeof key - 1);
    memset(form + sizeof key - 1, 'a', len);
    (void)compress((Bytef *)packed, &packed_len, (const Bytef *)form, (uLong)(sizeof key - 1 + len));
    fake_set(&fake, "HTTP_CONTENT_ENCODING", "deflate");
    fake_body(&fake, "application/x-www-form-urlencoded", "");
    fake.body = (struct str){ packed, packed_len };
    struct http_request request = request_of(&fake, &op);
    struct credential found = credential_find(&request, CREDENTIAL_IN_EMONCMS, false);
    ok(str_equal(found.secret, str_of(secret)), "%s: \"%s\"", what, secret);
    free(form);
    free(packed);
}

static void test_conventions(void)
{
    static const struct {
        const char *target, *header, *value, *body;
        unsigned places;
        const char *secret; /* NULL: nothing is found */
    } cases[] = {
        { "/write?u=x&p=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_INFLUX, "tmk_abc" },
        { "/write", "HTTP_P", "tmk_abc", NULL, CREDENTIAL_IN_INFLUX, "tmk_abc" },
        { "/write?u=x&p=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_HEADERS, NULL },
        { "/write?p=", NULL, NULL, NULL, CREDENTIAL_IN_INFLUX, NULL },
        { "/input/post?apikey=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_EMONCMS, "tmk_abc" },
        { "/input/post?devicekey=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_EMONCMS, "tmk_abc" },
        { "/input/post", NULL, NULL, "node=a&apikey=tmk_abc", CREDENTIAL_IN_EMONCMS, "tmk_abc" },
        { "/input/post", NULL, NULL, "node=%zz&apikey=tmk_abc", CREDENTIAL_IN_EMONCMS, NULL },
        { "/input/post?apikey=0123456789abcdef0123456789ABCDE_", NULL, NULL, NULL, CREDENTIAL_IN_EMONCMS,
          "tmk_0123456789abcdef0123456789ABCDE_" },
        { "/input/post", "HTTP_AUTHORIZATION", "Bearer 0123456789abcdef0123456789abcdef", NULL,
          CREDENTIAL_IN_HEADERS | CREDENTIAL_IN_EMONCMS, "tmk_0123456789abcdef0123456789abcdef" },
        { "/write", "HTTP_AUTHORIZATION", "Bearer 0123456789abcdef0123456789abcdef", NULL,
          CREDENTIAL_IN_HEADERS, "0123456789abcdef0123456789abcdef" },
        { "/x.jsp", "HTTP_X_PVOUTPUT_APIKEY", "tmk_abc", NULL, CREDENTIAL_IN_PVOUTPUT, "tmk_abc" },
        { "/x.jsp", NULL, NULL, "sid=1&key=tmk_abc", CREDENTIAL_IN_PVOUTPUT, "tmk_abc" },
        { "/x.jsp?key=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_PVOUTPUT, "tmk_abc" },
        { "/x?apikey=tmk_abc&key=tmk_abc&p=tmk_abc", NULL, NULL, NULL, CREDENTIAL_IN_COOKIE, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("POST", cases[i].target);
        struct op op;
        if (cases[i].header) {
            fake_set(&fake, cases[i].header, cases[i].value);
        }
        if (cases[i].body) {
            fake_body(&fake, "application/x-www-form-urlencoded", cases[i].body);
        }
        struct http_request request = request_of(&fake, &op);
        struct credential found = credential_find(&request, cases[i].places, false);
        const char *secret = cases[i].secret ? cases[i].secret : "";
        ok(str_equal(found.secret, str_of(secret)) && (found.kind == CREDENTIAL_TOKEN) == !!cases[i].secret,
           "%s %s", cases[i].target, cases[i].body ? cases[i].body : "");
    }
    test_packed_form(1000, "tmk_abc", "a key in a packed form");
    test_packed_form(MAX_FORM_BODY_BYTES, "", "not in one that is long");
    struct fake fake = fake_request("POST", "/api/v1/tmk_abc/telemetry");
    struct op op;
    struct http_request request = request_of(&fake, &op);
    ok(http_path_matches(&request, "/api/v1/{token}/telemetry"), "a path with a token");
    is_view(credential_find(&request, CREDENTIAL_IN_PATH, false).secret, "tmk_abc", "shows it");
}

static void test_csrf(void)
{
    char a[CSRF_SIZE], b[CSRF_SIZE];
    struct http_response response;
    const char *first, *second;
    struct op op;

    csrf_token(STR("secret a"), a);
    csrf_token(STR("secret b"), b);
    ok(strcmp(a, b) != 0, "sessions have different form tokens");
    ok(csrf_is_valid(a, str_of(a)), "a form token is accepted by its own session");
    ok(!csrf_is_valid(a, str_of(b)), "and by no other");
    ok(!csrf_is_valid(a, (struct str){ NULL, 0 }), "a form without one is refused");
    ok(!csrf_is_valid(a, (struct str){ a, strlen(a) - 1 }), "a part of one is refused");
    ok(!csrf_is_valid(NULL, STR("")), "where none is expected none is right");

    struct fake fake = fake_request("GET", "/login");
    struct http_request request = request_of(&fake, &op);
    http_response_init(&response, arena);
    is_int(csrf_before_login(&request, &response, false, &first), OK, "the login form gets a token");
    const char *cookie = http_response_header(&response, "Set-Cookie");
    ok(cookie && strstr(cookie, "HttpOnly; SameSite=Lax") && !strstr(cookie, "Secure"), "bound to a cookie");
    char pair[128];
    snprintf(pair, sizeof pair, "%.*s", (int)strcspn(cookie, ";"), cookie);
    char shown[CSRF_SIZE];
    snprintf(shown, sizeof shown, "%s", first);
    fake_set(&fake, "HTTP_COOKIE", pair);
    request = request_of(&fake, &op);
    http_response_init(&response, arena);
    is_int(csrf_before_login(&request, &response, false, &second), OK, "which comes back with the form");
    is_str(second, shown, "and gives the same token");
    ok(!http_response_header(&response, "Set-Cookie"), "and no new cookie");
}

static void test_cookies(void)
{
    struct fake fake = fake_request("GET", "/");
    struct config config = { .public_url = NULL };
    struct http_response response;
    struct op op;
    struct http_request request = request_of(&fake, &op);

    ok(!cookie_is_secure(&config, &request), "plain http at home has plain cookies");
    request.is_https = true;
    ok(cookie_is_secure(&config, &request), "https has secure ones");
    config.public_url = "http://tide.example";
    ok(!cookie_is_secure(&config, &request), "PUBLIC_URL decides where it is set");
    config.public_url = "HTTPS://tide.example";
    ok(cookie_is_secure(&config, &request), "either way");
    http_response_init(&response, arena);
    ok(cookie_write(&response, "tidemark_session", "abc", true, 60), "a secure cookie is written");
    is_str(http_response_header(&response, "Set-Cookie"),
           "__Host-tidemark_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure",
           "with the __Host- prefix and what that asks for");
}

static void test_next(void)
{
    static const struct { const char *next, *path; } cases[] = {
        { "/devices?a=1", "/devices?a=1" }, { "", "/" }, { "devices", "/" }, { "//evil.example/", "/" },
        { "/\\evil.example", "/" }, { "https://evil.example", "/" }, { "/\tx", "/" }, { "/a\\b", "/" },
        { "/a\r\nb", "/" }, { "javascript:alert(1)", "/" },
    };
    struct op op;
    op_init(&op, arena, "test");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_str(login_next_path(&op, str_of(cases[i].next)), cases[i].path, "after the login: case %zu", i);
    }
}

static void test_throttled_address(void)
{
    /* Networks by RFC 4291, section 2.3. */
    static const struct { const char *address, *counted; } cases[] = {
        { "203.0.113.7", "203.0.113.7" }, { "::ffff:203.0.113.7", "203.0.113.7" },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" }, { "2001:db8:1:2::ffff", "2001:db8:1:2::/64" },
        { "2001:db8:1:3::1", "2001:db8:1:3::/64" }, { "::1", "::/64" }, { "unix:", "unix:" }, { "", "" },
    };
    struct op op;
    op_init(&op, arena, "test");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_str(login_throttled_address(&op, str_of(cases[i].address)), cases[i].counted,
               "failed logins from \"%s\" are counted together", cases[i].address);
    }
}

static void test_tokens(void)
{
    char a[TOKEN_SIZE], b[TOKEN_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES], other[CRYPTO_HASH_BYTES];
    struct token_cache *cache = token_cache_new(16);
    struct identity who = { .kind = IDENTITY_DEVICE, .tenant_id = 7, .tenant_slug = "acme",
                            .tenant_name = "Acme", .tenant_timezone = "UTC", .device_key = "meter-1" };
    struct identity got;
    struct op op;

    token_make(a);
    token_make(b);
    ok(strcmp(a, b) != 0, "no two tokens are alike");
    is_int((int64_t)strlen(a), 36, "a token has 4 + 32 characters: 192 bits");
    ok(token_is_plausible(str_of(a)), "and looks like one");
    ok(!token_is_plausible(STR("tmk_")) && !token_is_plausible(STR("abcdefghijklmnopqrstuvwxyz")),
       "other texts do not");

    op_init(&op, arena, "test");
    token_hash(str_of(a), hash);
    token_hash(str_of(b), other);
    int64_t now_us = clock_monotonic_us();
    ok(!token_cache_find(cache, &op, hash, clock_monotonic_us(), &got), "an empty cache knows nothing");
    ok(token_cache_put(cache, hash, &who, now_us), "a first use is to be noted");
    ok(!token_cache_put(cache, hash, &who, now_us + 1), "one soon after is not");
    ok(token_cache_find(cache, &op, hash, clock_monotonic_us(), &got) && got.tenant_id == 7, "an answer is remembered");
    is_str(got.tenant_slug, "acme", "with its texts");
    is_str(got.device_key, "meter-1", "all of them");
    ok(got.tenant_currency == NULL, "a missing text stays missing");
    ok(!token_cache_find(cache, &op, other, clock_monotonic_us(), &got), "another token is not known by it");
    token_cache_put(cache, hash, &who, now_us - INT64_C(1000) * TOKEN_CACHE_AGE_MS);
    ok(!token_cache_find(cache, &op, hash, clock_monotonic_us(), &got), "an answer of %d ms is too old",
       TOKEN_CACHE_AGE_MS);
    token_cache_put(cache, hash, &who, now_us - INT64_C(900) * TOKEN_CACHE_AGE_MS);
    ok(!token_cache_find(cache, &op, hash, clock_monotonic_us(), &got), "shortly before that one caller asks again");
    ok(token_cache_find(cache, &op, hash, clock_monotonic_us(), &got), "while the others go on");
    token_cache_free(cache);
}

static const uint8_t *hash_of(uint32_t number)
{
    static uint8_t hashes[4][CRYPTO_HASH_BYTES];

    crypto_sha256((struct str){ (const char *)&number, sizeof number }, hashes[number % 4]);
    return hashes[number % 4];
}

/* Whether the cache knows the token of a number at that time. */
static bool knows(struct token_cache *cache, uint32_t number, int64_t now_us)
{
    struct identity got;
    struct op op;

    op_init(&op, arena, "test");
    return token_cache_find(cache, &op, hash_of(number), now_us, &got);
}

/* Tokens 0 and 1 of tenant 7, 2 of tenant 8. */
static void learn(struct token_cache *cache, int64_t asked_us)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct identity who = { .kind = IDENTITY_DEVICE, .tenant_id = i < 2 ? 7 : 8,
                                .tenant_slug = "acme", .tenant_timezone = "UTC" };
        (void)token_cache_put(cache, hash_of(i), &who, asked_us);
    }
}

static void test_told_tokens(void)
{
    const int64_t age_us = TOKEN_CACHE_AGE_MS * INT64_C(1000);
    const int64_t long_us = NAME_CACHE_LONG_MS * INT64_C(1000);
    const struct token_change token = { 7, hash_of(0) }, tenant = { 7, NULL };
    struct token_cache *cache = token_cache_new(16);
    int64_t begin_us = clock_monotonic_us();

    learn(cache, begin_us - 1);
    token_cache_hear(cache, NULL, 0, begin_us);
    ok(!knows(cache, 0, begin_us + age_us),
       "what was asked for before changes were listened to holds for seconds");
    int64_t asked_us = clock_monotonic_us() + 1; /* later than all that was heard so far */
    learn(cache, asked_us);
    ok(knows(cache, 0, begin_us + age_us - 1), "what was asked for since holds");
    ok(!knows(cache, 0, begin_us + age_us + 1), "  unless nothing was heard for some seconds");
    token_cache_hear(cache, NULL, 0, begin_us + long_us);
    ok(knows(cache, 0, asked_us + long_us / 3), "  until something is");
    ok(!knows(cache, 0, asked_us + long_us), "nothing holds for ever");
    token_cache_hear(cache, &token, 1, begin_us);
    ok(!knows(cache, 0, asked_us + 1) && knows(cache, 1, asked_us + 1),
       "a token that changed has to be asked for, no other");
    learn(cache, asked_us);
    ok(!knows(cache, 0, asked_us + 1), "and is not taken from who asked before the change was told");
    asked_us = clock_monotonic_us() + 1;
    learn(cache, asked_us);
    ok(knows(cache, 0, asked_us + 1), "who asks afterwards is believed");
    token_cache_hear(cache, &tenant, 1, begin_us);
    ok(!knows(cache, 0, asked_us + 1) && !knows(cache, 1, asked_us + 1) &&
           knows(cache, 2, asked_us + 1),
       "with a tenant all of its tokens have to be asked for, no others");
    asked_us = clock_monotonic_us() + 1;
    learn(cache, asked_us);
    ok(knows(cache, 0, asked_us + 1) && knows(cache, 1, asked_us + 1), "  and are known again");
    token_cache_lose_track(cache);
    ok(knows(cache, 2, asked_us + 1) && !knows(cache, 2, asked_us + age_us),
       "without the changes all hold for seconds again");
    token_cache_free(cache);
}

static void test_token_uses(void)
{
    struct token_cache *cache = token_cache_new(64);
    int64_t now_us = clock_monotonic_us() + 3600 * US_PER_SECOND;
    struct token_use uses[4];

    token_cache_hear(cache, NULL, 0, now_us);
    for (uint32_t i = 0; i < 3; i++) {
        struct identity who = { .kind = IDENTITY_DEVICE, .tenant_id = 7, .token_id = i + 1 };
        if (token_cache_put(cache, hash_of(i), &who, now_us - 100 * US_PER_SECOND)) {
            ok(false, "who asked need not do it");
        }
    }
    is_int((int64_t)token_cache_take_uses(cache, uses, 4), 3, "uses of tokens that were asked for are to be noted");
    ok(knows(cache, 0, now_us) && knows(cache, 1, now_us), "two of them go on");
    size_t n = token_cache_take_uses(cache, uses, 1);
    ok(n == 1 && token_cache_take_uses(cache, uses + 1, 1) == 1 &&
           uses[0].token_id + uses[1].token_id == 3,
       "a minute later theirs are to be noted again, as many as are wanted at once");
    is_int((int64_t)token_cache_take_uses(cache, uses, 4), 0, "once");
    token_cache_free(cache);
}

/* Many more tokens than there is room for: the cache holds as many as it was made for. */
static void test_many_tokens(void)
{
    struct token_cache *cache = token_cache_new(16);
    struct identity who = { .kind = IDENTITY_DEVICE, .tenant_id = 7 };
    uint8_t hash[CRYPTO_HASH_BYTES];
    int64_t now_us = clock_monotonic_us();
    int n_found = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < 1000; i++) {
            struct identity got;
            struct op op;
            arena_reset(arena);
            op_init(&op, arena, "test");
            crypto_sha256((struct str){ (const char *)&i, sizeof i }, hash);
            if (pass == 0) {
                (void)token_cache_put(cache, hash, &who, now_us + i);
            } else {
                n_found += token_cache_find(cache, &op, hash, clock_monotonic_us(), &got);
            }
        }
    }
    ok(n_found >= 8 && n_found <= 16,
       "of a thousand tokens the cache remembers as many as it has room for (%d)", n_found);
    token_cache_free(cache);
}

static void test_passwords(void)
{
    static const struct { const char *password; enum err err; const char *about; } cases[] = {
        { "correct horse", OK, "an ordinary one is accepted" }, { "1234567", ERR_INVALID, "a short one is refused" },
        { "aaaaaaaaaa", ERR_INVALID, "one repeated character is refused" },
        { "Ann@Example.org", ERR_INVALID, "the e-mail is refused" },
        { "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", ERR_INVALID, "what is not UTF-8 is refused" },
    };
    char encoded[CRYPTO_PASSWORD_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct op op;
        op_init(&op, arena, "test");
        is_int(password_check(&op, str_of(cases[i].password), STR("ann@example.org")), cases[i].err, "%s",
               cases[i].about);
    }
    ok(crypto_password_hash(STR("correct horse"), encoded), "a password is hashed");
    ok(password_fits(STR("correct horse"), encoded), "and fits its hash");
    int64_t began_us = clock_monotonic_us();
    ok(!password_fits(STR("wrong horse"), encoded), "another does not");
    int64_t wrong_us = clock_monotonic_us() - began_us;
    began_us = clock_monotonic_us();
    ok(!password_fits(STR("correct horse"), NULL), "nobody's password fits nothing");
    int64_t nobody_us = clock_monotonic_us() - began_us;
    ok(nobody_us > wrong_us / 4, "and takes its time: %lld µs, a wrong one %lld", (long long)nobody_us,
       (long long)wrong_us);
}

int main(void)
{
    if (!crypto_open()) {
        return 1;
    }
    arena = arena_new(4 << 20);
    test_headers();
    test_places();
    test_conventions();
    test_csrf();
    test_cookies();
    test_next();
    test_throttled_address();
    test_tokens();
    test_many_tokens();
    test_told_tokens();
    test_token_uses();
    test_passwords();
    arena_free(arena);
    return done_testing();
}
