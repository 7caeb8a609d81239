/* emoncms's input/post and input/bulk on whatever bytes: as a form, as one field's value, as zlib; and
 * encrypted, in base64 or as what is in it. */
#include "convention_fuzz.h"

#include "auth/sealed.h"

#define FORM "application/x-www-form-urlencoded"

/* `name=` and the bytes, each as %XX, so that all of them reach the field. */
static void fuzz_field(const struct ingest_format *format, const char *pattern, const char *query,
                       const char *name, struct str value)
{
    struct arena *arena = arena_new(64u << 20);
    struct buf form;

    buf_init(&form, arena, 32u << 20);
    buf_printf(&form, "%s=", name);
    for (size_t i = 0; i < value.len; i++) {
        buf_printf(&form, "%%%02X", (unsigned char)value.ptr[i]);
    }
    if (!form.is_broken) {
        fuzz_format(format, pattern, query, FORM, buf_str(&form));
    }
    arena_free(arena);
}

/* Nobody opens it: a body that fits the key would have to be found. */
static void fuzz_sealed(struct str body)
{
    static const struct token_keys keys = { .n = 2 };
    struct arena *arena = arena_new(64u << 20);
    struct http_request request = { .body = body, .is_body_read = true,
                                    .content_type = STR("aes128cbcgz") };
    char token[TOKEN_SIZE];
    struct op op;

    op_init(&op, arena, "fuzz");
    request.op = &op;
    require(sealed_open(&request, STR("1:00"), &keys, token) == OK && token[0] == '\0',
            "what is not authentic opens nothing");
    require(str_equal(request.body, body) && !request.receipt, "and changes nothing");
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    fuzz_format(&ingest_format_emoncms_post, "/input/post", "/input/post", FORM, body);
    fuzz_field(&ingest_format_emoncms_post, "/input/post", "/input/post", "json", body);
    fuzz_field(&ingest_format_emoncms_post, "/input/post", "/input/post", "fulljson", body);
    fuzz_format(&ingest_format_emoncms_bulk, "/input/bulk", "/input/bulk", FORM, body);
    fuzz_field(&ingest_format_emoncms_bulk, "/input/bulk", "/input/bulk?time=1795175000", "data", body);
    fuzz_format(&ingest_format_emoncms_bulk, "/input/bulk", "/input/bulk?cb=1&offset=-10", "", body);
    char *text = malloc(CRYPTO_BASE64URL_SIZE(size));
    crypto_base64url(data, size, text);
    fuzz_sealed(str_of(text));
    fuzz_sealed(body);
    free(text);
    return 0;
}
