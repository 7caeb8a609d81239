/* Manifests of archived days: what is written as one is read, and whatever else is there instead is
 * refused, by its key and with a reason. */
#include "tap.h"

#include "archive/manifest.h"

#define ID "0123456789abcdef0123456789abcdef"
#define FOLDER "tenant=acme/day=2026-11-20/"
#define KEY "archive/samples/" FOLDER ID ".json"
#define SUM "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define HEAD                                                                                       \
    "{\"table\": \"samples\", \"tenant\": \"acme\", \"day\": \"2026-11-20\", \"number\": 2, "      \
    "\"written_at\": \"2026-11-24T01:02:03.000004Z\", \"files\": ["
#define FILE_OF(KIND, FOLDERS, NAME, MORE)                                                         \
    "{\"kind\": \"" KIND "\", \"object\": \"archive/" FOLDERS NAME ".parquet\", \"rows\": 7, "     \
    "\"bytes\": 900, \"sha256\": \"" SUM "\"" MORE "}"
#define ROWS FILE_OF("rows", "samples/" FOLDER, ID, "")
#define VOIDS FILE_OF("tombstones", "samples.tombstones/" FOLDER, ID, "")
#define TAIL "]}"

static struct arena *arena;

static enum err parse(const char *key, const char *text, struct op *op, struct manifest *out)
{
    arena_reset(arena);
    op_init(op, arena, "test");
    return manifest_parse(op, key, str_of(text), out);
}

static void test_sound(void)
{
    struct manifest got;
    struct op op;

    is_int(parse(KEY, HEAD ROWS ", " VOIDS TAIL, &op, &got), OK, "a manifest of two files is read");
    is_int(got.n, 2, "  with its number");
    is_int(got.n_files, 2, "  and both");
    is_int(got.written_us, INT64_C(1795482123000004), "  when it was written");
    is_str(got.files[1].object, "archive/samples.tombstones/" FOLDER ID ".parquet", "  their keys");
    is_str(got.files[1].tenant, "acme", "  and whose they are");
    is_int(got.files[0].n_rows, 7, "  rows");
    is_int(got.files[0].n_bytes, 900, "  bytes");
    is_int((unsigned char)got.files[0].sha256.ptr[31], 0x08, "  and checksums");
    is_int(parse(KEY, HEAD FILE_OF("rows", "samples/" FOLDER, ID, ", \"new\": [1]") TAIL, &op, &got),
           OK, "what is not known of a file is passed over");
}

static const struct {
    const char *what, *key, *text, *why;
} bad[] = {
    { "nothing", KEY, "", "it is empty" },
    { "one that was cut", KEY, HEAD ROWS, "" },
    { "one that goes on", KEY, HEAD ROWS TAIL "{}", "" },
    { "an array", KEY, "[]", "" },
    { "a number", KEY, "12", "" },
    { "no UTF-8", KEY, "{\"table\": \"\xff\"}", "" },
    { "an empty object", KEY, "{}", "a part of it is missing" },
    { "files that are none", KEY, "{\"files\": 12}", "" },
    { "files that are texts", KEY, HEAD "\"x\"" TAIL, "" },
    { "no file", KEY, HEAD TAIL, "a part of it is missing" },
    { "a file without anything", KEY, HEAD "{}" TAIL, "a part of it is missing" },
    { "a file twice", KEY, HEAD ROWS ", " ROWS TAIL, "it has a file twice" },
    { "three files", KEY, HEAD ROWS ", " VOIDS ", " ROWS TAIL, "it has too many files" },
    { "a file of another kind", KEY, HEAD FILE_OF("none", "samples/" FOLDER, ID, "") TAIL,
      "a file is of no known kind" },
    { "rows below zero", KEY, HEAD FILE_OF("rows", "samples/" FOLDER, ID, ", \"rows\": -1") TAIL,
      "a number is out of bounds" },
    { "half a byte", KEY, HEAD FILE_OF("rows", "samples/" FOLDER, ID, ", \"bytes\": 0.5") TAIL,
      "a number is out of bounds" },
    { "a short sum", KEY, HEAD FILE_OF("rows", "samples/" FOLDER, ID, ", \"sha256\": \"9f\"") TAIL,
      "a checksum is none" },
    { "a file beside another manifest", KEY, HEAD FILE_OF("rows", "samples/" FOLDER, "0", "") TAIL,
      "a file of it is another's" },
    { "another tenant's file", KEY,
      HEAD FILE_OF("rows", "samples/tenant=b/day=2026-11-20/", ID, "") TAIL,
      "a file of it is another's" },
    { "another tenant's manifest", "archive/samples/tenant=b/day=2026-11-20/" ID ".json",
      HEAD ROWS TAIL, "it is of acme samples 2026-11-20" },
    { "another day's", "archive/samples/tenant=acme/day=2026-11-21/" ID ".json", HEAD ROWS TAIL,
      "it is of acme samples 2026-11-20" },
    { "another table's", "archive/events/" FOLDER ID ".json", HEAD ROWS TAIL,
      "it is of acme samples 2026-11-20" },
    { "one in a folder below", "archive/samples/" FOLDER "x/" ID ".json", HEAD ROWS TAIL,
      "it is of acme samples 2026-11-20" },
    { "one without a name", "archive/samples/" FOLDER ".json", HEAD ROWS TAIL,
      "it is of acme samples 2026-11-20" },
    { "a table that nobody knows", "archive/x/" FOLDER ID ".json",
      "{\"table\": \"x\", \"tenant\": \"acme\", \"day\": \"2026-11-20\", \"number\": 2, "
      "\"written_at\": \"2026-11-24T01:02:03Z\", \"files\": [" ROWS TAIL,
      "it is of a table that this tidemark does not know" },
    { "no day", "archive/samples/tenant=acme/day=2026-02-30/" ID ".json",
      "{\"table\": \"samples\", \"tenant\": \"acme\", \"day\": \"2026-02-30\", \"number\": 2, "
      "\"written_at\": \"2026-11-24T01:02:03Z\", \"files\": [" ROWS TAIL, "its day is none" },
    { "the number 0", KEY,
      "{\"table\": \"samples\", \"tenant\": \"acme\", \"day\": \"2026-11-20\", \"number\": 0, "
      "\"written_at\": \"2026-11-24T01:02:03Z\", \"files\": [" ROWS TAIL,
      "a part of it is missing" },
    { "no time", KEY, "{\"written_at\": \"yesterday\"}", "its time is none" },
};

static void test_bad(void)
{
    struct manifest got;
    struct op op;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        is_int(parse(bad[i].key, bad[i].text, &op, &got), ERR_INVALID, "%s is refused", bad[i].what);
        ok(strstr(op.fault.detail, bad[i].key) == op.fault.detail, "  by its key");
        ok(strstr(op.fault.detail, bad[i].why) != NULL, "  with the reason: %s", op.fault.detail);
    }
}

int main(void)
{
    arena = arena_new(1 << 20);
    test_sound();
    test_bad();
    arena_free(arena);
    return done_testing();
}
