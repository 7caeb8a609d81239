/* What every store promises: an object is whole or not there, whatever its size and key; ranges,
 * lists by pages, removal, and nothing left of what was not finished. Over a directory, or over the
 * S3 server that the environment names (tests/http/objects.t starts one). */
#include "objects_test.h"

#include "base/clock.h"

#define MIB (1u << 20)

static struct store *store;
static char prefix[64]; /* of this run */

/* Begins the next case: its memory and its failure are its own. */
static void begin(void)
{
    arena_reset(op.arena);
    op_init(&op, op.arena, "test");
}

static const char *key_of(const char *name)
{
    return arena_printf(op.arena, "%s/%s", prefix, name);
}

/* `len` bytes that repeat nowhere soon, of a seed. */
static struct str bytes_of(size_t len, uint64_t seed)
{
    char *bytes = arena_alloc(op.arena, len + 8);
    uint64_t state = seed * 2 + 1;

    for (size_t i = 0; i < len; i += 8) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(bytes + i, &state, 8);
    }
    return (struct str){ bytes, len };
}

struct gathered {
    char *bytes;
    size_t len;
};

static enum err gather(void *context, struct op *with, struct str bytes)
{
    struct gathered *all = context;

    (void)with;
    memcpy(all->bytes + all->len, bytes.ptr, bytes.len);
    all->len += bytes.len;
    return OK;
}

/* The object's bytes in the range are those. */
static bool holds(const char *key, struct store_range range, struct str bytes)
{
    struct gathered all = { arena_alloc(op.arena, bytes.len + 64 * MIB / 8), 0 };
    enum err err = store_get(store, &op, key, range, gather, &all);

    show_fault();
    return err == OK && str_equal((struct str){ all.bytes, all.len }, bytes);
}

static bool is_there(const char *key)
{
    struct store_object object;
    enum err err = store_head(store, &op, key, &object);

    op_clear_fault(&op);
    return err == OK;
}

/* ---- sizes ---- */

static void test_size(size_t size, size_t piece)
{
    begin();
    struct str bytes = bytes_of(size, size);
    const char *key = key_of("size");
    struct store_put *put = NULL;
    struct store_written written;
    struct store_object object = { 0 };
    uint8_t sha256[CRYPTO_HASH_BYTES];

    enum err err = store_put_begin(store, &op, key, &put);
    for (size_t at = 0; err == OK && at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        err = store_put_write(put, &op, (struct str){ bytes.ptr + at, n });
    }
    ok(err == OK && store_put_finish(put, &op, &written) == OK, "%zu bytes are written", size);
    show_fault();
    crypto_sha256(bytes, sha256);
    ok(written.size == (int64_t)size && memcmp(written.sha256, sha256, sizeof sha256) == 0,
       "%zu bytes are counted and hashed", size);
    ok(store_head(store, &op, key, &object) == OK && object.size == (int64_t)size &&
           strcmp(object.key, key) == 0,
       "%zu bytes are told", size);
    int64_t age_us = clock_now_us() - object.modified_us;
    ok(age_us > -5 * US_PER_SECOND && age_us < 60 * US_PER_SECOND, "when it was written, too");
    ok(holds(key, STORE_WHOLE, bytes), "%zu bytes are read", size);
}

/* ---- keys ---- */

static const char *const ODD_KEYS[] = {
    "plain.txt",         "with space",           "a+b%2Bc&d=e#f?g", "%41%2f%00", "Übergröße Δ 日本",
    "emoji 🌊/in folder", "quote'\"(brackets)[]{}", "semi;colon:@,$!*", "back\\slash", "~tilde-_.end",
    "trailing ",         "x=1/y=2/z.parquet",
};
#define N_ODD (int)(sizeof ODD_KEYS / sizeof ODD_KEYS[0])

static void test_keys(void)
{
    struct store_page page;
    char *odd;

    for (int i = 0; i < N_ODD; i++) {
        begin();
        odd = arena_printf(op.arena, "%s/odd/%s", prefix, ODD_KEYS[i]);
        struct str content = str_of(ODD_KEYS[i]);
        ok(store_put_bytes(store, &op, odd, content, NULL) == OK && holds(odd, STORE_WHOLE, content),
           "a key: %s", i == 7 ? "with punctuation" : ODD_KEYS[i][0] == '#' ? "#" : "of odd characters");
        ok(store_list(store, &op, odd, NULL, 10, &page) == OK && page.n == 1 &&
               strcmp(page.objects[0].key, odd) == 0,
           "it is listed as it was written");
        show_fault();
    }
    begin();
    ok(store_list(store, &op, key_of("odd/"), NULL, 1000, &page) == OK && page.n == N_ODD && !page.next,
       "all of them are listed");
    const char *keys[N_ODD];
    for (int i = 0; i < page.n; i++) {
        keys[i] = page.objects[i].key;
    }
    ok(store_delete_many(store, &op, keys, page.n) == OK, "all of them are removed at once");
    show_fault();
    ok(store_list(store, &op, key_of("odd/"), NULL, 1000, &page) == OK && page.n == 0,
       "and none is listed any more");
}

static void test_no_store(void)
{
    struct store_put *put;

    begin();
    ok(store_put_begin(NULL, &op, key_of("x"), &put) == ERR_UNAVAILABLE, "without a store nothing is written");
    begin();
    ok(store_get(NULL, &op, key_of("x"), STORE_WHOLE, NULL, NULL) == ERR_UNAVAILABLE, "nor read");
}

static void test_no_keys(void)
{
    static const char *const none[] = { "", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".put/x",
                                        "a/.b", "a\nb", "\xff", "\xed\xa0\x80" };
    struct str bytes = STR("x");

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        begin();
        is_int(store_put_bytes(store, &op, none[i], bytes, NULL), ERR_INTERNAL, "no key, %zu", i);
    }
    begin();
    char *long_key = arena_alloc(op.arena, 300);
    memset(long_key, 'a', 201);
    is_int(store_put_bytes(store, &op, long_key, bytes, NULL), ERR_INTERNAL, "a segment too long");
}

/* ---- ranges ---- */

static void test_ranges(void)
{
    begin();
    struct str bytes = bytes_of(200000, 7);
    const char *key = key_of("ranges");
    char some[100];

    ok(store_put_bytes(store, &op, key, bytes, NULL) == OK, "an object to read from");
    ok(holds(key, (struct store_range){ 0, 1 }, (struct str){ bytes.ptr, 1 }), "its first byte");
    ok(holds(key, (struct store_range){ 199999, 1 }, (struct str){ bytes.ptr + 199999, 1 }),
       "its last byte");
    ok(holds(key, (struct store_range){ 65530, 70000 }, (struct str){ bytes.ptr + 65530, 70000 }),
       "a piece of it");
    ok(holds(key, (struct store_range){ 150000, -1 }, (struct str){ bytes.ptr + 150000, 50000 }),
       "from somewhere to its end");
    ok(store_read(store, &op, key, 1234, sizeof some, some) == OK &&
           memcmp(some, bytes.ptr + 1234, sizeof some) == 0,
       "a hundred bytes into memory");
    is_int(store_read(store, &op, key, 199950, sizeof some, some), ERR_INTERNAL,
           "more than there is, is an error");
    begin();
    is_int(store_read(store, &op, key_of("nothing"), 0, 1, some), ERR_NOT_FOUND, "nothing to read");
}

static enum err refuse(void *context, struct op *with, struct str bytes)
{
    *(size_t *)context += bytes.len;
    return fail(with, ERR_CONFLICT, "enough");
}

static void test_sink(void)
{
    size_t seen = 0;

    begin();
    struct str bytes = bytes_of(3 * MIB, 9);
    ok(store_put_bytes(store, &op, key_of("sink"), bytes, NULL) == OK, "an object to be refused");
    is_int(store_get(store, &op, key_of("sink"), STORE_WHOLE, refuse, &seen), ERR_CONFLICT,
           "what a sink says ends the reading");
    ok(seen > 0 && seen < bytes.len, "at once");
    op_clear_fault(&op);
    ok(holds(key_of("sink"), STORE_WHOLE, bytes), "and the next reading is whole");
}

/* ---- visible when whole ---- */

static void test_visibility(size_t size)
{
    struct store_put *put = NULL;
    struct str old = STR("old");

    begin();
    const char *key = key_of("visible"), *other = key_of("never");
    struct str bytes = bytes_of(size, 3);
    ok(store_put_begin(store, &op, key, &put) == OK && store_put_write(put, &op, bytes) == OK &&
           !is_there(key),
       "%zu bytes: not there before it is finished", size);
    ok(store_put_finish(put, &op, NULL) == OK && holds(key, STORE_WHOLE, bytes), "there when it is");
    ok(store_put_bytes(store, &op, key, old, NULL) == OK && holds(key, STORE_WHOLE, old),
       "written again it is another");
    ok(store_put_begin(store, &op, key, &put) == OK && store_put_write(put, &op, bytes) == OK, "begun");
    store_put_abort(put);
    ok(holds(key, STORE_WHOLE, old), "%zu bytes: aborted, it is as it was", size);
    ok(store_put_begin(store, &op, other, &put) == OK && store_put_write(put, &op, bytes) == OK, "begun");
    store_put_abort(put);
    ok(!is_there(other), "%zu bytes: aborted, it is not there", size);
    ok(store_delete(store, &op, key) == OK && !is_there(key), "removed, it is gone");
    ok(store_delete(store, &op, key) == OK, "and may be removed again");
}

static void test_two_at_once(void)
{
    struct store_put *a = NULL, *b = NULL;

    begin();
    struct str one = bytes_of(6 * MIB, 1), two = bytes_of(6 * MIB, 2);
    ok(store_put_begin(store, &op, key_of("one"), &a) == OK &&
           store_put_begin(store, &op, key_of("two"), &b) == OK &&
           store_put_write(a, &op, one) == OK && store_put_write(b, &op, two) == OK &&
           store_put_finish(b, &op, NULL) == OK && store_put_finish(a, &op, NULL) == OK,
       "two are written at once");
    show_fault();
    ok(holds(key_of("one"), STORE_WHOLE, one) && holds(key_of("two"), STORE_WHOLE, two),
       "and are not mixed");
}

/* ---- lists ---- */

static void test_list(void)
{
    static const char *const names[] = { "a-b/1", "a-c", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "c" };
    const int n = sizeof names / sizeof names[0];
    struct store_page page = { 0 };
    int seen = 0;
    bool is_in_order = true;

    begin();
    for (int i = n - 1; i >= 0; i--) {
        ok(store_put_bytes(store, &op, key_of(arena_printf(op.arena, "list/%s", names[i])),
                           str_of(names[i]), NULL) == OK, "written: %d", i);
    }
    const char *folder = key_of("list/"), *after = NULL;
    do {
        if (store_list(store, &op, folder, after, 3, &page) != OK) {
            break;
        }
        for (int i = 0; i < page.n; i++, seen++) {
            is_in_order = is_in_order && seen < n &&
                          strcmp(page.objects[i].key + strlen(folder), names[seen]) == 0 &&
                          page.objects[i].size == (int64_t)strlen(names[seen]);
        }
        after = page.next;
    } while (after);
    show_fault();
    ok(seen == n && is_in_order, "pages of three list all in the order of their bytes");
    ok(store_list(store, &op, key_of("list/a"), NULL, 100, &page) == OK && page.n == 6,
       "a prefix may end within a name");
    ok(store_list(store, &op, key_of("list/a/2/"), NULL, 100, &page) == OK && page.n == 2, "or a folder");
    ok(store_list(store, &op, key_of("list/a/2/x"), NULL, 2, &page) == OK && page.n == 1 && !page.next,
       "or be a whole key");
    ok(store_list(store, &op, key_of("nowhere/"), NULL, 2, &page) == OK && page.n == 0 && !page.next,
       "or lead nowhere");
}

/* A folder that may not be read, which only somebody who is not root can meet. */
static void test_list_of_the_unreadable(void)
{
    static const char *const keys[] = { "a/1", "b/2" };
    static char folder[] = "/tmp/tidemark-unreadable-XXXXXX";
    const uid_t nobody = 65534, own = geteuid();
    struct store_page page = { 0 };
    struct store *other = NULL;
    bool is_whole;

    begin();
    if ((own == 0 && seteuid(nobody) != 0) || !mkdtemp(folder)) {
        abort();
    }
    const char *closed = arena_printf(op.arena, "%s/a", folder);
    ok(store_open_folder(&op, folder, &other) == OK && store_prepare(other, &op) == OK, "a folder");
    for (int i = 0; i < 2; i++) {
        ok(store_put_bytes(other, &op, keys[i], STR("x"), NULL) == OK, "with %s", keys[i]);
    }
    is_whole = store_list(other, &op, "", NULL, 9, &page) == OK && page.n == 2;
    ok(is_whole && chmod(closed, 0) == 0, "is listed");
    ok(store_list(other, &op, "", NULL, 9, &page) == ERR_INTERNAL && strstr(op.fault.detail, closed),
       "what cannot be read of it is not passed over");
    begin();
    ok(store_list(other, &op, "a/", NULL, 9, &page) == ERR_INTERNAL, "and not taken to be empty");
    begin();
    ok(store_list(other, &op, "b/", NULL, 9, &page) == OK && page.n == 1, "it is in nobody's way else");
    closed = arena_printf(op.arena, "%s/a", folder);
    ok(chmod(closed, 0400) == 0 && store_list(other, &op, "", NULL, 9, &page) == ERR_INTERNAL,
       "names alone are not enough");
    begin();
    ok(chmod(arena_printf(op.arena, "%s/a", folder), 0700) == 0 &&
           store_list(other, &op, "b/2/3", NULL, 9, &page) == OK && page.n == 0,
       "nothing is below an object");
    ok(store_delete_many(other, &op, keys, 2) == OK, "emptied");
    ok(rmdir(arena_printf(op.arena, "%s/.put", folder)) == 0 && rmdir(folder) == 0, "and removed");
    store_close(other);
    if (own == 0 && seteuid(own) != 0) {
        abort();
    }
}

/* The folder itself is a link, and so is one in it: followed. One that leads nowhere, or round in a circle,
 * is told of, and an object is no link. */
static void test_links(void)
{
    static char folder[] = "/tmp/tidemark-links-XXXXXX";
    static const char *const keys[] = { "a-b/1", "a/1", "a/2", "b/1" }; /* "a" is a link */
    struct store_page page = { 0 };
    struct arena *paths = arena_new(65536);
    struct store *other = NULL;

    begin();
    if (!mkdtemp(folder)) {
        abort();
    }
    const char *root = arena_printf(paths, "%s/root", folder);
    const char *link = arena_printf(paths, "%s/link", folder), *moved = arena_printf(paths, "%s/moved", folder);
    const char *a = arena_printf(paths, "%s/a", root), *lost = arena_printf(paths, "%s/b/lost", root);
    ok(mkdir(root, 0700) == 0 && symlink(root, link) == 0 && mkdir(moved, 0700) == 0 && symlink(moved, a) == 0,
       "links to folders");
    ok(store_open_folder(&op, link, &other) == OK && store_prepare(other, &op) == OK && store_check(other, &op) == OK,
       "a link to a folder is a store");
    for (int i = 0; i < 4; i++) {
        ok(store_put_bytes(other, &op, keys[i], STR("x"), NULL) == OK, "%s is written", keys[i]);
        show_fault();
    }
    ok(access(arena_printf(paths, "%s/2", moved), F_OK) == 0, "where the links lead");
    int seen = 0;
    const char *after = NULL;
    do {
        ok(store_list(other, &op, "", after, 1, &page) == OK && page.n == 1 && seen < 4 &&
               strcmp(page.objects[0].key, keys[seen++]) == 0, "and listed in the order of keys");
        show_fault();
        after = page.next;
    } while (after);
    is_int(seen, 4, "all of them");
    ok(store_list(other, &op, "a/", NULL, 9, &page) == OK && page.n == 2, "of a link alone, too");
    ok(symlink("/nowhere/at/all", lost) == 0 && store_list(other, &op, "", NULL, 9, &page) == ERR_UNAVAILABLE &&
           strstr(op.fault.detail, "b/lost"), "a link that leads nowhere is not taken for nothing");
    begin();
    ok(unlink(lost) == 0 && symlink(root, lost) == 0 &&
           store_list(other, &op, "", NULL, 9, &page) == ERR_UNAVAILABLE && strstr(op.fault.detail, "b/lost"),
       "nor is one in a circle followed");
    begin();
    ok(unlink(lost) == 0 && symlink("/etc/passwd", lost) == 0 &&
           store_head(other, &op, "b/lost", &(struct store_object){ 0 }) == ERR_UNAVAILABLE, "an object is no link");
    begin();
    ok(unlink(lost) == 0 && store_delete_many(other, &op, keys, 4) == OK &&
           store_list(other, &op, "", NULL, 9, &page) == OK && page.n == 0, "removed");
    ok(access(a, F_OK) == 0 && access(moved, F_OK) == 0, "and the links stay");
    ok(unlink(a) == 0 && rmdir(moved) == 0 && unlink(link) == 0 &&
           rmdir(arena_printf(paths, "%s/.put", root)) == 0 && rmdir(root) == 0 && rmdir(folder) == 0, "gone");
    store_close(other);
    arena_free(paths);
}

/* ---- what is left behind ---- */

static void test_sweep(void)
{
    struct store_put *put = NULL;
    int n = -1;

    begin();
    ok(store_put_begin(store, &op, "upload/test/swept", &put) == OK &&
           store_put_write(put, &op, bytes_of(6 * MIB, 5)) == OK, "begun");
    ok(store_sweep(store, &op, 3600, &n) == OK && n == 0, "what is young is left alone");
    show_fault();
    ok(store_sweep(store, &op, -3600, &n) == OK && n == 1, "what is old is removed");
    ok(store_put_finish(put, &op, NULL) != OK && !is_there("upload/test/swept"),
       "and cannot be finished any more");
    begin();
    ok(store_sweep(store, &op, -3600, &n) == OK && n == 0, "nothing is left of anything");
}

static void remove_all(void)
{
    struct store_page page = { 0 };
    const char *keys[STORE_MAX_LIST];

    do {
        begin();
        if (store_list(store, &op, prefix, NULL, STORE_MAX_LIST, &page) != OK) {
            return;
        }
        for (int i = 0; i < page.n; i++) {
            keys[i] = page.objects[i].key;
        }
    } while (page.n > 0 && store_delete_many(store, &op, keys, page.n) == OK);
}

int main(void)
{
    open_config();
    ok(store_open(&op, &config, &store) == OK && store_prepare(store, &op) == OK, "a store");
    show_fault();
    diag("%s", store_name(store));
    uint8_t random[8];
    crypto_random(random, sizeof random);
    memcpy(prefix, "test/", 5);
    crypto_hex(random, sizeof random, prefix + 5);

    test_size(0, 1);
    test_size(1, 1);
    test_size(5 * MIB - 1, 65536);
    test_size(5 * MIB, 65536);
    test_size(5 * MIB + 1, 100003);
    test_size(10 * MIB, 10 * MIB);
    test_size(17 * MIB + 3, 333333);
    test_keys();
    test_no_keys();
    test_no_store();
    test_ranges();
    test_sink();
    test_visibility(1000);
    test_visibility(11 * MIB);
    test_two_at_once();
    test_list();
    test_list_of_the_unreadable();
    test_links();
    remove_all();
    test_sweep();
    store_close(store);
    if (!config.s3_endpoint) {
        char *put_dir = arena_printf(op.arena, "%s/objects/.put", config.home);
        ok(rmdir(put_dir) == 0 && rmdir(arena_printf(op.arena, "%s/objects", config.home)) == 0,
           "removed objects leave no folders behind");
    }
    rmdir(home);
    arena_free(op.arena);
    config_free(&config);
    return done_testing();
}
