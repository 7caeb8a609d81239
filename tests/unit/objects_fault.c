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
    is_int(get(store, "a/b"), ERR_UNAVAILABLE, "nor read");
    show_fault();
    ok(unlink(blocked) == 0 && rmdir(config.home) == 0, "removed");
}

/* Begins the next case: its memory and its failure are its own. */
static void begin(void)
{
    arena_reset(op.arena);
    op_init(&op, op.arena, "test");
}

/* Whether all that is done with a store fails as where its disk is not mounted. */
static void is_away(struct store *other, const char *folder, const char *how)
{
    struct store_object object;
    struct store_page page;
    struct store_put *put = NULL;
    char byte;
    int n;

    begin();
    ok(store_check(other, &op) == ERR_UNAVAILABLE && strstr(op.fault.detail, folder), "%s: no store", how);
    begin();
    ok(store_adopt(other, &op) == ERR_UNAVAILABLE, "  nor taken for one where objects should be");
    begin();
    ok(store_put_begin(other, &op, "a/2", &put) == ERR_UNAVAILABLE, "  nothing is put there");
    begin();
    ok(store_head(other, &op, "a/1", &object) == ERR_UNAVAILABLE, "  what should be there is not missing");
    begin();
    ok(store_read(other, &op, "a/1", 0, 1, &byte) == ERR_UNAVAILABLE, "  when it is read, either");
    begin();
    ok(store_list(other, &op, "a/", NULL, 9, &page) == ERR_UNAVAILABLE, "  nor is a list empty");
    begin();
    ok(store_delete(other, &op, "a/1") == ERR_UNAVAILABLE, "  nothing is removed");
    begin();
    ok(store_sweep(other, &op, 0, &n) == ERR_UNAVAILABLE, "  nor swept");
    begin();
}

/* Moves what the folder `from` has into the folder `to`. */
static bool move_all(const char *from, const char *to)
{
    static const char *const names[] = { ".put", "a" };
    bool is_moved = true;

    for (int i = 0; i < 2; i++) {
        is_moved &= rename(arena_printf(op.arena, "%s/%s", from, names[i]),
                           arena_printf(op.arena, "%s/%s", to, names[i])) == 0;
    }
    return is_moved;
}

/* A folder whose disk is not mounted is not there, or empty: what was in it is elsewhere. */
static void test_no_folder(void)
{
    static char above[] = "/tmp/tidemark-missing-XXXXXX", disk[] = "/tmp/tidemark-disk-XXXXXX";
    struct store *other = NULL, *named = NULL;
    struct config settings = { .home = above };
    char byte = ' ';

    begin();
    ok(mkdtemp(above) && mkdtemp(disk) && store_open(&op, &settings, &other) == OK, "no folder");
    const char *root = store_name(other);
    is_away(other, root, "a folder that is not there");
    ok(access(root, F_OK) != 0, "  nor is it made");
    ok(store_prepare(other, &op) == OK && store_check(other, &op) == OK, "it is made");
    ok(store_put_bytes(other, &op, "a/1", STR("x"), NULL) == OK && store_delete(other, &op, "a/2") == OK,
       "and lacks what is removed");
    ok(move_all(root, disk), "its disk is not mounted");
    is_away(other, root, "an empty folder");
    ok(rmdir(root) == 0, "  in which nothing was made");
    is_away(other, root, "none again");
    ok(mkdir(root, 0700) == 0 && move_all(disk, root), "mounted");
    ok(store_read(other, &op, "a/1", 0, 1, &byte) == OK && byte == 'x', "all is there");
    const char *mark = arena_printf(op.arena, "%s/.put", root);
    ok(rmdir(mark) == 0 && store_check(other, &op) == ERR_UNAVAILABLE, "without the mark it is no store");
    begin();
    ok(store_open_folder(&op, root, &named) == OK && store_read(named, &op, "a/1", 0, 1, &byte) == OK,
       "where somebody names it, it is read");
    ok(store_put_bytes(named, &op, "a/2", STR("x"), NULL) == ERR_UNAVAILABLE, "  and not written");
    begin();
    ok(store_adopt(other, &op) == OK && store_check(other, &op) == OK,
       "where objects should be, and are, it gets the mark");
    ok(store_delete(other, &op, "a/1") == OK && rmdir(arena_printf(op.arena, "%s/.put", root)) == 0, "removed");
    ok(rmdir(root) == 0 && rmdir(above) == 0 && rmdir(disk) == 0, "nothing is left");
    store_close(named);
    store_close(other);
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
        test_no_folder();
    }
    store_close(store);
    arena_free(op.arena);
    config_free(&config);
    return argc > 1 ? 0 : done_testing();
}
