/* One operation on the store that the environment names, for tests/http/objects.t: prints what became
 * of it, "OK" or the failure's status and detail. Without arguments it checks what a directory does.
 *
 *   put KEY BYTES    get KEY    head KEY    list PREFIX    prepare    sweep
 *   presign KEY SECONDS    prints an address of a minute's use from so many seconds ago on */
#include "objects_test.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "objects/s3_sign.h"

#define PIECE_BYTES (1u << 16)

static enum err put(struct store *store, const char *key, long long size)
{
    static char piece[PIECE_BYTES];
    struct store_put *put;
    enum err err = store_put_begin(store, &op, key, &put);

    if (err != OK) {
        return err;
    }
    for (long long left = size; left > 0 && err == OK; left -= PIECE_BYTES) {
        memset(piece, (int)(left & 0x7f), sizeof piece);
        err = store_put_write(put, &op, (struct str){ piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES });
    }
    if (err != OK) {
        store_put_abort(put);
        return err;
    }
    struct store_written written;
    err = store_put_finish(put, &op, &written);
    if (err == OK) {
        char hex[CRYPTO_HEX_SIZE];
        crypto_hex(written.sha256, sizeof written.sha256, hex);
        printf("%s ", hex);
    }
    return err;
}

static enum err add_bytes(void *context, struct op *with, struct str bytes)
{
    (void)with;
    sha256_add(context, bytes);
    return OK;
}

static enum err get(struct store *store, const char *key)
{
    struct sha256 sha;
    uint8_t hash[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HEX_SIZE];

    if (!sha256_open(&sha)) {
        return ERR_INTERNAL;
    }
    enum err err = store_get(store, &op, key, STORE_WHOLE, add_bytes, &sha);
    if (err == OK && sha256_end(&sha, hash)) {
        crypto_hex(hash, sizeof hash, hex);
        printf("%s ", hex);
    }
    sha256_close(&sha);
    return err;
}

static enum err list(struct store *store, const char *prefix)
{
    struct store_page page;
    enum err err = store_list(store, &op, prefix, NULL, STORE_MAX_LIST, &page);

    if (err == OK) {
        printf("%d ", page.n);
    }
    return err;
}

/* For a bucket by the path. */
static enum err presign(const char *key, long long age_s)
{
    const struct s3_keys keys = { config.s3_access_key, config.s3_secret_key, config.s3_region };
    const char *host = strstr(config.s3_endpoint, "://") + 3;
    struct s3_call call = { .method = "GET", .host = host, .time_us = clock_now_us() - age_s * US_PER_SECOND };
    struct buf path;

    buf_init(&path, op.arena, 4000);
    buf_printf(&path, "/%s/", config.s3_bucket);
    s3_encode(&path, str_of(key), true);
    buf_add_char(&path, '\0');
    call.path = path.data;
    const char *address = s3_presign(op.arena, &keys, &call, 60);
    if (path.is_broken || !address) {
        return fail_memory(&op);
    }
    printf("%s%s ", config.s3_endpoint, address);
    return OK;
}

static enum err run(struct store *store, int argc, char **argv)
{
    struct store_object object;
    long long number = 0;
    int n = 0;

    if (argc == 4 && !str_to_int64(str_of(argv[3]), &number)) {
        return ERR_MALFORMED;
    }
    if (strcmp(argv[1], "put") == 0 && argc == 4) {
        return put(store, argv[2], number);
    }
    if (strcmp(argv[1], "presign") == 0 && argc == 4) {
        return presign(argv[2], number);
    }
    if (strcmp(argv[1], "get") == 0 && argc == 3) {
        return get(store, argv[2]);
    }
    if (strcmp(argv[1], "head") == 0 && argc == 3) {
        return store_head(store, &op, argv[2], &object);
    }
    if (strcmp(argv[1], "list") == 0 && argc == 3) {
        return list(store, argv[2]);
    }
    return strcmp(argv[1], "sweep") == 0 ? store_sweep(store, &op, -3600, &n) : store_prepare(store, &op);
}

/* A store that cannot be written: what it says, and that nothing is there. */
static void test_refused(struct store *store)
{
    char *blocked = arena_printf(op.arena, "%s/objects", config.home);
    FILE *file = fopen(blocked, "w");

    ok(file && fclose(file) == 0, "a file stands where the directory should");
    is_int(put(store, "a/b", 10), ERR_UNAVAILABLE, "nothing can be written");
    ok(strstr(op.fault.detail, blocked) != NULL, "the failure names it: %s", op.fault.detail);
    op_clear_fault(&op);
    is_int(get(store, "a/b"), ERR_NOT_FOUND, "nothing is there");
    show_fault();
    ok(unlink(blocked) == 0 && rmdir(config.home) == 0, "removed");
}

int main(int argc, char **argv)
{
    struct store *store;

    open_config();
    if (store_open(&op, &config, &store) != OK) {
        printf("%s\n", op.fault.detail);
        return 1;
    }
    if (argc > 1) {
        enum err err = run(store, argc, argv);
        printf("%s%s%s\n", err == OK ? "OK" : err_row(err)->slug, err == OK ? "" : " ", op.fault.detail);
    } else {
        test_refused(store);
    }
    store_close(store);
    arena_free(op.arena);
    config_free(&config);
    return argc > 1 ? 0 : done_testing();
}
