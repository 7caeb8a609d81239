/* Ranges, entity tags and names of what is fetched; forms with files, however they are cut on their
 * way. Expected values by RFC 9110, 6266, 8187 and 7578. */
#include "http/disposition.h"
#include "transfer/range.h"

#include "base/buf.h"
#include "http/multipart_stream.h"
#include "http/tag.h"
#include "http_test.h"
#include "tap.h"

static struct arena *arena;

static void test_ranges(void)
{
    static const struct {
        const char *header;
        int64_t size;
        enum range_kind kind;
        int64_t from, len;
    } cases[] = {
        { "", 100, RANGE_WHOLE, 0, 100 },           { "bytes=0-0", 100, RANGE_PART, 0, 1 },
        { "bytes=0-99", 100, RANGE_PART, 0, 100 },  { "bytes=90-", 100, RANGE_PART, 90, 10 },
        { "bytes=-1", 100, RANGE_PART, 99, 1 },     { "bytes=-500", 100, RANGE_PART, 0, 100 },
        { "bytes=50-500", 100, RANGE_PART, 50, 50 }, { "BYTES = 1 - 2", 100, RANGE_PART, 1, 2 },
        { "bytes=100-", 100, RANGE_NONE, 0, 100 },  { "bytes=-0", 100, RANGE_NONE, 0, 100 },
        { "bytes=0-", 0, RANGE_NONE, 0, 0 },        { "bytes=-5", 0, RANGE_NONE, 0, 0 },
        { "bytes=5-4", 100, RANGE_WHOLE, 0, 100 },  { "bytes=0-1,3-4", 100, RANGE_WHOLE, 0, 100 },
        { "bytes=", 100, RANGE_WHOLE, 0, 100 },     { "bytes=-", 100, RANGE_WHOLE, 0, 100 },
        { "bytes=+1-2", 100, RANGE_WHOLE, 0, 100 }, { "bytes=1", 100, RANGE_WHOLE, 0, 100 },
        { "bytes=99999999999999999999-", 100, RANGE_WHOLE, 0, 100 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t from, len;
        enum range_kind kind = range_read(str_of(cases[i].header), cases[i].size, &from, &len);
        ok(kind == cases[i].kind && from == cases[i].from && len == cases[i].len, "of %lld: '%s'",
           (long long)cases[i].size, cases[i].header);
    }
}

static void test_tags(void)
{
    ok(http_names_tag(STR("\"a\""), "\"a\"", false), "the tag");
    ok(http_names_tag(STR("\"b\" , \"a\""), "\"a\"", false), "among others");
    ok(http_names_tag(STR("*"), "\"a\"", false), "any");
    ok(http_names_tag(STR("W/\"a\""), "\"a\"", true), "a weak one, where those do");
    ok(!http_names_tag(STR("W/\"a\""), "\"a\"", false), "and not where they do not");
    ok(!http_names_tag(STR("\"b\""), "\"a\"", true) && !http_names_tag(STR(""), "\"a\"", true), "no other");
}

static void test_disposition(void)
{
    is_str(http_disposition(arena, "plain.txt"), "attachment; filename=\"plain.txt\"; filename*=UTF-8''plain.txt",
           "a plain name");
    is_str(http_disposition(arena, "\xe2\x82\xac rates"),
           "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates", "the example of RFC 8187");
    is_str(http_disposition(arena, "a\"\\%'()*"),
           "attachment; filename=\"a___'()*\"; filename*=UTF-8''a%22%5C%25%27%28%29%2A", "quotes and escapes");
}

/* ---- forms ---- */

/* "name/file/type=content;" of each part, or the failure. */
static const char *cut(struct str body, size_t step)
{
    struct fake fake = fake_request("POST", "/");
    struct op op;
    struct multipart_stream stream;
    struct multipart_head head;
    struct buf out;
    bool is_there;

    op_init(&op, arena, "test");
    fake_set(&fake, "CONTENT_TYPE", "multipart/form-data; boundary=\"b-1\"");
    fake.body = body;
    fake.step = step;
    struct http_request request = { .op = &op, .transport = &fake.transport };
    buf_init(&out, arena, 1 << 20);
    enum err err = multipart_open(&stream, &request);
    for (;;) {
        err = err == OK ? multipart_next(&stream, &head, &is_there) : err;
        if (err != OK || !is_there) {
            break;
        }
        buf_printf(&out, "%.*s/%.*s/%.*s=", (int)head.name.len, head.name.ptr, (int)head.file_name.len,
                   head.file_name.ptr ? head.file_name.ptr : "", (int)head.type.len,
                   head.type.ptr ? head.type.ptr : "");
        struct str piece;
        while ((err = multipart_read(&stream, &piece)) == OK && piece.len > 0) {
            buf_add_str(&out, piece);
        }
        buf_add_char(&out, ';');
    }
    return err == OK ? arena_copy(arena, buf_str(&out)) : err_row(err)->slug;
}

#define PART(head, content) "--b-1\r\nContent-Disposition: form-data; " head "\r\n\r\n" content "\r\n"

static void test_forms(void)
{
    static const struct {
        const char *what, *body, *expected;
    } cases[] = {
        { "one field", PART("name=a", "1") "--b-1--\r\n", "a//=1;" },
        { "an empty one", PART("name=a", "") "--b-1--\r\n", "a//=;" },
        { "two, one a file with a type",
          PART("name=\"a\"", "1") "--b-1\r\nContent-Type: image/png; x=y\r\ncontent-disposition: form-data; name=f; "
                                  "filename=\"x y\"\r\n\r\n\r\n2\r\n\r\n--b-1--",
          "a//=1;f/x y/image/png=\r\n2\r\n;" },
        { "names as browsers write quotes and line ends",
          PART("name=\"%22a%22\"; filename=\"x %22y%22 100%25%20%2%%0D%0A.txt\"", "1") "--b-1--",
          "\"a\"/x \"y\" 100%25%20%2%\r\n.txt/=1;" },
        { "what looks like the boundary", PART("name=a", "\r\n--b-\r\n--b-2\r\n-\r\n--") "--b-1--\r\n",
          "a//=\r\n--b-\r\n--b-2\r\n-\r\n--;" },
        { "words before and after", "hello\r\n" PART("name=a", "1") "--b-1--\r\ngood bye", "a//=1;" },
        { "no part at all", "--b-1--\r\n", "" },
        { "no end", PART("name=a", "1"), "malformed" },
        { "an end within a part", "--b-1\r\nContent-Disposition: form-data; name=a\r\n\r\n12", "malformed" },
        { "a part without a name", "--b-1\r\nX: y\r\n\r\n1\r\n--b-1--\r\n", "malformed" },
        { "nothing", "", "malformed" },
    };
    static const size_t steps[] = { 1, 2, 3, 7, 1000000 };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            is_str(cut(str_of(cases[i].body), steps[k]), cases[i].expected, "%s, %zu bytes at a time", cases[i].what,
                   steps[k]);
        }
    }
}

/* A field's text, or the failure. */
static const char *field(struct str body, size_t step, size_t most)
{
    struct fake fake = fake_request("POST", "/");
    struct op op;
    struct multipart_stream stream;
    struct multipart_head head;
    struct str text = STR("");
    bool is_there;

    op_init(&op, arena, "test");
    fake_set(&fake, "CONTENT_TYPE", "multipart/form-data; boundary=b-1");
    fake.body = body;
    fake.step = step;
    struct http_request request = { .op = &op, .transport = &fake.transport };
    enum err err = multipart_open(&stream, &request);
    err = err == OK ? multipart_next(&stream, &head, &is_there) : err;
    err = err == OK ? multipart_read_text(&stream, most, &text) : err;
    return err == OK ? arena_copy(arena, text) : err_row(err)->slug;
}

static void test_fields(void)
{
    static const size_t steps[] = { 1, 2, 7, 1000000 };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct str body = STR(PART("name=device", "camera") "--b-1--\r\n");
        is_str(field(body, steps[i], 6), "camera", "a field is whole, %zu bytes at a time", steps[i]);
        is_str(field(body, steps[i], 5), "too-large", "and no longer than it may be");
        is_str(field(STR(PART("name=device", "") "--b-1--\r\n"), steps[i], 6), "", "an empty one");
        is_str(field(STR("--b-1\r\nContent-Disposition: form-data; name=d\r\n\r\ncam"), steps[i], 6), "malformed",
               "one that is cut short");
    }
}

int main(void)
{
    arena = arena_new(64u << 20);
    if (!arena) {
        return 1;
    }
    test_ranges();
    test_tags();
    test_disposition();
    test_forms();
    test_fields();
    arena_free(arena);
    return done_testing();
}
